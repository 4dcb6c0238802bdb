/** Values of our own workloads and of what surrounds them. */
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
  NUMBER,
  OBJECTS,
  POD_SECURITY,
  PULL_POLICY,
  TEXT,
  TEXTS,
  VARIABLES,
  type ValueRow,
} from "./value-row.ts";

/** What the manifests say already; the chart's defaults are read there. */
export interface ManifestDefaults {
  /** Our image without its tag, which is the chart's version. */
  readonly repository: string;
  readonly resources: Readonly<Record<"webhook" | "sync", Json>>;
}

/** Sentences above keys that hold other values. */
export const GROUPS: Readonly<Record<string, string>> = {
  injection: "How pods get their volumes.",
  image: "The image of webhook and worker. A whole name as text, `registry.example.com/app:tag` or `…@sha256:…`, is taken as well.",
  webhook: "The admission webhook, which adds volumes to annotated pods.",
  sync: "The worker, which syncs objects of vaults into Secrets and heals the install.",
  certManager: "Who issues the webhook's serving certificate. By default the webhook does, and needs nothing for it.",
  clientCA: "Which clients the webhook answers. By default everybody who reaches its port.",
  uninstallHook: "What happens before `helm uninstall` deletes anything.",
  networkPolicies: "Who may reach our pods, and whom our pods may reach.",
  monitoring:
    "What Prometheus and Grafana need, made from manifests/components/monitoring and metrics-service. All of it is off by default.",
};

const RESTRICTED = "What PodSecurity's level `restricted` forbids is refused: the install's namespace is meant to be held to it.";

function workloadRows(component: "webhook" | "sync", { resources }: ManifestDefaults): readonly ValueRow[] {
  const who = component === "webhook" ? "the webhook" : "the worker";
  const replicas =
    component === "webhook"
      ? "All of them answer. Add some where the API server's requests wait; healing undoes `kubectl scale`."
      : "One leads and the others wait to take over. Two are enough, however many classes there are.";
  const rows: readonly (readonly [path: string, fallback: Json, type: ValueRow["type"], meaning: string])[] = [
    ["replicas", 2, NUMBER, `Pods of ${who}. ${replicas}`],
    ["resources", resources[component], MAP, `Requests and limits of ${who}. Raise the memory limit where the container is killed for it.`],
    ["nodeSelector", {}, LABELS, "Labels that a node must have, beside `kubernetes.io/os: linux`."],
    ["tolerations", [], LIST, "Taints that the pods tolerate."],
    ["affinity", {}, MAP, "Affinity of the pods. They are spread over zones and nodes without it."],
    [
      "priorityClassName",
      "keyvault-injector",
      TEXT,
      "PriorityClass of the pods. The default's object comes with the chart; empty for none.",
    ],
    ["podLabels", {}, LABELS, "Labels that the pods have besides."],
    ["podAnnotations", {}, LABELS, "Annotations of the pods, such as those of a service mesh."],
    [
      "podSecurityContext",
      {},
      POD_SECURITY,
      `Fields of the pods' securityContext, over the chart's own (user and group 65532, \`RuntimeDefault\`). ${RESTRICTED}`,
    ],
    [
      "securityContext",
      {},
      CONTAINER_SECURITY,
      `Fields of the container's securityContext, beside the chart's own (nothing is writable, nothing privileged). ${RESTRICTED}`,
    ],
    ["extraEnv", [], VARIABLES, "Environment variables of the container, as Kubernetes writes them, after the chart's own."],
    [
      "extraArgs",
      [],
      TEXTS,
      "Arguments of the process, after the chart's own. For a setting that has a value take the value: it also gives the rights that go with it.",
    ],
    ["serviceAccount.annotations", {}, LABELS, `Annotations of ${who}'s ServiceAccount.`],
    ["serviceAccount.labels", {}, COMMON_LABELS, `Labels of ${who}'s ServiceAccount.`],
  ];
  return rows.map(([path, fallback, type, meaning]) => ({ path: `${component}.${path}`, default: fallback, type, meaning }));
}

const monitoringRows: readonly ValueRow[] = [
  {
    path: "monitoring.service.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Makes a headless Service for each process, by which a Prometheus without the operator finds the pods.",
  },
  { path: "monitoring.service.labels", default: {}, type: LABELS, meaning: "Labels of these Services." },
  {
    path: "monitoring.service.annotations",
    default: {},
    type: LABELS,
    meaning: "Annotations of these Services, over `prometheus.io/scrape`, `port` and `path`.",
  },
  {
    path: "monitoring.podMonitor.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Makes a PodMonitor, by which the Prometheus operator scrapes both processes. The cluster must serve its kinds.",
  },
  { path: "monitoring.podMonitor.labels", default: {}, type: LABELS, meaning: "Labels by which your Prometheus selects PodMonitors." },
  {
    path: "monitoring.podMonitor.interval",
    default: "",
    type: { type: ["string", "null"], pattern: "^([0-9]+(ms|s|m|h))*$" },
    meaning: "How often the pods are scraped. Empty for what your Prometheus does.",
  },
  {
    path: "monitoring.prometheusRule.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Makes the alerts, as PrometheusRules. The cluster must serve the Prometheus operator's kinds.",
  },
  { path: "monitoring.prometheusRule.labels", default: {}, type: LABELS, meaning: "Labels by which your Prometheus selects rules." },
  {
    path: "monitoring.prometheusRule.runbookUrl",
    default: "",
    type: TEXT,
    meaning: "Address below which the runbooks are, where you keep a copy of your own: in alerts and dashboard. Empty for the project's.",
  },
  {
    path: "monitoring.dashboard.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Makes a ConfigMap with the Grafana dashboard, which Grafana's sidecar loads.",
  },
  {
    path: "monitoring.dashboard.labels",
    default: {},
    type: LABELS,
    meaning: 'Labels of that ConfigMap, beside `grafana_dashboard: "1"`, which the sidecar looks for by default.',
  },
  {
    path: "monitoring.dashboard.annotations",
    default: {},
    type: LABELS,
    meaning: "Annotations of that ConfigMap, such as the folder that Grafana's sidecar reads there.",
  },
];

