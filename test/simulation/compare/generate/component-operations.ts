import { VERSION } from "../../../../tools/repository-files.ts";
import { isObject, type Json, type JsonObject, listAt, objectAt, textOf } from "../../api/json.ts";
import { mergePatched } from "../../api/write/merge-patch.ts";
import type { Operation } from "../operation.ts";
import { type Document, readObjects } from "../phases/documents.ts";
import type { Choices } from "../random.ts";
import { PLACES } from "./places.ts";

export const RELEASE = `releases/${VERSION}`;

type Change = (body: JsonObject, choices: Choices) => JsonObject;

/** Returns a change that merges one of the patches into a component. */
const merging =
  (...patches: readonly [JsonObject, ...JsonObject[]]): Change =>
  (body, choices) =>
    mergePatched(body, choices.of(...patches)) as JsonObject; // Both are objects.

/** Returns a change that merges one of the patches into the first object of a list, which a merge patch cannot do. */
const merging1st =
  (path: readonly string[], ...patches: readonly [JsonObject, ...JsonObject[]]): Change =>
  (body, choices) =>
    atPath(body, path, (list) => {
      const [first, ...others] = Array.isArray(list) ? (list as readonly Json[]) : []; // Checked.
      return isObject(first) ? [mergePatched(first, choices.of(...patches)), ...others] : list;
    });

function atPath(body: JsonObject, [name = "", ...rest]: readonly string[], change: (value: Json) => Json): JsonObject {
  const value = rest.length === 0 ? change(body[name] ?? null) : atPath(objectAt(body, name), rest, change);
  return { ...body, [name]: value };
}

const POD = ["spec", "template", "spec"];
const CONTAINERS = [...POD, "containers"];

const pod = (patch: JsonObject): JsonObject => ({ spec: { template: { spec: patch } } });
const templateMetadata = (metadata: JsonObject): JsonObject => ({ spec: { template: { metadata } } });

const appended =
  (path: readonly string[], ...items: readonly [JsonObject, ...JsonObject[]]): Change =>
  (body, choices) =>
    atPath(body, path, (list) => [...(Array.isArray(list) ? (list as readonly Json[]) : []), choices.of(...items)]); // Checked.

const shortened =
  (path: readonly string[]): Change =>
  (body) =>
    atPath(body, path, (list) => (Array.isArray(list) ? list.slice(0, -1) : list));

/** Returns a change of a list in the first container. */
const inContainer =
  (list: string, change: (items: readonly Json[]) => readonly Json[]): Change =>
  (body) =>
    atPath(body, CONTAINERS, (containers) => {
      const [first, ...others] = Array.isArray(containers) ? (containers as readonly Json[]) : []; // Checked.
      return isObject(first) ? [{ ...first, [list]: change(listAt(first, list)) }, ...others] : containers;
    });

const withoutLast = (items: readonly Json[]): readonly Json[] => items.slice(0, -1);

const ANYTHING: readonly Change[] = [
  merging({ metadata: { finalizers: ["example.com/hold"] } }),
  merging({
    metadata: { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "11111111-2222-4333-8444-555555555555" }] },
  }),
  merging({ metadata: { labels: { app: "a" } } }, { metadata: { annotations: { note: "a" } } }),
];

const WORKLOAD: readonly Change[] = [
  merging({ spec: { replicas: 1 } }, { spec: { replicas: 5 } }, { spec: { replicas: 6 } }, { spec: { replicas: 9 } }),
  merging(pod({ hostNetwork: true }), pod({ serviceAccountName: "default" }), pod({ automountServiceAccountToken: true })),
  merging(pod({ nodeSelector: { disk: "ssd" } }), pod({ securityContext: null }), pod({ terminationGracePeriodSeconds: 7 })),
  merging(pod({ affinity: { nodeAffinity: {} } }), pod({ affinity: null }), pod({ topologySpreadConstraints: null })),
  merging(templateMetadata({ annotations: { note: "a" } }), templateMetadata({ annotations: { "keyvault-injector.dev/note": "a" } })),
  merging(templateMetadata({ labels: { app: "a" } }), templateMetadata({ annotations: { "kubectl.kubernetes.io/restartedAt": "a" } })),
  merging1st(
    CONTAINERS,
    { image: "other" },
    { command: ["sleep"] },
    { securityContext: { privileged: true, allowPrivilegeEscalation: true } },
    { securityContext: null },
  ),
  merging1st(CONTAINERS, { args: ["--other"] }, { args: null }, { imagePullPolicy: "Always" }, { livenessProbe: null }),
  merging1st(CONTAINERS, { resources: { limits: { memory: "1Gi" } } }, { resources: { requests: null } }, { resources: null }),
  merging1st(CONTAINERS, { env: null }, { volumeMounts: null }, { name: "other" }, { workingDir: "/" }),
  inContainer("env", (items) => [...items, { name: "OTHER", value: "x" }]),
  inContainer("env", withoutLast),
  inContainer("args", withoutLast),
  inContainer("volumeMounts", withoutLast),
  inContainer("envFrom", (items) => [...items, { secretRef: { name: "x" } }]),
  appended([...POD, "volumes"], { name: "other", emptyDir: {} }, { name: "host", hostPath: { path: "/", type: "" } }),
  shortened([...POD, "volumes"]),
  appended(CONTAINERS, { name: "second", image: "other" }),
  appended([...POD, "initContainers"], { name: "second", image: "other" }),
];

