/**
 * Every setting of both processes: flag `--name`, environment variable `KEYVAULT_INJECTOR_NAME`, the flag wins.
 * `docs/reference/settings.md` is made from this table.
 */
import { EVERY_NAMESPACE, IDENTITY_MODES } from "../domain/provider-class/operator-limits.ts";
import { RESTART_MODES } from "../domain/rollout/controls.ts";
import { SYNC_MODES } from "../domain/schedule/class-annotations.ts";
import type { Setting } from "./setting.ts";

const MINIMUM_POLL_MS = 10_000;

export const SETTINGS = {
  "sync-secret": { usedBy: "sync", type: { kind: "boolean" }, default: "true", help: "Sync secretObjects into Kubernetes Secrets." },
  "enable-secret-rotation": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Check for new object versions at every poll.",
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
    help: "Azure Storage queues that announce new versions, each with the identity that reads it. If unset, the worker only polls.",
  },
  "sync-mode": {
    usedBy: "sync",
    type: { kind: "choice", choices: SYNC_MODES },
    default: "always",
    help: "Which classes without their own annotation are synced.",
  },
  "unused-grace": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "5m",
    help: "How long the Secrets of a while-used class stay after its last pod is gone.",
  },
  "expiry-warning": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "720h",
    help: "How long before an object's expiry its class gets a warning.",
  },
  "restart-workloads": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Restart workloads that ask for it when the object versions they use change.",
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
    help: "When restarts may begin, unless the workload or its Namespace sets a window.",
  },
  "restart-argo-rollouts": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Restart Rollouts of Argo Rollouts as well.",
  },
  "respect-disruption-budgets": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Begin a restart only if the PodDisruptionBudgets of its pods allow a disruption.",
  },
  "max-rollouts": {
    usedBy: "sync",
    type: { kind: "count" },
    default: "9999",
    help: "Maximum number of workloads in the cluster that restart at the same time.",
  },
  "max-rollouts-per-namespace": {
    usedBy: "sync",
    type: { kind: "count" },
    default: "1",
    help: "Maximum number of workloads in a namespace that restart at the same time.",
  },
  "rollout-timeout": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 1_000 },
    default: "10m",
    help: "Time without progress after which a restart has failed and blocks later ones.",
  },
  "mounted-files-grace": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "10m",
    help: "How long a restart waits for the driver to update mounted files after a new version.",
  },
  namespaces: {
    usedBy: "sync",
    type: { kind: "namespaces" },
    default: "",
    help: "Namespaces whose classes are synced; all if unset.",
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
    help: "Vaults that classes may sync from; all if unset.",
  },
  "allowed-identity-modes": {
    usedBy: "sync",
    type: { kind: "list", choices: IDENTITY_MODES },
    default: "",
    help: "Identities that classes may use to sync; all if unset.",
  },
  "identity-bindings": {
    usedBy: "both",
    type: { kind: "boolean" },
    default: "false",
    help: "Sync classes with useAzureTokenProxy through the token proxy of an AKS cluster that has identity bindings.",
  },
  "token-proxy-url": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Address of the token proxy for identity bindings; the in-cluster API server's address if unset.",
  },
  "sni-name": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "TLS server name of the token proxy; derived from the API server's certificate if unset.",
  },
  "managed-identity-namespaces": {
    usedBy: "sync",
    type: { kind: "namespaces", every: EVERY_NAMESPACE },
    default: "",
    help: "Namespaces whose classes may use the managed identity of the worker's node, in addition to those that grant it; * means all.",
  },
  "secret-access": {
    usedBy: "sync",
    type: { kind: "choice", choices: ["watch", "blind"] },
    default: "watch",
    help: "Watch every Secret to detect changes to synced ones, or write Secrets without reading any.",
  },
  "adopt-driver-secrets": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Take over Secrets made by the CSI driver's own sync, once that sync is off.",
  },
  "cloud-name": {
    usedBy: "sync",
    type: { kind: "cloud" },
    default: "AzurePublicCloud",
    help: "Cloud of classes that do not set cloudName.",
  },
  "cloud-env-dir": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Folder of the cloud files that classes can name in cloudEnvFileName.",
  },
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
    help: "Split a certificate's secret into two more files, .crt and .key, that secretObjects can name.",
  },
  "gateway-classes": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "",
    help: "GatewayClasses whose Gateways may name vault certificates.",
  },
  "ingress-classes": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "",
    help: "IngressClasses whose Ingresses may name vault certificates.",
  },
  "tenant-id": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Tenant of the vaults of Gateways and Ingresses, unless a ServiceAccount names one.",
  },
  "node-identity-client-id": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Node identity that reads the vaults of Gateways and Ingresses.",
  },
  heal: {
    usedBy: "sync",
    type: { kind: "list", choices: ["crds", "classes", "components"] },
    default: "crds,classes,components",
    help: "Which parts the worker restores when they are deleted or damaged.",
  },
  "heal-node-side": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Whether the worker also heals the CSI driver and the Azure provider that came with this install.",
  },
  "heal-webhook": { usedBy: "sync", type: { kind: "boolean" }, default: "true", help: "Whether the worker heals the webhook." },
  "strict-annotations": {
    usedBy: "webhook",
    type: { kind: "boolean" },
    default: "false",
    help: "Deny pods with an unknown annotation under the project's prefix instead of warning.",
  },
  "log-level": {
    usedBy: "both",
    type: { kind: "choice", choices: ["debug", "info", "warn", "error"] },
    default: "info",
    help: "Lowest level to log.",
  },
  "log-format": {
    usedBy: "both",
    type: { kind: "choice", choices: ["json", "text"] },
    default: "json",
    help: "One JSON object per line, or human-readable text.",
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
    help: "Name of this replica; the host name if unset.",
  },
  "bind-address": { usedBy: "both", type: { kind: "text" }, default: "::", help: "Address that the servers listen on." },
  "admission-port": { usedBy: "webhook", type: { kind: "port" }, default: "8443", help: "Port of the admission webhook (TLS)." },
  "health-port": { usedBy: "both", type: { kind: "port" }, default: "9090", help: "Port of /livez, /readyz and /metrics." },
  "tls-cert-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "Serving certificate (PEM, with its chain) from another issuer; if unset, the webhook issues its own.",
  },
  "tls-key-file": { usedBy: "webhook", type: { kind: "text" }, default: "", help: "Private key of --tls-cert-file." },
  "tls-ca-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "CA of --tls-cert-file, to verify the chain before the webhook reports ready.",
  },
  "tls-min-version": {
    usedBy: "webhook",
    type: { kind: "choice", choices: ["1.2", "1.3"] },
    default: "1.3",
    help: "Minimum TLS version.",
  },
  "client-ca-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "CAs of client certificates; if set, clients without such a certificate get no answer.",
  },
  "drain-delay": {
    usedBy: "webhook",
    type: { kind: "duration", minimumMs: 0 },
    default: "5s",
    help: "How long the webhook keeps serving after it reports unready, so that every API server can notice.",
  },
  "crds-dir": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Folder of the CRD manifests to heal from; the package's own if unset.",
  },
  kubeconfig: {
    usedBy: "both",
    type: { kind: "text" },
    default: "",
    environment: "KUBECONFIG",
    help: "Kubeconfig file; in-cluster credentials if unset.",
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
