/**
 * Every setting of both processes: flag `--name`, environment variable `KEYVAULT_INJECTOR_NAME`, the flag wins.
 * `docs/reference/settings.md` is made from this table.
 */
import { EVERY_NAMESPACE, IDENTITY_MODES } from "../domain/provider-class/operator-limits.ts";
import { RESTART_MODES } from "../domain/rollout/controls.ts";
import { SYNC_MODES } from "../domain/schedule/class-annotations.ts";

export type SettingKind =
  | { readonly kind: "boolean" }
  | { readonly kind: "text" }
  | { readonly kind: "cloud" }
  | { readonly kind: "port" }
  /** 1 and more. */
  | { readonly kind: "count" }
  | { readonly kind: "duration"; readonly minimumMs: number }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** When restarts may begin. */
  | { readonly kind: "window" }
  | { readonly kind: "list"; readonly choices?: readonly string[] }
  /** Queues that events of vaults come from. */
  | { readonly kind: "eventQueues" }
  /** `every`: a word for all of them. */
  | { readonly kind: "namespaces"; readonly every?: string };

/** The two that run in the cluster. */
export const PROCESSES = ["webhook", "sync"] as const;
export type Process = (typeof PROCESSES)[number];

export interface Setting {
  /** Which process does anything with it; the other one takes it all the same, so that both may be given one list. */
  readonly usedBy: Process | "both";
  readonly type: SettingKind;
  /** As the user would write it. */
  readonly default: string;
  /** One sentence for `--help` and the reference page. */
  readonly help: string;
  /** Other environment variable that supplies the default, set by the downward API. */
  readonly environment?: string;
}

const MINIMUM_POLL_MS = 10_000;

