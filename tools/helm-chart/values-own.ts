/** Values of our own workloads and of the objects around them. */
import type { Json } from "./place.ts";
import {
  BOOLEAN,
  COMMON_LABELS,
  CONTAINER_SECURITY,
  EGRESS_RULES,
  LABELS,
  LIST,
  MAP,
  NAME,
  OBJECTS,
  POD_SECURITY,
  PULL_POLICY,
  REPLICAS,
  TEXT,
  TEXTS,
  VARIABLES,
  type ValueRow,
} from "./value-row.ts";
import { monitoringRows } from "./values-monitoring.ts";

/** The chart's defaults that the manifests contain already. */
export interface ManifestDefaults {
  /** Our image without its tag, because the tag is the chart's version. */
  readonly repository: string;
  readonly resources: Readonly<Record<"webhook" | "sync", Json>>;
}

/** Descriptions of keys that hold other values. */
export const GROUPS: Readonly<Record<string, string>> = {
  injection: "How pods get their volumes.",
  image:
    "The image of the webhook and the worker. You can also give its full name as a string, such as `registry.example.com/app:tag` or `…@sha256:…`.",
  webhook: "The admission webhook, which adds volumes to annotated pods.",
  sync: "The worker, which syncs vault objects to Secrets and heals the install.",
  certManager: "Who issues the webhook's serving certificate. By default, the webhook issues it itself.",
  clientCA: "Which clients can use the webhook. By default, anyone who can reach its port can use it.",
  uninstallHook: "What happens before `helm uninstall` deletes anything.",
  networkPolicies: "Network traffic allowed to and from the project's pods.",
  monitoring: "Objects for Prometheus and Grafana, from manifests/components/monitoring and metrics-service. All are off by default.",
};

const RESTRICTED = "The chart rejects fields that violate Pod Security's `restricted` level";

function workloadRows(component: "webhook" | "sync", { resources }: ManifestDefaults): readonly ValueRow[] {
  const who = component === "webhook" ? "the webhook" : "the worker";
  const replicas =
    component === "webhook"
      ? "All of them serve requests. Increase the number if the alert `KeyVaultInjectorAdmissionSlow` fires. Do not use `kubectl scale`, because healing reverts it."
      : "Each shard has one leader, and the other pods are on standby. Set this number to one more than `shards`.";
  const rows: readonly (readonly [path: string, fallback: Json, type: ValueRow["type"], meaning: string])[] = [
    ["replicas", 2, REPLICAS, `Number of pods of ${who}. ${replicas}`],
    [
      "resources",
      resources[component],
      MAP,
      `Resource requests and limits of ${who}. Raise the memory limit if the container is OOM-killed.`,
    ],
    ["nodeSelector", {}, LABELS, "Labels that a node must have, in addition to `kubernetes.io/os: linux`."],
    ["tolerations", [], LIST, "Taints that the pods tolerate."],
    ["affinity", {}, MAP, "Affinity of the pods. Without affinity, the pods are still spread across zones and nodes."],
    [
      "priorityClassName",
      "keyvault-injector",
      TEXT,
      "PriorityClass of the pods. The chart creates the default PriorityClass. If empty, the pods have no PriorityClass.",
    ],
    ["podLabels", {}, LABELS, "Additional labels of the pods."],
    ["podAnnotations", {}, LABELS, "Annotations of the pods, such as those of a service mesh."],
    [
      "podSecurityContext",
      {},
      POD_SECURITY,
      component === "webhook"
        ? `Fields of the pods' securityContext, which override the chart's own (user and group 65532, \`RuntimeDefault\`). ${RESTRICTED}, which the install's namespace should enforce.`
        : "Fields of the pods' securityContext, as for `webhook.podSecurityContext`.",
    ],
    [
      "securityContext",
      {},
      CONTAINER_SECURITY,
      component === "webhook"
        ? `Fields of the container's securityContext, in addition to the chart's own (read-only, unprivileged). ${RESTRICTED}.`
        : "Fields of the container's securityContext, as for `webhook.securityContext`.",
    ],
    ["extraEnv", [], VARIABLES, "Additional environment variables of the container."],
    [
      "extraArgs",
      [],
      TEXTS,
      component === "webhook"
        ? "Additional arguments of the process. If the chart has a value for a setting, use the value, which also grants the necessary permissions."
        : "Additional arguments of the process, as for `webhook.extraArgs`.",
    ],
    ["serviceAccount.annotations", {}, LABELS, `Annotations of ${who}'s ServiceAccount.`],
    ["serviceAccount.labels", {}, COMMON_LABELS, `Labels of ${who}'s ServiceAccount.`],
  ];
  return rows.map(([path, fallback, type, meaning]) => ({ path: `${component}.${path}`, default: fallback, type, meaning }));
}

