import type { Json, JsonObject } from "../../api/json.ts";
import type { Choices } from "../random.ts";
import { randomDefinedContents } from "./defined-contents.ts";
import type { PlaceName } from "./places.ts";
import { podSpec, workloadSpec } from "./pod-contents.ts";

/** Returns random fields of an object, except type and metadata. The API server refuses some of them. */
export function randomContents(choices: Choices, name: PlaceName | "classes" | "syncs"): JsonObject {
  return MAKERS[name](choices);
}

const text = (value: string): string => Buffer.from(value).toString("base64");

function secret(choices: Choices): JsonObject {
  const keys = ["a", "b", "tls.crt", "tls.key", ".dockerconfigjson", "username", "ssh-privatekey"];
  const data = Object.fromEntries(choices.some(keys, 0.4).map((key) => [key, choices.of(text("one"), text("two"), text("{}"), "")]));
  return {
    ...choices.maybe(0.8, () => ({ data: choices.chance(0.05) ? { ...data, "bad/key": text("x") } : data })),
    ...choices.maybe(0.15, () => ({
      stringData: Object.fromEntries(choices.some(["a", "c"]).map((key) => [key, choices.of("plain", "")])),
    })),
    ...choices.maybe(0.5, () => ({
      type: choices.of(
        "Opaque",
        "kubernetes.io/tls",
        "kubernetes.io/dockerconfigjson",
        "kubernetes.io/basic-auth",
        "kubernetes.io/ssh-auth",
        "kubernetes.io/service-account-token",
        "example.com/own",
        "",
      ),
    })),
    ...choices.maybe(0.12, () => ({ immutable: choices.chance(0.7) })),
    // Never null as a value: etcd distinguishes null from an empty value, but no answer shows the difference.
    ...choices.maybe(0.03, () => ({ data: choices.of<Json>({ a: "not base64!" }, { a: 1 }, []) })),
    ...choices.maybe(0.03, () => ({ unknownField: { deep: true } })),
  };
}

function lease(choices: Choices): JsonObject {
  const time = (): string => `2026-01-01T00:00:0${choices.below(10)}.${choices.of("000000", "123456")}Z`;
  const spec = {
    ...choices.maybe(0.7, () => ({ holderIdentity: choices.of<Json>("one", "two", "", null) })),
    ...choices.maybe(0.6, () => ({ leaseDurationSeconds: choices.weighted([6, 15], [2, 1], [1, 0], [1, -3]) })),
    ...choices.maybe(0.6, () => ({
      renewTime: choices.weighted<Json>([12, time()], [1, "2026-01-01T00:00:00Z"], [1, "yesterday"], [1, null]),
    })),
    ...choices.maybe(0.3, () => ({ acquireTime: time() })),
    ...choices.maybe(0.3, () => ({ leaseTransitions: choices.weighted([6, 1], [3, 2], [1, 0], [1, -1]) })),
  };
  return choices.maybe(0.9, () => ({ spec }));
}

function event(choices: Choices, namespace = "$namespace"): JsonObject {
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    name: choices.of("db", "web"),
    ...choices.maybe(0.9, () => ({ namespace: choices.chance(0.95) ? namespace : "elsewhere" })),
  };
  return {
    involvedObject: object,
    ...choices.maybe(0.8, () => ({ reason: choices.of("Synced", "Failed") })),
    ...choices.maybe(0.8, () => ({ message: choices.of("all is well", "nothing is", "") })),
    ...choices.maybe(0.8, () => ({ type: choices.of("Normal", "Warning") })),
    ...choices.maybe(0.5, () => ({ source: { component: "tests" }, reportingComponent: "tests", reportingInstance: "one" })),
    ...choices.maybe(0.6, () => ({
      firstTimestamp: "2026-01-01T00:00:00Z",
      lastTimestamp: `2026-01-01T00:00:0${choices.below(5)}Z`,
      count: choices.below(5),
    })),
  };
}

function revision(choices: Choices): JsonObject {
  return {
    revision: choices.weighted([5, 1], [3, 2], [1, 0], [1, -1]),
    ...choices.maybe(0.93, () => ({
      data: choices.weighted<Json>([6, { spec: { a: 1 } }], [3, { spec: { a: 2, b: ["x"] } }], [1, {}], [1, [1]], [1, "text"]),
    })),
  };
}

function budget(choices: Choices): JsonObject {
  const spec = {
    ...choices.maybe(0.6, () => ({ minAvailable: choices.of<Json>(1, "50%") })),
    ...choices.maybe(0.3, () => ({ maxUnavailable: choices.of<Json>(1, "20%") })),
    ...choices.maybe(0.7, () => ({ selector: { matchLabels: { app: choices.of("a", "b") } } })),
  };
  return choices.maybe(0.95, () => ({ spec }));
}

function rules(choices: Choices): JsonObject {
  const rule = {
    apiGroups: [""],
    resources: choices.of<Json>(["secrets"], ["pods", "secrets"]),
    verbs: ["get", ...choices.some(["list", "watch"])],
  };
  return choices.maybe(0.9, () => ({ rules: choices.chance(0.2) ? [] : [rule] }));
}

