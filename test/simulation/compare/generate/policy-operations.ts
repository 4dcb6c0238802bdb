import type { Json, JsonObject } from "../../api/json.ts";
import type { Operation, Place } from "../operation.ts";
import type { Choices } from "../random.ts";
import { classOperation } from "./class-operations.ts";
import { componentOperation } from "./component-operations.ts";
import { PLACES, typeOf } from "./places.ts";

export const WORKER = "system:serviceaccount:keyvault-injector:keyvault-injector-sync";
export const WEBHOOK = "system:serviceaccount:keyvault-injector:keyvault-injector-webhook";
const PREFIX = "keyvault-injector.dev/";

export interface PolicyGround {
  readonly serial: string;
  /** The first namespace allows restarts, grants a ServiceAccount, and consents to copies. */
  readonly namespaces: readonly [string, ...string[]];
}

/** Returns a write that one of our policies checks. */
export function policyOperation(choices: Choices, { serial, namespaces }: PolicyGround): Operation {
  const namespace = choices.weighted([6, namespaces[0]], ...namespaces.slice(1).map((name) => [2, name] as const));
  return choices.weighted<() => Operation>(
    [10, () => secretOperation(choices, namespace)],
    [4, () => authorityOperation(choices, namespace)],
    [5, () => revisionOperation(choices, namespace)],
    [2, () => tokenOperation(choices, namespaces)],
    [10, () => workloadOperation(choices, namespace)],
    [3, () => configurationOperation(choices, serial)],
    [14, () => componentOperation(choices, WORKER, namespaces)],
    [8, () => classOperation(choices, namespaces[0], [WORKER, WORKER, authorIn(namespaces[0])])],
    [1, () => bindingOperation(choices)],
  )();
}

/** Returns the user that can write classes in a namespace, and use one ServiceAccount and one Secret there. */
export function authorIn(namespace: string): string {
  return `system:serviceaccount:${namespace}:author`;
}

/** Sets the subject of a binding of the install to our namespace or another one. */
function bindingOperation(choices: Choices): Operation {
  const subject = { kind: "ServiceAccount", name: "keyvault-injector-sync", namespace: choices.of("keyvault-injector", "other") };
  const name = choices.of("keyvault-injector-sync", "keyvault-injector-components");
  const query = { fieldManager: "kubectl", dryRun: "All" };
  return { verb: "merge", place: PLACES.clusterRoleBindings, name, query, body: { subjects: [subject] } };
}

function as(choices: Choices, user: string, share = 0.7): { readonly user?: string } {
  return choices.maybe(share, () => ({ user }));
}

/** Returns a create, apply, merge, replace, or delete with the content. */
function write(choices: Choices, at: Pick<Operation, "place" | "namespace" | "name">, content: JsonObject): Operation {
  const body = { ...typeOf(at.place), ...content, metadata: { ...(content["metadata"] as JsonObject), name: at.name ?? "" } }; // The callers always set it.
  const query = { fieldManager: choices.of("sync", "other") };
  const dryRun = choices.maybe(0.1, () => ({ dryRun: "All" }));
  return choices.weighted<() => Operation>(
    [5, () => ({ verb: "create", ...at, query: { ...query, ...dryRun }, body })],
    [5, () => ({ verb: "apply", ...at, query: { ...query, force: "true", ...dryRun }, body })],
    [6, () => ({ verb: "merge", ...at, query: { ...query, ...dryRun }, body: choices.chance(0.1) ? {} : content })],
    [2, () => ({ verb: "replace", ...at, query, isOverLive: true, body: content })],
    [3, () => ({ verb: "delete", ...at })],
  )();
}

function some(choices: Choices, values: Readonly<Record<string, readonly [Json, ...Json[]]>>, probability: number): JsonObject {
  return Object.fromEntries(choices.some(Object.entries(values), probability).map(([name, all]) => [name, choices.of(...all)]));
}