const certificateRows: readonly ValueRow[] = [
  {
    path: "certManager.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Has cert-manager issue the webhook's certificate and publish its CA. It must be installed before, its cainjector included.",
  },
  {
    path: "certManager.issuerRef.name",
    default: "",
    type: TEXT,
    meaning: "The issuer to take, whose Secrets have `ca.crt`. Empty for a CA of the install's own.",
  },
  {
    path: "certManager.issuerRef.kind",
    default: "Issuer",
    type: TEXT,
    meaning: "`Issuer`, in the release's namespace, or `ClusterIssuer`. Another kind only with the group that has it.",
  },
  {
    path: "certManager.issuerRef.group",
    default: "",
    type: TEXT,
    meaning: "The issuer's API group. Empty for cert-manager's own.",
  },
  {
    path: "clientCA.configMap",
    default: "",
    type: TEXT,
    meaning:
      "ConfigMap of the release's namespace with the CAs of your API servers' client certificates. With it nobody else gets an answer.",
  },
  { path: "clientCA.secret", default: "", type: TEXT, meaning: "A Secret instead of the ConfigMap. Give one of the two." },
  { path: "clientCA.key", default: "ca.crt", type: TEXT, meaning: "The key of ConfigMap or Secret that holds the CAs, in PEM." },
];

const networkRows: readonly ValueRow[] = [
  {
    path: "networkPolicies.enabled",
    default: false,
    type: BOOLEAN,
    meaning: "Makes NetworkPolicies for webhook and worker. Switch it on where the cluster's network plugin enforces them.",
  },
  {
    path: "networkPolicies.metricsNamespaceSelector",
    default: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
    type: MAP,
    meaning: "Namespaces that may read the metrics. Empty for none.",
  },
  {
    path: "networkPolicies.extraEgress",
    default: [],
    type: EGRESS_RULES,
    meaning: "Egress rules besides DNS, 443 and 6443, such as the port of a proxy. Each names peers or ports.",
  },
];

const imageRows = ({ repository }: ManifestDefaults): readonly ValueRow[] => [
  {
    path: "image.repository",
    default: repository,
    type: NAME,
    meaning: "Where the image is, without tag and digest. Set it to the registry that you push to.",
  },
  { path: "image.tag", default: "", type: TEXT, meaning: "Tag of the image. Empty for the chart's appVersion, which it is made for." },
  { path: "image.digest", default: "", type: TEXT, meaning: "Digest of the image, `sha256:…`. Given, the tag is not used." },
  { path: "image.pullPolicy", default: "IfNotPresent", type: PULL_POLICY, meaning: "When nodes pull the image." },
  {
    path: "imagePullPolicy",
    default: "",
    type: { enum: ["", ...PULL_POLICY.enum] },
    meaning: "The name that `image.pullPolicy` had up to 0.4.0. It still works, and wins where it is given.",
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
        "`extension` takes for what is not given what the Azure extension does: no sync into Secrets, no rotation, the node's managed identity for every class. Set it to come from the extension without a change.",
    },
    {
      path: "classAuthors",
      default: "warn",
      type: { enum: ["warn", "deny"] },
      meaning:
        "What happens to a class whose author lacks the rights that it would use: a warning, or `deny`. Deny in clusters of several tenants (`manifests/overlays/strict`).",
    },
    {
      path: "injection.mode",
      default: "webhook",
      type: { enum: ["webhook", "policy", "both"] },
      meaning:
        "Who injects pods: the webhook, policies of the API server (Kubernetes 1.36), or `both` for the time of a move. See `docs/reference/injection-modes.md`.",
    },
    {
      path: "commonLabels",
      default: {},
      type: COMMON_LABELS,
      meaning: "Labels of every object of the chart and of webhook's and worker's pods. Selectors stay as they are.",
    },
    ...workloadRows("webhook", defaults),
    ...workloadRows("sync", defaults),
    {
      path: "sync.volumes",
      default: [],
      type: LIST,
      meaning: "Volumes of the worker's pods besides, such as the ConfigMap for `cloudEnvDir`.",
    },
    { path: "sync.volumeMounts", default: [], type: LIST, meaning: "Where the worker's container mounts them." },
    ...monitoringRows,
    ...networkRows,
    ...certificateRows,
    {
      path: "uninstallHook.enabled",
      default: true,
      type: BOOLEAN,
      meaning:
        "Runs `uninstall --prepare` in a Job, so that nothing is healed any more and no pod waits for a webhook that is gone. Switch it off where no Job can run, and run the command by hand.",
    },
    {
      path: "nodeNamespace",
      default: "kube-system",
      type: NAME,
      meaning:
        "Namespace of driver and provider, which must admit privileged pods. Component healing looks for them in `kube-system` alone.",
    },
    {
      path: "openshift",
      default: false,
      type: BOOLEAN,
      meaning: "What OpenShift's security context constraints need. The project has never run there.",
    },
    {
      path: "extraObjects",
      default: [],
      type: OBJECTS,
      meaning: "Objects of yours that are installed with the release, as maps, or as texts in which templates are evaluated.",
    },
  ];
}