function binding(choices: Choices, kind: string): JsonObject {
  return {
    roleRef: {
      ...choices.maybe(0.7, () => ({ apiGroup: "rbac.authorization.k8s.io" })),
      kind,
      name: choices.weighted([5, "one"], [2, "two"], [1, ""]),
    },
    ...choices.maybe(0.7, () => ({
      subjects: [
        choices.chance(0.5) ? { kind: "ServiceAccount", name: "default", namespace: "default" } : { kind: "User", name: "somebody" },
      ],
    })),
  };
}

function webhooks(choices: Choices, isMutating: boolean): JsonObject {
  const webhook = (name: string): JsonObject => ({
    name,
    clientConfig: choices.weighted<JsonObject>(
      [5, { service: { namespace: "one", name: "hook" } }],
      [3, { service: { namespace: "one", name: "hook", path: "/x", port: 8443 }, caBundle: text("ca") }],
      [1, { url: "https://hook.example/x" }],
      [1, {}],
    ),
    ...choices.maybe(0.95, () => ({ sideEffects: "None" })),
    ...choices.maybe(0.95, () => ({ admissionReviewVersions: ["v1"] })),
    ...choices.maybe(0.6, () => ({
      rules: [{ operations: ["CREATE"], apiGroups: ["nothing.example"], apiVersions: ["v1"], resources: ["nothings"] }],
    })),
    ...choices.maybe(0.5, () => ({ failurePolicy: "Ignore" })),
    ...choices.maybe(0.3, () => ({ timeoutSeconds: choices.of(5, 10) })),
    ...choices.maybe(0.3, () => ({ namespaceSelector: { matchLabels: { app: "a" } } })),
    ...(isMutating ? choices.maybe(0.3, () => ({ reinvocationPolicy: "IfNeeded" })) : {}),
  });
  // Never an empty list: during the request, the API server distinguishes it from a missing list.
  const names = ["one.hooks.example", ...choices.some(["two.hooks.example"], 0.7), ...choices.some(["short.name"], 0.04)];
  return choices.maybe(0.95, () => ({ webhooks: names.map(webhook) }));
}

const MAKERS: Readonly<Record<PlaceName | "classes" | "syncs", (choices: Choices) => JsonObject>> = {
  secrets: secret,
  configMaps: (choices) =>
    choices.maybe(0.8, () => ({ data: Object.fromEntries(choices.some(["a", "b", "c"]).map((key) => [key, choices.of("1", "2")])) })),
  pods: (choices) => ({ spec: podSpec(choices) }),
  podTemplates: (choices) => ({ template: { metadata: { labels: { app: choices.of("a", "b") } }, spec: podSpec(choices) } }),
  serviceAccounts: (choices) => ({
    ...choices.maybe(0.4, () => ({ automountServiceAccountToken: choices.chance(0.5) })),
    ...choices.maybe(0.3, () => ({ imagePullSecrets: choices.some(["one", "two"]).map((name) => ({ name })) })),
  }),
  services: (choices) => ({
    spec: {
      selector: { app: choices.of("a", "b") },
      ports: [
        {
          port: choices.of(80, 443),
          ...choices.maybe(0.5, () => ({ targetPort: choices.of<Json>(8443, "https") })),
          ...choices.maybe(0.5, () => ({ name: "https" })),
        },
      ],
    },
  }),
  events: (choices) => event(choices),
  namespaces: () => ({}),
  controllerRevisions: revision,
  deployments: (choices) => ({ spec: workloadSpec(choices, "Deployment") }),
  statefulSets: (choices) => ({ spec: workloadSpec(choices, "StatefulSet") }),
  daemonSets: (choices) => ({ spec: workloadSpec(choices, "DaemonSet") }),
  replicaSets: (choices) => ({ spec: workloadSpec(choices, "ReplicaSet") }),
  leases: lease,
  budgets: budget,
  roles: rules,
  roleBindings: (choices) => binding(choices, choices.weighted([5, "Role"], [3, "ClusterRole"], [1, "Other"])),
  clusterRoles: rules,
  clusterRoleBindings: (choices) => binding(choices, "ClusterRole"),
  mutatingWebhooks: (choices) => webhooks(choices, true),
  validatingWebhooks: (choices) => webhooks(choices, false),
  priorityClasses: (choices) => ({
    value: choices.of(1, 1, 2),
    ...choices.maybe(0.4, () => ({ description: choices.of("one", "two") })),
    ...choices.maybe(0.2, () => ({ preemptionPolicy: "Never" })),
  }),
  csiDrivers: (choices) => ({
    spec: {
      ...choices.maybe(0.5, () => ({ attachRequired: false })),
      ...choices.maybe(0.5, () => ({ podInfoOnMount: true })),
      ...choices.maybe(0.4, () => ({ volumeLifecycleModes: ["Ephemeral"] })),
    },
  }),
  definitions: () => ({}),
  policies: () => ({}),
  policyBindings: () => ({}),
  ...randomDefinedContents,
};