export const SETTINGS = {
  "sync-secret": { usedBy: "sync", type: { kind: "boolean" }, default: "true", help: "Mirror secretObjects into Kubernetes Secrets." },
  "enable-secret-rotation": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Look for new object versions at every poll.",
  },
  "rotation-poll-interval": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: MINIMUM_POLL_MS },
    default: "2m",
    help: "Longest time between two checks of a class against its vault.",
  },
  "event-queues": {
    usedBy: "sync",
    type: { kind: "eventQueues" },
    default: "",
    help: "Queues of Azure Storage that tell of new versions, each an address with who the worker signs in as; polls alone where not given.",
  },
  "sync-mode": {
    usedBy: "sync",
    type: { kind: "choice", choices: SYNC_MODES },
    default: "always",
    help: "Which classes are mirrored without an annotation of their own.",
  },
  "unused-grace": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "5m",
    help: "How long the Secrets of a while-used class stay after the last pod that mounted it.",
  },
  "expiry-warning": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "720h",
    help: "How long before an object expires its class is warned.",
  },
  "restart-workloads": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Restart workloads that ask for it when the versions that they use change.",
  },
  "restart-mode": {
    usedBy: "sync",
    type: { kind: "choice", choices: RESTART_MODES },
    default: "act",
    help: "Whether restarts begin, are only reported, or wait.",
  },
  "restart-window": {
    usedBy: "sync",
    type: { kind: "window" },
    default: "always",
    help: "When restarts may begin where neither the workload nor its Namespace says so.",
  },
  "restart-argo-rollouts": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Restart Rollouts of Argo Rollouts beside Deployments.",
  },
  "respect-disruption-budgets": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Begin a restart only where the PodDisruptionBudgets of its pods allow a disruption.",
  },
  "max-rollouts": {
    usedBy: "sync",
    type: { kind: "count" },
    default: "9999",
    help: "Workloads of the cluster that are restarted at the same time.",
  },
  "max-rollouts-per-namespace": {
    usedBy: "sync",
    type: { kind: "count" },
    default: "1",
    help: "Workloads of a namespace that are restarted at the same time.",
  },
  "rollout-timeout": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 1_000 },
    default: "10m",
    help: "Time without progress after which a restart has failed and stops those after it.",
  },
  "mounted-files-grace": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "10m",
    help: "How long after a new version a restart waits for the driver to bring mounted files up to date.",
  },
  namespaces: {
    usedBy: "sync",
    type: { kind: "namespaces" },
    default: "",
    help: "Namespaces whose classes are mirrored; all where not given.",
  },
  "credentials-secret-names": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "secrets-store-creds",
    help: "Names of Secrets that may hold service-principal credentials.",
  },
  "allowed-vaults": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "",
    help: "Vaults that classes may be mirrored from; all where not given.",
  },
  "allowed-identity-modes": {
    usedBy: "sync",
    type: { kind: "list", choices: IDENTITY_MODES },
    default: "",
    help: "Identities that classes may be mirrored with; all where not given.",
  },
  "identity-bindings": {
    usedBy: "both",
    type: { kind: "boolean" },
    default: "false",
    help: "Mirror classes with useAzureTokenProxy, by the token proxy of an AKS cluster that has identity bindings.",
  },
  "token-proxy-url": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Address of the token proxy for identity bindings; the API server's in the cluster where not given.",
  },
  "sni-name": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "TLS server name of the token proxy; made from the API server's certificate where not given.",
  },
  "managed-identity-namespaces": {
    usedBy: "sync",
    type: { kind: "namespaces", every: EVERY_NAMESPACE },
    default: "",
    help: "Namespaces whose classes may be mirrored with the managed identity of the worker's node, beside those that grant it; * is all.",
  },
  "secret-access": {
    usedBy: "sync",
    type: { kind: "choice", choices: ["watch", "blind"] },
    default: "watch",
    help: "Watch every Secret to see changes of the mirrored ones, or write them without reading any.",
  },
  "adopt-driver-secrets": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Take over the Secrets that the CSI driver's own sync made, once that sync is off.",
  },
  "cloud-name": { usedBy: "sync", type: { kind: "cloud" }, default: "AzurePublicCloud", help: "Cloud of classes without cloudName." },
  "cloud-env-dir": { usedBy: "sync", type: { kind: "text" }, default: "", help: "Folder of the files that cloudEnvFileName may name." },
  "construct-pem-chain": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Order the certificates of a PKCS#12 secret from the leaf to the root.",
  },
  "write-cert-and-key-in-separate-files": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Give a certificate's secret two more files, .crt and .key, for secretObjects to name.",
  },
  "gateway-classes": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "",
    help: "GatewayClasses whose Gateways name vault certificates.",
  },
  "ingress-classes": { usedBy: "sync", type: { kind: "list" }, default: "", help: "IngressClasses whose Ingresses name them." },
  "tenant-id": { usedBy: "sync", type: { kind: "text" }, default: "", help: "Tenant of these vaults where no ServiceAccount says it." },
  "node-identity-client-id": { usedBy: "sync", type: { kind: "text" }, default: "", help: "Node's identity that reads these vaults." },
  heal: {
    usedBy: "sync",
    type: { kind: "list", choices: ["crds", "classes", "components"] },
    default: "crds,classes,components",
    help: "What is brought back when it is deleted or damaged.",
  },
  "heal-node-side": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Whether components to heal are also the CSI driver and the Azure provider that came with this install.",
  },
  "heal-webhook": { usedBy: "sync", type: { kind: "boolean" }, default: "true", help: "Whether the webhook is one of these components." },
  "strict-annotations": {
    usedBy: "webhook",
    type: { kind: "boolean" },
    default: "false",
    help: "Deny pods with an unknown annotation under our prefix instead of warning.",
  },
  "log-level": {
    usedBy: "both",
    type: { kind: "choice", choices: ["debug", "info", "warn", "error"] },
    default: "info",
    help: "Least severe level that is written.",
  },
  "log-format": {
    usedBy: "both",
    type: { kind: "choice", choices: ["json", "text"] },
    default: "json",
    help: "One JSON object per line, or text for people.",
  },
  namespace: {
    usedBy: "both",
    type: { kind: "text" },
    default: "keyvault-injector",
    environment: "POD_NAMESPACE",
    help: "Namespace of the install.",
  },
  "pod-name": {
    usedBy: "both",
    type: { kind: "text" },
    default: "",
    environment: "POD_NAME",
    help: "Name of this replica; the host name where not given.",
  },
  "bind-address": { usedBy: "both", type: { kind: "text" }, default: "::", help: "Address that the servers listen on." },
  "admission-port": { usedBy: "webhook", type: { kind: "port" }, default: "8443", help: "Port of the admission webhook (TLS)." },
  "health-port": { usedBy: "both", type: { kind: "port" }, default: "9090", help: "Port of /livez, /readyz and /metrics." },
  "tls-cert-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "Serving certificate (PEM, with its chain) that somebody else renews; the webhook makes its own where not given.",
  },
  "tls-key-file": { usedBy: "webhook", type: { kind: "text" }, default: "", help: "Private key of --tls-cert-file." },
  "tls-ca-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "CA of --tls-cert-file, to prove the chain before the webhook reports ready.",
  },
  "tls-min-version": {
    usedBy: "webhook",
    type: { kind: "choice", choices: ["1.2", "1.3"] },
    default: "1.3",
    help: "Oldest TLS version that is accepted.",
  },
  "client-ca-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "CAs of client certificates; where given, nobody without one gets an answer.",
  },
  "drain-delay": {
    usedBy: "webhook",
    type: { kind: "duration", minimumMs: 0 },
    default: "5s",
    help: "Time to go on serving after readiness went off, until every API server knows.",
  },
  "crds-dir": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Folder of the CRD manifests to heal from; the package's own where not given.",
  },
  kubeconfig: {
    usedBy: "both",
    type: { kind: "text" },
    default: "",
    environment: "KUBECONFIG",
    help: "Kubeconfig file; in-cluster credentials where not given.",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** Environment variable of a flag. */
export function environmentNameOf(name: string): string {
  return `KEYVAULT_INJECTOR_${name.toUpperCase().replaceAll("-", "_")}`;
}