const WEBHOOKS = ["webhooks"];

/** Leaves out changes that would disturb the API server, because it calls the webhooks of this configuration. */
const CONFIGURATION: readonly Change[] = [
  merging1st(WEBHOOKS, { clientConfig: { caBundle: "eA==" } }, { clientConfig: { service: { path: "/other" } } }),
  merging1st(WEBHOOKS, { clientConfig: { service: { name: "other" } } }, { clientConfig: { service: { port: 8443 } } }),
  merging1st(WEBHOOKS, { clientConfig: { service: null, url: "https://other.example/x" } }),
  merging1st(WEBHOOKS, { name: "other.keyvault-injector.dev" }, { rules: [] }, { timeoutSeconds: 3 }, { timeoutSeconds: 9 }),
  merging1st(WEBHOOKS, { failurePolicy: "Fail" }, { matchConditions: null }, { matchPolicy: "Exact" }),
  merging1st(WEBHOOKS, { namespaceSelector: null }, { namespaceSelector: { matchLabels: { app: "a" } } }),
  merging1st(WEBHOOKS, { objectSelector: { matchLabels: { app: "a" } } }),
  shortened(WEBHOOKS),
  merging({ metadata: { annotations: { "cert-manager.io/inject-ca-from": "keyvault-injector/keyvault-injector-webhook" } } }),
  merging({ metadata: { annotations: { "cert-manager.io/inject-ca-from": "other/other" } } }),
];

const version = (patch: JsonObject): Change => merging1st(["spec", "versions"], patch);
const part = (name: "spec" | "status", patch: JsonObject): JsonObject => ({
  schema: { openAPIV3Schema: { properties: { [name]: patch } } },
});
const classSpec = (patch: JsonObject): Change => version(part("spec", { properties: patch }));

const DEFINITION: readonly Change[] = [
  merging({ spec: { scope: "Cluster" } }, { spec: { names: { singular: "other" } } }, { spec: { names: { plural: "others" } } }),
  version({ served: false }),
];

const OF_STATUS: readonly Change[] = [
  ...DEFINITION,
  version(part("status", { properties: { secrets: null, mounted: null } })),
  version(part("status", { description: "other" })),
  version(part("status", { "x-kubernetes-preserve-unknown-fields": true, properties: null })),
  version(part("status", { properties: { other: { type: "string", maxLength: 3 } } })),
];

const OF_CLASSES: readonly Change[] = [
  ...DEFINITION,
  version({ subresources: { status: {} } }),
  version(part("spec", { properties: { secretObjects: null } })),
  version(part("spec", { "x-kubernetes-preserve-unknown-fields": true, properties: null })),
  version(part("spec", { description: "other" })),
  version(part("spec", { required: ["provider"] })),
  version(part("spec", { properties: { other: { type: "string" } } })),
  classSpec({ provider: { default: "azure" } }),
  classSpec({ provider: { pattern: "^a" } }),
  classSpec({ provider: { type: "integer" } }),
  classSpec({ parameters: { additionalProperties: { maxLength: 3 } } }),
  classSpec({ parameters: { additionalProperties: null, "x-kubernetes-preserve-unknown-fields": true } }),
  classSpec({ secretObjects: { items: { properties: { labels: null } } } }),
  classSpec({ secretObjects: { items: { properties: { data: { items: { properties: { key: { enum: ["a"] } } } } } } } }),
];

