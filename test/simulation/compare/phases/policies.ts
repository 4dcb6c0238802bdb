import { type JsonObject, textOf } from "../../api/json.ts";
import { SHIPPED_POLICIES } from "../../api/policies.ts";
import type { Batch } from "../batch.ts";
import { CLASSES } from "../generate/class-operations.ts";
import { COMPONENTS, DEFINITIONS, RELEASE } from "../generate/component-operations.ts";
import { PLACES, typeOf } from "../generate/places.ts";
import { authorIn, policyOperation, WEBHOOK, WORKER } from "../generate/policy-operations.ts";
import type { Operation, Place } from "../operation.ts";
import { Choices } from "../random.ts";
import { type Document, readObjects } from "./documents.ts";
import { groundOf, namespace } from "./ground.ts";

const OWN = "keyvault-injector";

/** Our policies, and writes of the worker, the webhook, and authors that the policies allow or refuse. */
export function policyBatch(seed: number, { length }: { readonly length: number }): Batch {
  const choices = new Choices(seed);
  const serial = `policy${seed}`;
  const [asking, silent] = groundOf(serial, "").namespaces;
  const places = [PLACES.secrets, PLACES.controllerRevisions, PLACES.deployments, PLACES.daemonSets, CLASSES];
  return {
    serial,
    setup: [
      namespace(OWN),
      namespace(asking, {
        "keyvault-injector.dev/restart-on-rotation": "true",
        "grants.keyvault-injector.dev/service-accounts": "other, granted",
        "grants.keyvault-injector.dev/mirrors-from": "shop/one, pay/*",
      }),
      namespace(silent),
      ...[asking, silent, OWN].flatMap((name) => ["default", "granted"].map((account) => made(account, name))),
      ...DEFINITIONS.map((document) => ({ ...applied(document), settles: { place: document.place, name: document.name } })),
      ...readObjects(`${RELEASE}/keyvault-injector.yaml`).filter(isNeeded).map(applied),
      ...COMPONENTS.map((document) => applied(document.place === PLACES.services ? { ...document, namespace: asking } : document)),
      ...grants(serial, asking),
      ...policies(),
      ...probes(asking),
    ],
    operations: Array.from({ length }, () => policyOperation(choices, { serial, namespaces: [asking, silent, OWN, "kube-system"] })),
    watches: [],
    states: [asking, silent].flatMap((name) => places.map((place) => ({ place, namespace: name }))),
  };
}

/** Whether the policies compare requests with the object. */
function isNeeded({ body }: Document): boolean {
  return ["PodTemplate", "ClusterRoleBinding"].includes(textOf(body["kind"]));
}

function made(name: string, where: string): Operation {
  const body = { ...typeOf(PLACES.serviceAccounts), metadata: { name } };
  return { verb: "create", place: PLACES.serviceAccounts, namespace: where, name, body };
}

function applied({ place, name, namespace: where, body }: Document): Operation {
  const moved = { ...body, metadata: { ...(body["metadata"] as JsonObject), ...(where === undefined ? {} : { namespace: where }) } }; // Every manifest has metadata.
  const at = { place, name, ...(where === undefined ? {} : { namespace: where }) };
  return { verb: "apply", ...at, query: { fieldManager: "kubectl", force: "true" }, body: moved };
}

/** Lets the worker and the webhook write everything, but read nothing. Lets the author write classes, and use one Secret and account. */
function grants(serial: string, where: string): readonly Operation[] {
  const verbs = ["create", "update", "patch", "delete"];
  const rules = [{ apiGroups: ["*"], resources: ["*"], verbs }];
  const own = [
    { apiGroups: [CLASSES.group], resources: [CLASSES.plural], verbs },
    { apiGroups: [""], resources: ["secrets"], resourceNames: ["lent"], verbs: ["get"] },
    { apiGroups: [""], resources: ["serviceaccounts/token"], resourceNames: ["lent"], verbs: ["create"] },
  ];
  return [
    ...granted(`${serial}-writers`, undefined, { rules, users: [WORKER, WEBHOOK] }),
    ...granted("author", where, { rules: own, users: [authorIn(where)] }),
  ];
}

