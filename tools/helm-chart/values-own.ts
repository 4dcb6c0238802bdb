/** Values of our own workloads and of what surrounds them. */
import type { Json } from "./place.ts";
import { BOOLEAN, EGRESS_RULES, LABELS, LIST, MAP, NAME, NUMBER, PULL_POLICY, TEXT, type ValueRow } from "./value-row.ts";

/** What the manifests say already; the chart's defaults are read there. */
export interface ManifestDefaults {
  readonly image: string;
  readonly resources: Readonly<Record<"webhook" | "sync", Json>>;
}

function workloadRows(component: "webhook" | "sync", { resources }: ManifestDefaults): readonly ValueRow[] {
  return [
    { path: `${component}.replicas`, default: 2, type: NUMBER, meaning: "pods of it" },
    { path: `${component}.resources`, default: resources[component], type: MAP, meaning: "requests and limits" },
    { path: `${component}.nodeSelector`, default: {}, type: LABELS, meaning: "further labels that a node must have" },
    { path: `${component}.tolerations`, default: [], type: LIST, meaning: "taints that are tolerated" },
    { path: `${component}.affinity`, default: {}, type: MAP, meaning: "affinity of the pods, beside the spread over zones and nodes" },
    {
      path: `${component}.priorityClassName`,
      default: "keyvault-injector",
      type: TEXT,
      meaning: "PriorityClass; the default's comes with the chart",
    },
    { path: `${component}.podLabels`, default: {}, type: LABELS, meaning: "further labels of the pods" },
    { path: `${component}.podAnnotations`, default: {}, type: LABELS, meaning: "annotations of the pods" },
  ];
}

export function ownRows(defaults: ManifestDefaults): readonly ValueRow[] {
  return [
    { path: "image", default: defaults.image, type: NAME, meaning: "our image, whole: build it and push it yourself" },
    { path: "imagePullPolicy", default: "IfNotPresent", type: PULL_POLICY, meaning: "when it is pulled" },
    {
      path: "nodeNamespace",
      default: "kube-system",
      type: NAME,
      meaning:
        "namespace of driver and provider, which must be allowed privileged pods; component healing looks for them in `kube-system` only",
    },
    { path: "openshift", default: false, type: BOOLEAN, meaning: "what OpenShift's security context constraints need; never run there" },
    {
      path: "preset",
      default: "",
      type: { enum: ["", "extension"] },
      meaning: "`extension`: what is not given is as the Azure extension has it, the node's managed identity for every class among it",
    },
    {
      path: "classAuthors",
      default: "warn",
      type: { enum: ["warn", "deny"] },
      meaning: "what happens to a class whose author has not the rights that it uses; `deny` is `manifests/overlays/strict`",
    },
    ...workloadRows("webhook", defaults),
    ...workloadRows("sync", defaults),
    { path: "sync.volumes", default: [], type: LIST, meaning: "further volumes, such as the ConfigMap for `cloudEnvDir`" },
    { path: "sync.volumeMounts", default: [], type: LIST, meaning: "where they are mounted" },
    {
      path: "certManager.enabled",
      default: false,
      type: BOOLEAN,
      meaning: "cert-manager, which is there before, issues the webhook's certificate and publishes its CA",
    },
    {
      path: "certManager.issuerRef.name",
      default: "",
      type: TEXT,
      meaning: "issuer of the certificate, whose Secret has `ca.crt`; empty for a CA of the install's own",
    },
    {
      path: "certManager.issuerRef.kind",
      default: "Issuer",
      type: TEXT,
      meaning: "`Issuer`, in the release's namespace, or `ClusterIssuer`; of another group also another kind",
    },
    {
      path: "certManager.issuerRef.group",
      default: "",
      type: TEXT,
      meaning: "API group of the issuer, where it is not cert-manager's own",
    },
    {
      path: "clientCA.configMap",
      default: "",
      type: TEXT,
      meaning: "ConfigMap of the release's namespace with the CAs of API servers: nobody else gets an answer of the webhook",
    },
    { path: "clientCA.secret", default: "", type: TEXT, meaning: "the same in a Secret" },
    { path: "clientCA.key", default: "ca.crt", type: TEXT, meaning: "which of its keys, in PEM" },
    {
      path: "uninstallHook.enabled",
      default: true,
      type: BOOLEAN,
      meaning: "a Job that runs `uninstall --prepare` before `helm uninstall` deletes anything",
    },
    { path: "networkPolicies.enabled", default: false, type: BOOLEAN, meaning: "who may talk to our pods, and to whom they may talk" },
    {
      path: "networkPolicies.metricsNamespaceSelector",
      default: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
      type: MAP,
      meaning: "namespaces that may read the metrics; empty for none",
    },
    {
      path: "networkPolicies.extraEgress",
      default: [],
      type: EGRESS_RULES,
      meaning: "further egress rules, such as a proxy's port; each names peers or ports",
    },
  ];
}
