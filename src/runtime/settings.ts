/**
 * Every setting of both processes: flag `--name`, environment variable `KEYVAULT_INJECTOR_NAME`. The flag wins.
 * `docs/reference/settings.md` is generated from this table.
 */
import { EVERY_NAMESPACE, IDENTITY_MODES } from "../domain/provider-class/operator-limits.ts";
import { RESTART_MODES } from "../domain/rollout/controls.ts";
import { SYNC_MODES } from "../domain/schedule/class-annotations.ts";
import { MOST_SHARDS } from "../domain/shards.ts";
import type { Setting, SettingKind } from "./setting.ts";

const MINIMUM_POLL_MS = 10_000;
/** The webhook's pods have 40 s to end, and need the rest to answer what is in progress and to close. */
const MAXIMUM_DRAIN_MS = 20_000;

type UsedBy = Setting["usedBy"];
// oxlint-disable-next-line eslint/max-params -- a row of the table.
const of = <const Type extends SettingKind>(usedBy: UsedBy, type: Type, fallback: string, help: string, environment?: string) => ({
  usedBy,
  type,
  default: fallback,
  help,
  ...(environment === undefined ? {} : { environment }),
});

export const SETTINGS = {
  "sync-secret": of("sync", { kind: "boolean" }, "true", "Sync secretObjects into Kubernetes Secrets."),
  "enable-secret-rotation": of("sync", { kind: "boolean" }, "true", "Check for new object versions at every poll."),
  "rotation-poll-interval": of(
    "sync",
    { kind: "duration", minimumMs: MINIMUM_POLL_MS },
    "2m",
    "Longest time between two checks of a class against its vault.",
  ),
  "event-queues": of(
    "sync",
    { kind: "eventQueues" },
    "",
    "Azure Storage queues that announce new versions, each with the identity that reads it. If unset, the worker only polls.",
  ),
  "sync-mode": of(
    "sync",
    { kind: "choice", choices: SYNC_MODES },
    "always",
    "When the worker syncs classes that do not set the annotation keyvault-injector.dev/sync.",
  ),
  "unused-grace": of(
    "sync",
    { kind: "duration", minimumMs: 0 },
    "5m",
    "How long the worker keeps the Secrets of a while-used class after the last pod that uses the class is gone.",
  ),
  "expiry-warning": of("sync", { kind: "duration", minimumMs: 0 }, "720h", "How early the worker warns that an object will expire."),
  "restart-workloads": of(
    "sync",
    { kind: "boolean" },
    "true",
    "When an object gets a new version, restart the workloads that use the object and request restarts.",
  ),
  "restart-mode": of(
    "sync",
    { kind: "choice", choices: RESTART_MODES },
    "act",
    "Whether the worker begins due restarts, only reports them, or lets them wait.",
  ),
  "restart-window": of(
    "sync",
    { kind: "window" },
    "always",
    "When restarts can begin, unless the workload or its Namespace sets a window.",
  ),
  "restart-argo-rollouts": of("sync", { kind: "boolean" }, "false", "Also restart Rollouts of Argo Rollouts."),
  "respect-disruption-budgets": of(
    "sync",
    { kind: "boolean" },
    "false",
    "Begin a restart only if the PodDisruptionBudgets of the pods allow a disruption.",
  ),
  shards: of("sync", { kind: "count", most: MOST_SHARDS }, "1", "Number of leaders. Each handles some of the namespaces."),
  "max-rollouts": of("sync", { kind: "count" }, "9999", "Maximum number of workloads in the cluster that restart at the same time."),
  "max-rollouts-per-namespace": of(
    "sync",
    { kind: "count" },
    "1",
    "Maximum number of workloads in a namespace that restart at the same time.",
  ),
  "rollout-timeout": of(
    "sync",
    { kind: "duration", minimumMs: 1_000 },
    "10m",
    "Time without progress after which a restart counts as failed, and blocks later restarts in its namespace.",
  ),
  "mounted-files-grace": of(
    "sync",
    { kind: "duration", minimumMs: 0 },
    "10m",
    "How long a restart waits for the driver to update mounted files after a new version appears.",
  ),
  namespaces: of("sync", { kind: "namespaces" }, "", "Namespaces whose classes the worker syncs; all if unset."),
  "credentials-secret-names": of(
    "sync",
    { kind: "list" },
    "secrets-store-creds",
    "Names of Secrets that can contain service-principal credentials.",
  ),
  "allowed-vaults": of("sync", { kind: "list" }, "", "Vaults that classes can sync from; all if unset."),
  "allowed-identity-modes": of(
    "sync",
    { kind: "list", choices: IDENTITY_MODES },
    "",
    "Kinds of identity that classes can use to sync; all if unset.",
  ),
  "identity-bindings": of(
    "both",
    { kind: "boolean" },
    "false",
    "Sync classes with useAzureTokenProxy through the token proxy of an AKS cluster that has identity bindings.",
  ),
  "token-proxy-url": of(
    "sync",
    { kind: "text" },
    "",
    "Address of the token proxy for identity bindings; if unset, the in-cluster address of the API server.",
  ),
  "sni-name": of("sync", { kind: "text" }, "", "TLS server name of the token proxy; if unset, derived from the API server's certificate."),
  "managed-identity-namespaces": of(
    "sync",
    { kind: "namespaces", every: EVERY_NAMESPACE },
    "",
    "Namespaces whose classes can use the managed identity of the worker's node, in addition to the Namespaces that grant this identity; * means all.",
  ),
  "secret-access": of(
    "sync",
    { kind: "choice", choices: ["watch", "blind"] },
    "watch",
    "Watch every Secret to detect changes to synced Secrets, or write Secrets without reading them.",
  ),
  "adopt-driver-secrets": of(
    "sync",
    { kind: "boolean" },
    "true",
    "Take over Secrets made by the CSI driver's own sync, once that sync is off.",
  ),
  "cloud-name": of("sync", { kind: "cloud" }, "AzurePublicCloud", "Cloud of classes that do not set cloudName."),
  /** If empty, no class may name a file. */
  "cloud-env-dir": of(
    "sync",
    { kind: "text" },
    "",
    "Folder that contains the cloud files, from which classes select one with cloudEnvFileName.",
  ),
  "construct-pem-chain": of("sync", { kind: "boolean" }, "true", "Order the certificates of a PKCS#12 secret from the leaf to the root."),
  "write-cert-and-key-in-separate-files": of(
    "sync",
    { kind: "boolean" },
    "false",
    "Also provide the certificates and the key of a certificate's secret as two separate files, .crt and .key, which secretObjects can use.",
  ),
  /** If empty, no Gateway gets a certificate. The same applies to Ingresses and the next list. */
  "gateway-classes": of("sync", { kind: "list" }, "", "GatewayClasses whose Gateways can request vault certificates."),
  "ingress-classes": of("sync", { kind: "list" }, "", "IngressClasses whose Ingresses can request vault certificates."),
  "tenant-id": of(
    "sync",
    { kind: "text" },
    "",
    "Tenant of the vaults that Gateways and Ingresses use, unless their ServiceAccount specifies a tenant.",
  ),
  /** Not needed if the node has only one managed identity. */
  "node-identity-client-id": of(
    "sync",
    { kind: "text" },
    "",
    "Client ID of the node identity that reads the vaults of Gateways and Ingresses.",
  ),
  heal: of(
    "sync",
    { kind: "list", choices: ["crds", "classes", "components"] },
    "crds,classes,components",
    "Which parts the worker restores after deletion or damage.",
  ),
  "heal-node-side": of(
    "sync",
    { kind: "boolean" },
    "false",
    "Whether the worker also heals the CSI driver and the Azure provider that came with this install.",
  ),
  "heal-webhook": of("sync", { kind: "boolean" }, "true", "Whether the worker heals the webhook."),
  "strict-annotations": of(
    "webhook",
    { kind: "boolean" },
    "false",
    "Deny pods that have an unknown annotation with the project's prefix, instead of only warning about it.",
  ),
  "log-level": of("both", { kind: "choice", choices: ["debug", "info", "warn", "error"] }, "info", "Lowest level to log."),
  "log-format": of(
    "both",
    { kind: "choice", choices: ["json", "text"] },
    "json",
    "Format of the log: one JSON object per line, or human-readable text.",
  ),
  namespace: of("both", { kind: "text" }, "keyvault-injector", "Namespace of the install.", "POD_NAMESPACE"),
  "pod-name": of("both", { kind: "text" }, "", "Name of this replica; the host name if unset.", "POD_NAME"),
  "bind-address": of("both", { kind: "text" }, "::", "Address that the servers listen on."),
  "admission-port": of("webhook", { kind: "port" }, "8443", "Port of the admission webhook (TLS)."),
  "health-port": of("both", { kind: "port" }, "9090", "Port of /livez, /readyz, and /metrics."),
  "tls-cert-file": of(
    "webhook",
    { kind: "text" },
    "",
    "Serving certificate (PEM, with its chain) from another issuer; if unset, the webhook issues the certificate itself.",
  ),
  "tls-key-file": of("webhook", { kind: "text" }, "", "Private key of the certificate in --tls-cert-file."),
  "tls-ca-file": of(
    "webhook",
    { kind: "text" },
    "",
    "CA of the certificate in --tls-cert-file. The webhook verifies the chain with this CA before it reports ready.",
  ),
  "tls-min-version": of("webhook", { kind: "choice", choices: ["1.2", "1.3"] }, "1.3", "Minimum TLS version."),
  "client-ca-file": of(
    "webhook",
    { kind: "text" },
    "",
    "CAs of client certificates; if set, the webhook does not answer clients without a certificate from one of these CAs.",
  ),
  "drain-delay": of(
    "webhook",
    { kind: "duration", minimumMs: 0, maximumMs: MAXIMUM_DRAIN_MS },
    "5s",
    "How long the webhook continues to serve requests after it reports unready, so that every API server can notice.",
  ),
  "crds-dir": of(
    "sync",
    { kind: "text" },
    "",
    "Folder with the manifests from which the worker restores CRDs; if unset, the folder in the package.",
  ),
  kubeconfig: of("both", { kind: "text" }, "", "Kubeconfig file; in-cluster credentials if unset.", "KUBECONFIG"),
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