interface Granting {
  readonly rules: readonly JsonObject[];
  readonly users: readonly string[];
}

function granted(name: string, where: string | undefined, { rules, users }: Granting): readonly Operation[] {
  const [roles, bindings]: readonly [Place, Place] =
    where === undefined ? [PLACES.clusterRoles, PLACES.clusterRoleBindings] : [PLACES.roles, PLACES.roleBindings];
  const at = { name, ...(where === undefined ? {} : { namespace: where }) };
  const subjects = users.map((user) => {
    const [, , namespaceOf = "", account = ""] = user.split(":");
    return { kind: "ServiceAccount", name: account, namespace: namespaceOf };
  });
  const roleRef = { apiGroup: roles.group, kind: typeOf(roles).kind, name };
  return [
    { verb: "create", place: roles, ...at, body: { ...typeOf(roles), metadata: at, rules } },
    { verb: "create", place: bindings, ...at, body: { ...typeOf(bindings), metadata: at, roleRef, subjects } },
  ];
}

/** Applies the policies that the simulated server has as functions. */
function policies(): readonly Operation[] {
  return SHIPPED_POLICIES.flatMap(({ name }) => readObjects(`policies/${name.replace("keyvault-injector-", "")}.yaml`).map(applied));
}

const HELD = { metadata: { finalizers: ["example.com/probe"] } };

/** The server applies rights and policies after a moment. For each policy, repeats a request until the policy refuses it. */
function probes(where: string): readonly Operation[] {
  const asked = (policy: string, operation: Operation): Operation => ({
    user: WORKER,
    query: { dryRun: "All" },
    ...operation,
    awaits: `'keyvault-injector-${policy}'`,
  });
  const merge = (place: Place, name: string, body: JsonObject = HELD): Operation => ({ verb: "merge", place, name, body });
  const inOwn = (place: Place, name: string, body: JsonObject = HELD): Operation => ({ ...merge(place, name, body), namespace: OWN });
  const create = (place: Place, body: JsonObject): Operation => ({
    verb: "create",
    place,
    namespace: where,
    name: "probe",
    body: { ...typeOf(place), metadata: { name: "probe" }, ...body },
  });
  const noted = { spec: { template: { metadata: { annotations: { probe: "x" } } } } };
  const lending = { metadata: { name: "probe", annotations: { "keyvault-injector.dev/credentials-secret": "x" } } };
  const token = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", metadata: {}, spec: {} };
  const other = { subjects: [{ kind: "ServiceAccount", name: "x", namespace: "other" }] };
  return [
    asked("sync-secrets", create(PLACES.secrets, {})),
    asked("sync-snapshots", create(PLACES.controllerRevisions, { revision: 1, data: {} })),
    asked("sync-classes", create(CLASSES, { metadata: { name: "probe", ...HELD.metadata } })),
    asked("class-identities", { ...create(CLASSES, lending), user: authorIn(where) }),
    asked("sync-tokens", { ...create(PLACES.serviceAccounts, token), name: "default", subresource: "token", query: {} }),
    asked("sync-workloads", inOwn(PLACES.deployments, "keyvault-injector-sync")),
    asked("sync-pods", inOwn(PLACES.deployments, "keyvault-injector-sync", noted)),
    asked("sync-components", inOwn(PLACES.serviceAccounts, "default")),
    asked("sync-definitions", merge(PLACES.definitions, "secretproviderclasssyncs.keyvault-injector.dev")),
    asked("sync-webhooks", merge(PLACES.mutatingWebhooks, "keyvault-injector")),
    asked("webhook-configuration", { ...merge(PLACES.mutatingWebhooks, "keyvault-injector"), user: WEBHOOK }),
    asked("webhook-secrets", { ...create(PLACES.secrets, {}), user: WEBHOOK }),
    asked("one-instance", { ...merge(PLACES.clusterRoleBindings, "keyvault-injector-sync", other), user: "somebody" }),
  ];
}
