/** The page of settings. Names, defaults, kinds and first sentences come from the code, and the chart's values from the chart. */

import { formatDuration } from "../../src/domain/duration.ts";
import { environmentNameOf, type Setting } from "../../src/runtime/setting.ts";
import { SETTINGS, type SettingName } from "../../src/runtime/settings.ts";
import { syntaxOf } from "../../src/runtime/settings-help.ts";
import { valuePathOf } from "../helm-chart/values-settings.ts";
import { code, type Places, table, withNamesAsCode } from "./page.ts";

/** Text of the page after the sentence from `--help`. */
const MORE: Readonly<Partial<Record<SettingName, string>>> = {
  "sync-secret": "With `false`, the worker leaves existing Secrets unchanged.",
  "enable-secret-rotation": "With `false`, the worker queries the vault only after a change to a class or Secret, or after a failure.",
  "rotation-poll-interval":
    "Classes with the same vault and identity share lists of the vault's objects, so a shorter interval of one class can also speed up the others.",
  "event-queues":
    "The worker reads CloudEvents 1.0 and events in Event Grid's own schema. After an event about an object, the worker checks the classes that use this object. The worker also continues to poll. Classes cannot specify queues. See [Rotate in seconds](../how-to/rotate-in-seconds.md).",
  "unused-grace": "If the worker restarts, this time starts from zero again.",
  "expiry-warning": "The warning is the event `ObjectExpiring`. `0s` disables the warning.",
  "restart-workloads": "See [Restart on rotation](../how-to/restart-on-rotation.md). With `false`, the worker does not read workloads.",
  "restart-mode":
    "`dry-run` reports due restarts in events, conditions, and metrics. With `paused`, the worker begins no restarts, but finishes those in progress. See [settings for the cluster](../how-to/restart-on-rotation.md#set-these-options-for-the-whole-cluster).",
  "restart-window": "See [restart windows](../how-to/restart-on-rotation.md#when).",
  "restart-argo-rollouts":
    "Set the flag with `manifests/components/argo-rollouts`, which also grants the required permission. You can install the CRD of Rollouts after the worker. See [Argo Rollouts](../how-to/restart-on-rotation.md#argo-rollouts).",
  "respect-disruption-budgets":
    "Set the flag with `manifests/components/disruption-budgets`, which also grants the required permission. See [disruption budgets](../how-to/restart-on-rotation.md#how-many-at-a-time).",
  shards:
    "At least 1 and at most 16. The namespaces that one leader handles form a shard. Every shard needs a pod, so the Deployment needs at least this number of replicas, and one more for standby. See [shards](capacity.md#shards).",
  "max-rollouts":
    "If restarts in several namespaces wait for a slot, the namespaces take turns. With [shards](capacity.md#shards), each shard has an equal part of this number. `--max-rollouts-per-namespace` also applies.",
  "rollout-timeout":
    "A restart is complete when its pods have been ready for 10 seconds. Each time that a container restarts, this period doubles, up to half of the timeout. If a Deployment has a longer `progressDeadlineSeconds`, that deadline applies instead of this timeout.",
  "mounted-files-grace":
    "The flag applies to workloads that mount a class without `secretObjects`. After this time, the worker restarts the workload even if the files in its pods are outdated. The new pods mount the version in the vault. Use `0s` if the driver does not rotate files.",
  namespaces:
    "The worker reads and writes nothing in other namespaces. To also remove the worker's permissions in these other namespaces, add `manifests/components/namespaces`, or use the chart value. The flag does not affect injection, which works in all namespaces.",
  "credentials-secret-names": "The ClusterRole `keyvault-injector-sync` must contain the same names.",
  "allowed-vaults":
    "Each entry is a name, a host name, or an address. A name stands for the vault of that name in the cloud of `--cloud-name`. `team-a/shop` allows the vault `shop` only in the namespace `team-a`. A class with any other vault reports `InvalidClass`. The flag does not affect mounts.",
  "allowed-identity-modes": "A class with any other kind of identity reports `IdentityUnavailable`. The flag does not affect mounts.",
  "identity-bindings":
    "If the flag is off, such classes report `IdentityUnavailable`. Set the flag with the chart value or `manifests/components/identity-bindings`, which also changes the policy `keyvault-injector-sync-tokens` so that it allows the required tokens. See [identity bindings](../how-to/use-identity-bindings.md). The flag does not affect mounts.",
  "token-proxy-url": "An `https://` address without user, query, or fragment. The Azure provider has the same flag.",
  "sni-name": "The Azure provider has the same flag.",
  "managed-identity-namespaces":
    "A Namespace can [grant the identity](annotations.md#on-a-namespace-that-lends-to-the-worker) with an annotation. Classes in other namespaces report `IdentityUnavailable`. The flag does not affect mounts. Version 0.3.0 behaved as if the value were `*`.",
  "secret-access":
    "`watch` needs permission to read all Secrets, and reverts changes immediately. `blind` reads only credentials and the worker's own key, and rewrites every synced Secret at each poll. With `blind`, the worker does not run while one of the policies that limit it is missing. Set `blind` with `overlays/blind`, which also changes the permissions. For the reasons, see [ADR 10](../adr/0010-blind-writes-by-put.md).",
  "adopt-driver-secrets":
    "See [Move from the CSI driver's own sync](../how-to/migrate-from-the-drivers-sync.md). With `--secret-access=blind`, the worker cannot take over Secrets.",
  "cloud-name": "Other clouds: `AzureUSGovernmentCloud`, `AzureChinaCloud`, `AzureGermanCloud`, `AzureStackCloud`.",
  "cloud-env-dir": "If unset, classes cannot use cloud files. See [Use a custom cloud](../how-to/use-a-custom-cloud.md).",
  "construct-pem-chain": "This flag does not affect mounts, for which the Azure provider has a flag of the same name.",
  "write-cert-and-key-in-separate-files": "The Azure provider has a flag of the same name. Set both flags to the same value.",
  "gateway-classes":
    "Set the flag with `manifests/components/gateway-tls`, which also grants the required permissions. On AKS, do not list `approuting-istio`, which belongs to App Routing, or `istio` if [App Routing](gateway-certificates.md#app-routing) is enabled. You can install the Gateway API after the worker. See [TLS for Gateways](../how-to/tls-for-gateways.md).",
  "ingress-classes":
    "The flag works like `--gateway-classes`, but for `spec.ingressClassName`. Do not list `webapprouting.kubernetes.azure.com` or the IngressClass of any other `NginxIngressController`, which belong to [App Routing](gateway-certificates.md#app-routing).",
  "tenant-id": "The flag requires `--gateway-classes` or `--ingress-classes`.",
  "node-identity-client-id":
    "Do not use the resource ID. If the node has several identities, you must set this flag. The flag requires `--gateway-classes` or `--ingress-classes`, and affects only namespaces that can use the [node's identity](../how-to/use-managed-identity.md).",
  heal: "`--heal=`, with an empty value, turns off healing. To omit `components`, install with `manifests/components/no-component-healing`, which also removes the corresponding permissions. See [healing](healing.md).",
  "heal-node-side":
    "Set the flag with `manifests/components/node-side-healing`, which adds the required policy and permissions. See [driver and provider](healing.md#driver-and-provider).",
  "heal-webhook": "`manifests/components/injection-policy` sets the flag to `false`, so that you can remove the webhook.",
  "tls-cert-file": "The webhook rereads the file when it changes. See [use cert-manager](../how-to/use-cert-manager.md).",
  "tls-key-file": "The file is in PEM format. Set both flags or neither.",
  "client-ca-file":
    "The file is in PEM format, and the webhook rereads the file when it changes. If the file contains no certificate, a running webhook keeps the old CAs, but new webhook pods exit. The chart sets the flag if `clientCA` specifies a ConfigMap or Secret. See [how to give the API server a certificate](../how-to/verify-the-api-server.md).",
  "drain-delay":
    "The pod's `terminationGracePeriodSeconds` is 40. With a longer delay, too little of this time would remain to answer the last requests.",
  "health-port": "The port serves plain HTTP.",
  "crds-dir": "In the package, the manifests are in `manifests/crds`, next to `dist`.",
};

function boundsHere({ minimumMs, maximumMs }: Extract<Setting["type"], { readonly kind: "duration" }>): string {
  const least = minimumMs === 0 ? [] : [`At least ${code(formatDuration(minimumMs))}.`];
  const most = maximumMs === undefined ? [] : [`At most ${code(formatDuration(maximumMs))}.`];
  return [...least, ...most].join(" ");
}

/** The syntax as in `--help`, except for durations and lists, which the page explains once. */
function syntaxHere(type: Setting["type"]): string {
  if (type.kind === "duration") return boundsHere(type);
  const syntax = syntaxOf(type, code);
  return syntax === "A comma-separated list." ? "" : syntax;
}

export function settingPlaces(): Places {
  const rows = (Object.entries(SETTINGS) as [SettingName, Setting][]).map(([name, setting]) => [
    code(`--${name}`),
    code(environmentNameOf(name), setting.environment ?? ""),
    code(setting.default),
    code(valuePathOf(name) ?? ""),
    setting.usedBy,
    [withNamesAsCode(setting.help), syntaxHere(setting.type), MORE[name]].filter(Boolean).join(" "),
  ]);
  return { settings: table(["Flag", "Environment", "Default", "Chart value", "Used by", "Meaning"], rows) };
}
