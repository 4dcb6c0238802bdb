/** Change of a file that switches a practice off. `from` is text in the file. Its first occurrence is replaced. */
export interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Changes for a row of docs/evidence/good-practices.md that switch its practice off. One of the tests in the row must then fail. */
export interface SwitchedOff {
  readonly row: number;
  readonly what: string;
  /** Index of the test in the row, from 0. */
  readonly test: number;
  readonly edits: readonly Edit[];
}

const CONFIGURATION = "manifests/base/webhook-configuration.yaml";
const PREFLIGHT = "manifests/base/preflight-configuration.yaml";
const DEPLOYMENT = "manifests/base/webhook.yaml";
const RBAC = "manifests/base/webhook-rbac.yaml";
const POD_VOLUME = "manifests/policies/pod-volume.yaml";
const PATCH = "src/domain/injection/patch.ts";
const RESPONSE = "src/domain/admission/response.ts";
const LOOKUP = "src/webhook/live-lookup.ts";
const CONDITION = `object.metadata.?annotations.orValue({}).exists(key, key.startsWith('keyvault-injector.dev/')) ||
          (object.metadata.?labels.orValue({}).exists(key, key.startsWith('keyvault-injector.dev/')) &&
          !object.metadata.?ownerReferences.orValue([]).exists(owner, owner.?controller.orValue(false)))`;

interface Off {
  readonly test?: number;
}

function off(row: number, what: string, [file, from, to]: readonly [string, string, string], { test = 0 }: Off = {}): SwitchedOff {
  return { row, what, test, edits: [{ file, from, to }] };
}