/** Changes by kind or name of the component. */
const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  Service: [
    merging({ spec: { selector: { app: "a" } } }, { spec: { selector: null } }, { spec: { internalTrafficPolicy: "Local" } }),
    merging1st(["spec", "ports"], { port: 444 }, { targetPort: 8080 }, { name: "other" }),
    merging({ spec: { publishNotReadyAddresses: true } }),
  ],
  ServiceAccount: [
    merging({ secrets: [{ name: "x" }] }, { automountServiceAccountToken: true }, { automountServiceAccountToken: null }),
    merging({ imagePullSecrets: [{ name: "x" }] }),
  ],
  PodDisruptionBudget: [
    merging({ spec: { maxUnavailable: 2 } }, { spec: { maxUnavailable: null, minAvailable: 1 } }, { spec: { maxUnavailable: null } }),
    merging({ spec: { unhealthyPodEvictionPolicy: "AlwaysAllow" } }, { spec: { unhealthyPodEvictionPolicy: "IfHealthyBudget" } }),
    merging({ spec: { selector: { matchLabels: { app: "a" } } } }),
  ],
  PriorityClass: [merging({ value: 5 }, { description: "other" })],
  CSIDriver: [
    merging({ spec: { tokenRequests: [{ audience: "other" }] } }, { spec: { tokenRequests: null } }, { spec: { podInfoOnMount: false } }),
    merging({ spec: { attachRequired: true } }, { spec: { volumeLifecycleModes: ["Persistent"] } }),
    merging({ metadata: { labels: { "security.openshift.io/csi-ephemeral-volume-profile": "privileged" } } }),
  ],
  Deployment: WORKLOAD,
  MutatingWebhookConfiguration: CONFIGURATION,
  ValidatingWebhookConfiguration: CONFIGURATION,
  CustomResourceDefinition: OF_STATUS,
  "secretproviderclasses.secrets-store.csi.x-k8s.io": OF_CLASSES,
};

/** Components that the worker heals, except the node side. */
export const COMPONENTS: readonly Document[] = [
  ...readObjects(`${RELEASE}/keyvault-injector.yaml`),
  ...readObjects("components/csi-driver/csi-driver.yaml"),
].filter(({ body }) => textOf(body["kind"]) in CHANGES);

export const DEFINITIONS: readonly Document[] = readObjects(`${RELEASE}/crds.yaml`);

/** Kinds that other users can change without danger to the API server. */
const HARMLESS = ["Service", "ServiceAccount", "PodDisruptionBudget", "Deployment"];

/** Picks none, one, or two changes. A change from `ANYTHING` comes alone: if two policies refuse a write, it is random which of them answers. */
function changesOf(choices: Choices, own: readonly Change[]): readonly Change[] {
  const from = (of: readonly Change[]): Change => of[choices.below(of.length)] ?? merging({});
  return choices.weighted<() => readonly Change[]>(
    [4, () => []],
    [8, () => [from(own)]],
    [3, () => [from(ANYTHING)]],
    [2, () => [from(own), from(own)]],
  )();
}

/** Returns a write of a component, as shipped or changed, by the worker or sometimes another user. */
export function componentOperation(choices: Choices, worker: string, namespaces: readonly string[]): Operation {
  const [first, ...others] = choices.chance(0.25) ? DEFINITIONS : COMPONENTS;
  if (first === undefined) throw new Error("the release has no component");
  const { body, place, name, namespace } = choices.of(first, ...others);
  const kind = textOf(body["kind"]);
  const where = place === PLACES.services ? { namespace: namespaces[0] ?? "" } : namespace === undefined ? {} : { namespace };
  const at = { place, name, ...where };
  const isDefinition = place === PLACES.definitions;
  const isWorker = isDefinition || !HARMLESS.includes(kind) || choices.chance(0.7);
  const user = isWorker ? { user: worker } : {};
  // CRDs only as a dry run, because the comparison does not wait for their controllers.
  const dryRun = isDefinition || choices.chance(0.2) ? { dryRun: "All" } : {};
  const own = CHANGES[name] ?? CHANGES[kind] ?? [];
  const placed = { ...body, metadata: { ...objectAt(body, "metadata"), ...where } };
  const changed = changesOf(choices, own).reduce((object, change) => change(object, choices), placed as JsonObject);
  const query = { fieldManager: isWorker ? "keyvault-injector-sync" : "kubectl", force: "true", ...dryRun };
  return choices.weighted<() => Operation>(
    [12, () => ({ verb: "apply", ...at, query, body: changed, ...user })],
    [1, () => ({ verb: "merge", ...at, query: { fieldManager: query.fieldManager, ...dryRun }, body: changed, ...user })],
    [2, () => ({ verb: "delete", ...at, query: dryRun, ...(choices.chance(0.5) ? { user: worker } : {}) })],
  )();
}
