/**
 * Every setting of both processes: flag `--name`, environment variable `KEYVAULT_INJECTOR_NAME`, the flag wins.
 * `docs/reference/settings.md` is made from this table.
 */
import { EVERY_NAMESPACE, IDENTITY_MODES } from "../domain/provider-class/operator-limits.ts";
import { RESTART_MODES } from "../domain/rollout/controls.ts";
import { SYNC_MODES } from "../domain/schedule/class-annotations.ts";
import { MOST_SHARDS } from "../domain/shards.ts";
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
    help: "Which classes without their own annotation the worker syncs.",
  },
  "unused-grace": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "5m",
    help: "How long the worker keeps the Secrets of a while-used class after its last pod is gone.",
  },
  "expiry-warning": {
    usedBy: "sync",
    type: { kind: "duration", minimumMs: 0 },
    default: "720h",
    help: "How long before an object expires the worker warns about it.",
  },
  "restart-workloads": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "true",
    help: "Restart workloads that request restarts when the object versions that they use change.",
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
    help: "When restarts can begin, unless the workload or its Namespace sets a window.",
  },
  "restart-argo-rollouts": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Also restart Rollouts of Argo Rollouts.",
  },
  "respect-disruption-budgets": {
    usedBy: "sync",
    type: { kind: "boolean" },
    default: "false",
    help: "Begin a restart only if the PodDisruptionBudgets of the pods allow a disruption.",
  },
  shards: { usedBy: "sync", type: { kind: "count", most: MOST_SHARDS }, default: "1", help: "Leaders, each for a part of the namespaces." },
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
    help: "Time without progress after which a restart has failed and blocks later restarts.",
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
    help: "Names of Secrets that can contain service-principal credentials.",
  },
  "allowed-vaults": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "",
    help: "Vaults that classes can sync from; all if unset.",
  },
  "allowed-identity-modes": {
    usedBy: "sync",
    type: { kind: "list", choices: IDENTITY_MODES },
    default: "",
    help: "Identities that classes can use to sync; all if unset.",
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
    help: "Address of the token proxy for identity bindings; if unset, the in-cluster address of the API server.",
  },
  "sni-name": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "TLS server name of the token proxy; if unset, derived from the API server's certificate.",
  },
  "managed-identity-namespaces": {
    usedBy: "sync",
    type: { kind: "namespaces", every: EVERY_NAMESPACE },
    default: "",
    help: "Namespaces whose classes can use the managed identity of the worker's node, in addition to Namespaces that grant it; * means all.",
  },
  "secret-access": {
    usedBy: "sync",
    type: { kind: "choice", choices: ["watch", "blind"] },
    default: "watch",
    help: "Watch every Secret to detect changes to synced Secrets, or write Secrets without reading them.",
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
    help: "Folder of the cloud files that cloudEnvFileName can name.",
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
    help: "Split the secret of a certificate into two additional files, .crt and .key, which secretObjects can name.",
  },
  "gateway-classes": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "",
    help: "GatewayClasses whose Gateways can name vault certificates.",
  },
  "ingress-classes": {
    usedBy: "sync",
    type: { kind: "list" },
    default: "",
    help: "IngressClasses whose Ingresses can name vault certificates.",
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
    help: "Which parts the worker restores after deletion or damage.",
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
  "health-port": { usedBy: "both", type: { kind: "port" }, default: "9090", help: "Port of /livez, /readyz, and /metrics." },
  "tls-cert-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "Serving certificate (PEM, with its chain) from another issuer; if unset, the webhook issues the certificate itself.",
  },
  "tls-key-file": { usedBy: "webhook", type: { kind: "text" }, default: "", help: "Private key of --tls-cert-file." },
  "tls-ca-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "CA of --tls-cert-file, to verify the chain before the webhook reports ready.",
  },
  "tls-min-version": { usedBy: "webhook", type: { kind: "choice", choices: ["1.2", "1.3"] }, default: "1.3", help: "Minimum TLS version." },
  "client-ca-file": {
    usedBy: "webhook",
    type: { kind: "text" },
    default: "",
    help: "CAs of client certificates; if set, the webhook does not answer clients without such a certificate.",
  },
  "drain-delay": {
    usedBy: "webhook",
    type: { kind: "duration", minimumMs: 0 },
    default: "5s",
    help: "How long the webhook continues to serve requests after it reports unready, so that every API server can notice.",
  },
  "crds-dir": {
    usedBy: "sync",
    type: { kind: "text" },
    default: "",
    help: "Folder of the CRD manifests to heal from; if unset, the folder of the package.",
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