export const SWITCHED_OFF: readonly SwitchedOff[] = [
  off(1, "the final check is no policy", ["manifests/policies/kustomization.yaml", "  - pod-volume.yaml\n", ""]),
  off(2, "a field takes anything", [
    "manifests/crds/secretproviderclasssyncs.yaml",
    "            metadata:\n              type: object\n",
    "            metadata:\n              type: object\n              x-kubernetes-preserve-unknown-fields: true\n",
  ]),
  off(3, "the cache is not used", [LOOKUP, "if (cached !== undefined) {", "if (cached === null) {"]),
  off(3, "pods do not share a read", [LOOKUP, "    running.set(key, started);\n", ""], { test: 1 }),
  off(4, "one webhook has another server", [PREFLIGHT, "name: keyvault-injector-webhook", "name: keyvault-injector-preflight"]),
  off(5, "the bundle is written again and again", [
    "src/domain/certificates/publication-policy.ts",
    "caBundle !== wanted",
    "caBundle !== undefined",
  ]),
  off(6, "a timeout of 30 seconds", [CONFIGURATION, "timeoutSeconds: 5", "timeoutSeconds: 30"]),
  off(6, "the default timeout", [PREFLIGHT, "    timeoutSeconds: 2\n", ""]),
  off(7, "one replica", [DEPLOYMENT, "replicas: 2", "replicas: 1"]),
  off(7, "a gap between replicas", [DEPLOYMENT, "maxUnavailable: 0", "maxUnavailable: 1"]),
  off(8, "not spread over zones", [DEPLOYMENT, "topologyKey: topology.kubernetes.io/zone", "topologyKey: kubernetes.io/hostname"]),
  off(8, "no priority", [DEPLOYMENT, "      priorityClassName: keyvault-injector\n", ""]),
  off(8, "both replicas may be disrupted", [DEPLOYMENT, "maxUnavailable: 1", "maxUnavailable: 2"]),
  off(9, "kube-system is matched", [CONFIGURATION, "            - kube-system\n", ""]),
  off(9, "leases are matched", [CONFIGURATION, "resources: [pods]", "resources: [pods, leases]"]),
  off(10, "every namespace", [CONFIGURATION, "operator: NotIn", "operator: Exists"]),
  off(11, "every pod is sent", [CONFIGURATION, CONDITION, "true"]),
  off(12, "the exact version only", [CONFIGURATION, "matchPolicy: Equivalent", "matchPolicy: Exact"]),
  off(13, "one field more than needed", [PATCH, "      driver: CSI_DRIVER,", '      driver: CSI_DRIVER,\n      fsType: "tmpfs",']),
  off(14, "volumes are overwritten", [
    PATCH,
    '[...itemsIn(spec["volumes"]), ...plan.volumes.map(volumeFor)]',
    "plan.volumes.map(volumeFor)",
  ]),
  off(15, "labels are overwritten", [PATCH, '...membersOf(metadata["labels"]), ', ""]),
  off(16, "side effects are declared", [CONFIGURATION, "sideEffects: None", "sideEffects: NoneOnDryRun"]),
  off(16, "side effects are possible", [RBAC, "verbs: [get, list, watch]", "verbs: [get, list, watch, create]"]),
  off(17, "its own pods are matched", [CONFIGURATION, "            - keyvault-injector\n", ""]),
  off(18, "its own pods need the driver", [
    DEPLOYMENT,
    "      containers:\n        - name: webhook\n",
    "      volumes:\n        - name: loop\n          csi: { driver: secrets-store.csi.k8s.io, readOnly: true }\n      containers:\n        - name: webhook\n",
  ]),
  off(19, "it fails closed", [CONFIGURATION, "failurePolicy: Ignore", "failurePolicy: Fail"]),
  off(19, "the final state is not checked", [POD_VOLUME, "validationActions: [Deny]", "validationActions: [Audit]"], { test: 1 }),
  off(20, "containers are rebuilt from the fields that are known", [
    PATCH,
    "{ ...container, ...listsOf(container, added) }",
    '{ name: container["name"], image: container["image"], ...listsOf(container, added) }',
  ]),
  off(21, "Secrets that the worker writes are matched", [CONFIGURATION, "resources: [pods]", "resources: [pods, secrets]"]),
  off(22, "mirror pods are mutated", [
    "src/domain/injection/pod-admission.ts",
    '  if (pod.annotations[MIRROR_POD] !== undefined) return decided(unchanged("MirrorPod"));\n',
    "",
  ]),
  off(23, "no reinvocation", [CONFIGURATION, "reinvocationPolicy: IfNeeded", "reinvocationPolicy: Never"]),
  off(
    23,
    "no reinvocation, seen by a later webhook's containers",
    [CONFIGURATION, "reinvocationPolicy: IfNeeded", "reinvocationPolicy: Never"],
    {
      test: 1,
    },
  ),
  off(24, "its own volume is not recognised", ["src/domain/injection/class-volume.ts", "if (own !== undefined) {", "if (own === null) {"]),
  off(
    24,
    "its own volume is not recognised, next to competing webhooks",
    ["src/domain/injection/class-volume.ts", "if (own !== undefined) {", "if (own === null) {"],
    { test: 1 },
  ),
  off(25, "the injected pod is not restricted any more", [
    PATCH,
    "    spec: {\n      ...spec,",
    "    spec: {\n      ...spec,\n      hostNetwork: true,",
  ]),
  off(
    25,
    "a path may be mounted twice",
    ["src/domain/injection/plan.ts", '    if (collision.kind === "refused") return failed(collision.denial);\n', ""],
    { test: 1 },
  ),
  off(26, "the current API server only", ["test/support/cluster/api-server-versions.ts", '["1.36", "1.34"]', '["1.36"]']),
  off(27, "what a later webhook takes away is not missed", [POD_VOLUME, ": variables.missing.size() > 0 ?", ": false ?"]),
  off(28, "a CA comes with the manifests", [CONFIGURATION, "    clientConfig:\n", "    clientConfig:\n      caBundle: Cg==\n"]),
  off(29, "it may change any webhook configuration", [RBAC, "    resourceNames: [keyvault-injector]\n", ""]),
  off(29, "it may write any Secret of its namespace", [RBAC, "    resourceNames: [keyvault-injector-ca]\n", ""]),
  off(30, "long warnings", [RESPONSE, "WARNING_LENGTH = 120", "WARNING_LENGTH = 300"]),
  off(31, "an old version is registered", [CONFIGURATION, "admissionReviewVersions: [v1]", "admissionReviewVersions: [v1, v1beta1]"]),
  off(
    31,
    "the answer is in another version",
    [RESPONSE, "{ apiVersion: ADMISSION_API_VERSION, kind", '{ apiVersion: "admission.k8s.io/v1beta1" as never, kind'],
    { test: 1 },
  ),
  off(32, "no alert where the API server goes on without us", [
    "manifests/components/monitoring/alerts/admission.yaml",
    "apiserver_admission_webhook_fail_open_count",
    "up",
  ]),
  off(32, "no audit annotation", [RESPONSE, "auditAnnotations: { skipped: decision.reason }", ""], { test: 1 }),
];
