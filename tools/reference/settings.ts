/** The page of settings: names, defaults, kinds and the first sentence are the code's, the chart's value the chart's. */

import type { Setting } from "../../src/runtime/setting.ts";
import { environmentNameOf } from "../../src/runtime/setting.ts";
import { SETTINGS, type SettingName } from "../../src/runtime/settings.ts";
import { syntaxOf } from "../../src/runtime/settings-help.ts";
import { valuePathOf } from "../helm-chart/values-settings.ts";
import { code, type Places, table } from "./page.ts";

/** What the page says beyond the sentence of `--help`. */
const MORE: Readonly<Partial<Record<SettingName, string>>> = {
  "sync-secret": "With `false`, the worker leaves existing Secrets unchanged.",
  "enable-secret-rotation": "With `false`, the worker queries the vault only after a change to a class or Secret, or after a failure.",
  "rotation-poll-interval": "The worker checks a class sooner if another class with the same identity lists the vault more often.",
  "event-queues":
    "After an event, the worker checks the classes that name the object. Polls continue. Classes cannot name queues. See [rotate in seconds](../how-to/rotate-in-seconds.md).",
  "unused-grace": "If the worker restarts, the period starts again.",
  "expiry-warning": "The warning is the event `ObjectExpiring`. `0s` disables the warning.",
  "restart-workloads": "See [restart on rotation](../how-to/restart-on-rotation.md). With `false`, the worker does not read workloads.",
  "restart-mode":
    "`dry-run` reports due restarts in events, conditions, and metrics. `paused` only finishes restarts in progress. See [set them for the cluster](../how-to/restart-on-rotation.md#set-them-for-the-cluster).",
  "restart-window": "See [how to write windows](../how-to/restart-on-rotation.md#when).",
  "restart-argo-rollouts":
    "Set it with `manifests/components/argo-rollouts`, which also grants the permission. You can install the CRD after the worker. See [Argo Rollouts](../how-to/restart-on-rotation.md#argo-rollouts).",
  "respect-disruption-budgets":
    "Set it with `manifests/components/disruption-budgets`, which also grants the permission. See [disruption budgets](../how-to/restart-on-rotation.md#how-many-at-a-time).",
  shards:
    "From 1 to 16. Each namespace belongs to one shard. Every shard needs a pod, so the Deployment needs at least as many replicas; use one more for standby. See [shards](capacity.md#shards).",
  "max-rollouts":
    "Namespaces take turns. With [shards](capacity.md#shards), each shard has an equal part of the number. `--max-rollouts-per-namespace` also applies.",
  "rollout-timeout": "Pods must stay ready for at most half of this time. For a Deployment, a longer `progressDeadlineSeconds` applies.",
  "mounted-files-grace":
    "Applies to classes without `secretObjects`. After this time, the worker restarts the workload anyway, and new pods mount the vault's version. Use `0s` if the driver does not rotate files.",
  namespaces:
    "The worker reads and writes nothing in other namespaces. `manifests/components/namespaces` or the chart value also removes its permissions in them. Injection works in all namespaces.",
  "credentials-secret-names": "The ClusterRole `keyvault-injector-sync` must list the same names.",
  "allowed-vaults":
    "Each entry is a name, a host name, or an address. A name refers to the cloud of `--cloud-name`. `team-a/shop` allows the vault `shop` only in the namespace `team-a`. A class with another vault reports `InvalidClass`. Mounts are not affected.",
  "allowed-identity-modes": "A class with another identity reports `IdentityUnavailable`. Mounts are not affected.",
  "identity-bindings":
    "If off, such classes report `IdentityUnavailable`. Set it with the chart value or `manifests/components/identity-bindings`, because the policy `keyvault-injector-sync-tokens` must also allow the tokens. See [identity bindings](../how-to/use-identity-bindings.md). Mounts are not affected.",
  "token-proxy-url": "An `https://` address without user, query, or fragment. Same as the Azure provider's flag of this name.",
  "sni-name": "Same as the Azure provider's flag of this name.",
  "managed-identity-namespaces":
    "A Namespace can [grant it](annotations.md#on-a-namespace-that-lends-to-the-worker) with an annotation. 0.3.0 behaved as with `*`. Classes in other namespaces report `IdentityUnavailable`. Mounts are not affected.",
  "secret-access":
    "`watch` needs permission to read all Secrets, and reverts changes immediately. `blind` reads only credentials, and rewrites every synced Secret at each poll. With `blind`, the worker does not start without its policy. Set `blind` with `overlays/blind`, which also changes the permissions. See [ADR 10](../adr/0010-blind-writes-by-put.md).",
  "adopt-driver-secrets": "See [how to migrate](../how-to/migrate-from-the-drivers-sync.md). Not available with `--secret-access=blind`.",
  "cloud-name": "Other clouds: `AzureUSGovernmentCloud`, `AzureChinaCloud`, `AzureGermanCloud`, `AzureStackCloud`.",
  "cloud-env-dir": "If unset, classes cannot name cloud files. See [a custom cloud](../how-to/use-a-custom-cloud.md).",
  "construct-pem-chain": "For mounts, use the Azure provider's flag of the same name.",
  "write-cert-and-key-in-separate-files": "Use the same value as for the provider's flag of this name.",
  "gateway-classes":
    "Set it together with `manifests/components/gateway-tls`, which grants the permissions. `approuting-istio` belongs to App Routing. You can install the Gateway API after the worker. See [TLS for Gateways](../how-to/tls-for-gateways.md).",
  "ingress-classes":
    "Works like `--gateway-classes`, but for `spec.ingressClassName`. `webapprouting.kubernetes.azure.com` belongs to App Routing.",
  "tenant-id": "Only with `--gateway-classes` or `--ingress-classes`.",
  "node-identity-client-id":
    "Set the client ID, not the resource ID. Required if the node has several identities. Only with `--gateway-classes` or `--ingress-classes`, in namespaces that can use the [node's identity](../how-to/use-managed-identity.md).",
  heal: "`--heal=` turns off healing. To omit `components`, install with `manifests/components/no-component-healing`, which also removes the permissions. See [healing](healing.md).",
  "heal-node-side":
    "Set it with `manifests/components/node-side-healing`, which adds the policy and the permissions. See [healing](healing.md#driver-and-provider).",
  "heal-webhook": "`manifests/components/injection-policy` sets the flag to `false`, so that you can remove the webhook.",
  "tls-cert-file": "The webhook rereads the file when it changes. See [use cert-manager](../how-to/use-cert-manager.md).",
  "tls-key-file": "PEM. Set both flags or neither.",
  "client-ca-file":
    "PEM. The webhook rereads the file when it changes. The chart sets the flag if `clientCA` names a ConfigMap or Secret. See [how to give the API server a certificate](../how-to/verify-the-api-server.md).",
  "drain-delay": "At most `20s` with the default `terminationGracePeriodSeconds` of 40.",
  "health-port": "Plain HTTP.",
  "crds-dir": "That folder is `manifests/crds`, next to `dist`.",
};

export function settingPlaces(): Places {
  const rows = (Object.entries(SETTINGS) as [SettingName, Setting][]).map(([name, setting]) => [
    code(`--${name}`),
    code(environmentNameOf(name), setting.environment ?? ""),
    code(setting.default),
    code(valuePathOf(name) ?? ""),
    setting.usedBy,
    [setting.help, syntaxOf(setting.type, code), MORE[name]].filter(Boolean).join(" "),
  ]);
  return { settings: table(["Flag", "Environment", "Default", "Chart value", "Used by", "Meaning"], rows) };
}