function secretOperation(choices: Choices, namespace: string): Operation {
  const name = choices.weighted([8, "db"], [6, "web"], [2, "keyvault-injector-sync-key"]);
  const labels = some(
    choices,
    {
      [`${PREFIX}managed`]: ["true", "true", "true", "false"],
      [`${PREFIX}copy`]: ["true", "true", "false"],
      "secrets-store.csi.k8s.io/managed": ["true"],
      app: ["a"],
    },
    0.4,
  );
  const annotations = some(
    choices,
    {
      [`${PREFIX}class`]: ["one", "two"],
      [`${PREFIX}adoptable-by`]: ["one", "two"],
      [`${PREFIX}adopted`]: ["true", "false"],
      [`${PREFIX}copied-from`]: ["shop/one", "shop/one", "pay/any", "shop/other", "pay/*", ""],
    },
    0.35,
  );
  const content = {
    metadata: { labels, annotations },
    ...choices.maybe(0.6, () => ({ data: { a: choices.of("eA==", "eQ==") } })),
    ...choices.maybe(0.15, () => ({ type: choices.of("Opaque", "helm.sh/release.v1", "bootstrap.kubernetes.io/token") })),
  };
  return { ...write(choices, { place: PLACES.secrets, namespace, name }, content), ...as(choices, WORKER) };
}

/** Returns a write of the webhook's CA, mostly in the right namespace, by the webhook, the worker, or another user. */
function authorityOperation(choices: Choices, namespace: string): Operation {
  const labels = some(
    choices,
    { "app.kubernetes.io/component": ["webhook", "webhook", "sync"], [`${PREFIX}managed`]: ["true"], app: ["a"] },
    0.25,
  );
  const annotations = some(
    choices,
    { [`${PREFIX}previous-ca-until`]: ["2026-01-01T00:00:00Z", "never"], "kubernetes.io/service-account.name": ["granted"] },
    0.25,
  );
  const metadata = {
    labels,
    annotations,
    ...choices.maybe(0.1, () => ({ finalizers: ["example.com/hold"] })),
    ...choices.maybe(0.1, () => ({ finalizers: [] })),
  };
  const content = {
    metadata,
    ...choices.maybe(0.6, () => ({ data: { "ca.crt": choices.of("eA==", "eQ==") } })),
    ...choices.maybe(0.15, () => ({ type: choices.of("Opaque", "example.com/other") })),
    ...choices.maybe(0.1, () => ({ immutable: choices.of(true, false) })),
  };
  const at = {
    place: PLACES.secrets,
    namespace: choices.weighted([8, "keyvault-injector"], [1, namespace]),
    name: choices.weighted([8, "keyvault-injector-ca"], [1, "keyvault-injector-webhook-tls"]),
  };
  return { ...write(choices, at, content), ...as(choices, choices.weighted([4, WEBHOOK], [1, WORKER])) };
}

function revisionOperation(choices: Choices, namespace: string): Operation {
  const labels = some(choices, { [`${PREFIX}snapshot`]: ["true", "true", "component", "no"], [`${PREFIX}class`]: ["one"] }, 0.75);
  const metadata = {
    labels: { ...labels, ...choices.maybe(0.15, () => ({ app: "a" })) },
    ...choices.maybe(0.1, () => ({
      ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "11111111-2222-4333-8444-555555555555" }],
    })),
  };
  const at = { place: PLACES.controllerRevisions, namespace, name: choices.of("one", "two") };
  return { ...write(choices, at, { metadata, revision: choices.of(1, 2), data: { a: 1 } }), ...as(choices, WORKER) };
}

function tokenOperation(choices: Choices, namespaces: readonly [string, ...string[]]): Operation {
  const spec = {
    ...choices.maybe(0.85, () => ({
      audiences: choices.of(["api://AzureADTokenExchange"], ["other"], ["api://AzureADTokenExchange", "other"]),
    })),
    ...choices.maybe(0.85, () => ({ expirationSeconds: choices.of(600, 600, 599, 3_600) })),
  };
  return {
    verb: "create",
    place: PLACES.serviceAccounts,
    namespace: choices.of(...namespaces),
    name: choices.weighted([6, "granted"], [3, "default"], [1, "missing"], [1, "keyvault-injector-sync"]),
    subresource: "token",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec },
    ...as(choices, WORKER),
  };
}