const certificateRows: readonly ValueRow[] = [
  {
    path: "certManager.enabled",
    default: false,
    type: BOOLEAN,
    meaning:
      "Makes cert-manager issue the webhook's certificate and publish its CA. Install cert-manager, including its cainjector, first.",
  },
  {
    path: "certManager.issuerRef.name",
    default: "",
    type: TEXT,
    meaning:
      "Name of an issuer that writes `ca.crt` to the Secrets of its certificates. If empty, cert-manager issues the certificate from a CA that the chart creates for the install.",
  },
  {
    path: "certManager.issuerRef.kind",
    default: "Issuer",
    type: TEXT,
    meaning: "`Issuer` (in the release's namespace) or `ClusterIssuer`. For any other kind, also set `group`.",
  },
  {
    path: "certManager.issuerRef.group",
    default: "",
    type: TEXT,
    meaning: "The issuer's API group. If empty, the chart uses cert-manager's own group.",
  },
  {
    path: "clientCA.configMap",
    default: "",
    type: TEXT,
    meaning:
      "ConfigMap in the release's namespace with the CAs of your API servers' client certificates. If set, the webhook rejects all clients without such a certificate.",
  },
  { path: "clientCA.secret", default: "", type: TEXT, meaning: "Secret to use instead of the ConfigMap." },
  {
    path: "clientCA.key",
    default: "ca.crt",
    type: TEXT,
    meaning: "Key of the ConfigMap or Secret under which the CAs are stored, in PEM format.",
  },
];

const networkRows: readonly ValueRow[] = [
  {
    path: "networkPolicies.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Creates NetworkPolicies for the webhook and the worker. Enable them if the cluster's network plugin supports them.",
  },
  {
    path: "networkPolicies.metricsNamespaceSelector",
    default: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
    type: MAP,
    meaning: "Labels of the namespaces whose pods can read the metrics. If empty, no pods can read the metrics.",
  },
  {
    path: "networkPolicies.extraEgress",
    default: [],
    type: EGRESS_RULES,
    meaning: "Egress rules in addition to DNS and the ports 443 and 6443, for example for a proxy. Each rule must specify peers or ports.",
  },
];

const imageRows = ({ repository }: ManifestDefaults): readonly ValueRow[] => [
  {
    path: "image.repository",
    default: repository,
    type: NAME,
    meaning: "Image name without tag and digest. Set it to the name of the image in the registry that you push to.",
  },
  { path: "image.tag", default: "", type: TEXT, meaning: "Image tag. If empty, the chart uses its appVersion." },
  { path: "image.digest", default: "", type: TEXT, meaning: "Image digest, `sha256:…`, which overrides the tag." },
  { path: "image.pullPolicy", default: "IfNotPresent", type: PULL_POLICY, meaning: "When nodes pull the image." },
  {
    path: "imagePullPolicy",
    default: "",
    type: { enum: ["", ...PULL_POLICY.enum] },
    meaning: "Deprecated name of `image.pullPolicy`, used up to 0.4.0. If set, it takes precedence over `image.pullPolicy`.",
  },
];

export function ownRows(defaults: ManifestDefaults): readonly ValueRow[] {
  return [
    ...imageRows(defaults),
    {
      path: "preset",
      default: "",
      type: { enum: ["", "extension"] },
      meaning:
        "`extension` changes the defaults to those of the Azure extension: no sync to Secrets, no rotation, and the node's managed identity for every class. Set it to migrate from the extension without a change in behavior.",
    },
    {
      path: "classAuthors",
      default: "warn",
      type: { enum: ["warn", "deny"] },
      meaning:
        "What the API server does if the author of a class lacks the permissions that the class would use. With `warn`, it returns a warning. With `deny`, it rejects the class. Use `deny` in multi-tenant clusters.",
    },
    {
      path: "injection.mode",
      default: "webhook",
      type: { enum: ["webhook", "policy", "both"] },
      meaning:
        "What injects pods: `webhook`, `policy` (an admission policy in the API server, which requires Kubernetes 1.36), or `both` (during a migration). For details, see `docs/reference/injection-modes.md`.",
    },
    {
      path: "commonLabels",
      default: {},
      type: COMMON_LABELS,
      meaning:
        "Additional labels of every object in the chart, and of the pods of the webhook and the worker. The chart does not add these labels to selectors.",
    },
    ...workloadRows("webhook", defaults),
    ...workloadRows("sync", defaults),
    {
      path: "sync.volumes",
      default: [],
      type: LIST,
      meaning: "Additional volumes of the worker's pods, such as the ConfigMap for `cloudEnvDir`.",
    },
    { path: "sync.volumeMounts", default: [], type: LIST, meaning: "Mounts of the volumes in `sync.volumes` in the worker's container." },
    ...monitoringRows,
    ...networkRows,
    ...certificateRows,
    {
      path: "uninstallHook.enabled",
      default: true,
      type: BOOLEAN,
      meaning:
        "Before an uninstall, runs `uninstall --prepare` in a Job, so that healing stops, and no pod is denied because the webhook is gone. If Jobs cannot run in your cluster, disable the hook, and run the command yourself.",
    },
    {
      path: "nodeNamespace",
      default: "kube-system",
      type: NAME,
      meaning:
        "Namespace of the driver and the provider. It must admit privileged pods. The worker can heal the driver and the provider (`healNodeSide`) only in `kube-system`.",
    },
    {
      path: "openshift",
      default: false,
      type: BOOLEAN,
      meaning: "Adapts the install to OpenShift's security context constraints. This value is untested.",
    },
    {
      path: "extraObjects",
      default: [],
      type: OBJECTS,
      meaning: "Your own objects to install with the release, as maps or as template strings.",
    },
  ];
}
