/** The page of settings: names, defaults, kinds and the first sentence are the code's, the chart's value the chart's. */
import { environmentNameOf, SETTINGS, type Setting, type SettingName } from "../../src/runtime/settings.ts";
import { syntaxOf } from "../../src/runtime/settings-help.ts";
import { valuePathOf } from "../helm-chart/values-settings.ts";
import { code, type Places, table } from "./page.ts";

/** What the page says beyond the sentence of `--help`. */
const MORE: Readonly<Partial<Record<SettingName, string>>> = {
  "sync-secret": "`false`: existing Secrets stay unchanged.",
  "enable-secret-rotation": "`false`: the worker asks the vault only when a class or Secret changes, or after a failure.",
  "rotation-poll-interval": "A class is checked sooner if another class of the same identity lists the vault more often.",
  "event-queues":
    "See [rotate in seconds](../how-to/rotate-in-seconds.md). An event makes the worker check the classes that name the object; polls continue. Classes cannot name queues.",
  "unused-grace": "A restart of the worker begins it again.",
  "expiry-warning": "The warning is the event `ObjectExpiring`; `0s`: none.",
  "restart-workloads": "See [how workloads ask for it](../how-to/restart-on-rotation.md). `false`: the worker does not read workloads.",
  "restart-mode":
    "`dry-run` reports by event, condition and metric what would be restarted. `paused`: no restart begins; one that is in progress continues. [How to set it](../how-to/restart-on-rotation.md#set-them-for-the-cluster).",
  "restart-window": "[How to write windows](../how-to/restart-on-rotation.md#when).",
  "restart-argo-rollouts":
    "Install it by `manifests/components/argo-rollouts`, which grants the permission. The CRD may be missing. See [Argo Rollouts](../how-to/restart-on-rotation.md#argo-rollouts).",
  "respect-disruption-budgets":
    "Install it by `manifests/components/disruption-budgets`, which grants the permission. See [disruption budgets](../how-to/restart-on-rotation.md#how-many-at-a-time).",
  "max-rollouts": "Namespaces take turns. Beside `--max-rollouts-per-namespace`.",
  "rollout-timeout": "Pods must stay ready for at most half of it. A Deployment gets its `progressDeadlineSeconds` if longer.",
  "mounted-files-grace":
    "For classes without `secretObjects`. After it the workload is restarted anyway: a new pod mounts the vault's version. `0s`: no wait, for drivers that do not rotate.",
  namespaces:
    "The worker reads and writes nothing in others; the component `manifests/components/namespaces`, or the chart's value, also removes its permissions there. Pods are injected everywhere.",
  "credentials-secret-names": "The ClusterRole `keyvault-injector-sync` must list the same names.",
  "allowed-vaults":
    "By name, host name or address; a name means the cloud of `--cloud-name`. `team-a/shop` allows the vault `shop` only to the namespace `team-a`. A class with another vault gets `InvalidClass`. Mounts are not affected.",
  "allowed-identity-modes": "A class with another identity gets `IdentityUnavailable`. Mounts are not affected.",
  "identity-bindings":
    "Off, such classes get `IdentityUnavailable`. The policy `keyvault-injector-sync-tokens` must allow their tokens too: switch it on by the chart's value or by `manifests/components/identity-bindings`; see [identity bindings](../how-to/use-identity-bindings.md). Mounts are not affected.",
  "token-proxy-url": "`https://` without user, query and fragment. As the Azure provider's flag of that name.",
  "sni-name": "As the Azure provider's flag of that name.",
  "managed-identity-namespaces":
    "A Namespace [grants it](annotations.md#on-a-namespace-that-lends-to-the-worker) by an annotation. `*` is what 0.3.0 did. Classes of other namespaces get `IdentityUnavailable`. Mounts are not affected.",
  "secret-access":
    "`watch` needs permission to read all Secrets, and reverts changes at once. `blind` reads only the credentials, and rewrites every synced Secret at each poll; it does not start without its policy. Install it by `overlays/blind`, which sets the permissions; see [ADR 10](../adr/0010-blind-writes-by-put.md).",
  "adopt-driver-secrets": "See [how to move](../how-to/migrate-from-the-drivers-sync.md). Not with `--secret-access=blind`.",
  "cloud-name": "Also `AzureUSGovernmentCloud`, `AzureChinaCloud`, `AzureGermanCloud`, `AzureStackCloud`.",
  "cloud-env-dir": "Without it no class may name one. See [a custom cloud](../how-to/use-a-custom-cloud.md).",
  "construct-pem-chain": "For mounts use the Azure provider's flag of the same name.",
  "write-cert-and-key-in-separate-files": "Set it like the provider's flag of the same name.",
  "gateway-classes":
    "Install it with `manifests/components/gateway-tls`, which grants the permissions. `approuting-istio` belongs to App Routing. The Gateway API may be missing. See [TLS for Gateways](../how-to/tls-for-gateways.md).",
  "ingress-classes": "As `--gateway-classes`, for `spec.ingressClassName`. `webapprouting.kubernetes.azure.com` belongs to App Routing.",
  "tenant-id": "Only for classes made by `--gateway-classes` and `--ingress-classes`.",
  "node-identity-client-id":
    "As `userAssignedIdentityID` of a class: the client id, not the resource id. Needed if the node has several identities. Only for classes made by `--gateway-classes` and `--ingress-classes`, in namespaces that may use the [node's identity](../how-to/use-managed-identity.md).",
  heal: "`--heal=` means nothing. See [healing](healing.md); without `components` install with `manifests/components/no-component-healing`, which also removes the permissions.",
  "heal-node-side":
    "Set it by `manifests/components/node-side-healing`, which has the policy and the permissions: [healing](healing.md#driver-and-provider).",
  "heal-webhook": "Set to `false` by `manifests/components/injection-policy`: the webhook that you remove must not be restored.",
  "tls-cert-file": "The webhook reads it again when it changes. See [use cert-manager](../how-to/use-cert-manager.md).",
  "tls-key-file": "PEM; the two come together.",
  "client-ca-file":
    "PEM; the webhook reads it again when it changes. [How to give the API server a certificate](../how-to/verify-the-api-server.md); the chart sets the flag where `clientCA` names a ConfigMap or Secret.",
  "drain-delay": "At most `20s` under the shipped `terminationGracePeriodSeconds` of 40.",
  "health-port": "Plain HTTP.",
  "crds-dir": "That is `manifests/crds` next to `dist`.",
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