const STAMPS: readonly [Json, ...Json[]] = ["0123456789abcdef", "fedcba9876543210-2", "a stamp", null];

function workloadOperation(choices: Choices, namespace: string): Operation {
  const place: Place = choices.of<Place>(PLACES.deployments, PLACES.daemonSets, PLACES.statefulSets);
  const name = choices.weighted([6, "one"], [2, "keyvault-injector-sync"], [2, "csi-secrets-store"]);
  const at = { place, namespace, name };
  const stamped = { metadata: { annotations: { [`${PREFIX}rotated`]: choices.of(...STAMPS) } } };
  const answered = { metadata: { annotations: { [`${PREFIX}restart-now-answered`]: choices.of(...STAMPS) } } };
  return choices.weighted<() => Operation>(
    [3, () => ({ ...write(choices, at, workload(choices)), ...as(choices, WORKER, 0.3) })],
    [
      5,
      () => ({
        verb: "merge",
        ...at,
        body: { ...choices.maybe(0.5, () => stamped), spec: { template: stamped } },
        ...as(choices, WORKER, 0.9),
      }),
    ],
    [1, () => ({ verb: "merge", ...at, body: answered, ...as(choices, WORKER, 0.9) })],
    [2, () => ({ verb: "merge", ...at, body: mischief(choices), ...as(choices, WORKER, 0.9) })],
    [1, () => ({ verb: "merge", ...at, subresource: "status", body: { status: { observedGeneration: 1 } }, ...as(choices, WORKER) })],
  )();
}

function workload(choices: Choices): JsonObject {
  const annotations = some(
    choices,
    {
      [`${PREFIX}restart-on-rotation`]: ["true", "true", "false"],
      [`${PREFIX}inject`]: ["true"],
      [`${PREFIX}rotated`]: ["0123456789abcdef"],
    },
    0.5,
  );
  const template = {
    metadata: { labels: { app: "a" }, annotations },
    spec: { containers: [{ name: "web", image: choices.of("one", "two") }] },
  };
  return { metadata: { labels: { app: "a" } }, spec: { selector: { matchLabels: { app: "a" } }, template } };
}

/** Returns a change that the worker must not make, often together with a stamp. */
function mischief(choices: Choices): JsonObject {
  const stamp = { [`${PREFIX}rotated`]: "0123456789abcdef" };
  return choices.of<JsonObject>(
    { spec: { template: { metadata: { annotations: { ...stamp, other: "x" } } } } },
    { spec: { template: { metadata: { labels: { app: "a", tier: "b" }, annotations: stamp } } } },
    { spec: { minReadySeconds: 3, template: { metadata: { annotations: stamp } } } },
    { spec: { template: { spec: { terminationGracePeriodSeconds: 7 } } } },
    { metadata: { annotations: { ...stamp, other: "x" } } },
    { metadata: { labels: { tier: "b" } } },
    { metadata: { finalizers: ["example.com/hold"] } },
    { metadata: { finalizers: null } },
    { metadata: { annotations: stamp } },
    {},
  );
}

function configurationOperation(choices: Choices, serial: string): Operation {
  const webhook = (name: string): JsonObject => ({
    name,
    clientConfig: {
      url: choices.weighted([9, "https://hook.example/x"], [1, "https://other.example/x"]),
      ...choices.maybe(0.6, () => ({ caBundle: "eA==" })),
    },
    sideEffects: "None",
    admissionReviewVersions: ["v1"],
    ...choices.maybe(0.1, () => ({ timeoutSeconds: 5 })),
  });
  const metadata = choices.maybe(0.2, () => ({ labels: { app: "a" } }));
  const at = { place: choices.of<Place>(PLACES.mutatingWebhooks, PLACES.validatingWebhooks), name: `${serial}-hooks` };
  return {
    ...write(choices, at, {
      metadata,
      webhooks: [webhook("one.hooks.example"), ...(choices.chance(0.3) ? [webhook("two.hooks.example")] : [])],
    }),
    ...as(choices, WEBHOOK),
  };
}
