/** Which value of the chart is which flag of our processes, and why some flags have none. */
import { assertNever } from "../../src/domain/assert-never.ts";
import type { Setting, SettingKind } from "../../src/runtime/setting.ts";
import { SETTINGS, type SettingName } from "../../src/runtime/settings.ts";
import type { Json, JsonMap } from "./place.ts";
import { BOOLEAN, DURATION, TEXT, TEXTS, type ValueRow } from "./value-row.ts";

export type SettingPlace =
  /**
   * A value of the chart's own, at the top, named as the flag is. `also`: what it does besides. `decide`: the named template that says what
   * the flag is, also where the value is not given.
   */
  | { readonly kind: "value"; readonly also: string; readonly decide?: string }
  /** The same, an argument of the manifest itself, where the chart decides unless the value does. */
  | { readonly kind: "decided"; readonly also: string }
  /** A value that upstream's charts have already. */
  | { readonly kind: "upstream"; readonly path: string }
  | { readonly kind: "none"; readonly because: string };

/** `also` says when to change it. */
const value = (also: string): SettingPlace => ({ kind: "value", also });
const upstream = (path: string): SettingPlace => ({ kind: "upstream", path });
const none = (because: string): SettingPlace => ({ kind: "none", because });

const FROM_THE_POD = "set by the pod itself";
const FIXED_PORT = "Service, probes and network policies name it";
const CERT_MANAGER = "given where certManager.enabled is";

/** A new setting gets its place here; `npm run render-manifests` then makes the chart's files anew. */
export const SETTING_PLACES: Readonly<Record<SettingName, SettingPlace>> = {
  "sync-secret": upstream("secrets-store-csi-driver.syncSecret.enabled"),
  "enable-secret-rotation": upstream("secrets-store-csi-driver.enableSecretRotation"),
  "rotation-poll-interval": upstream("secrets-store-csi-driver.rotationPollInterval"),
  "event-queues": value(
    "Give one where new versions are to be in Secrets within seconds: `https://<account>.queue.core.windows.net/<queue>;identity=managed;clientID=<client id>`, say.",
  ),
  "sync-mode": value(
    "`while-used` where Secrets are to exist only while a pod mounts the class, as with the driver's own sync; `never` where only annotated classes are synced.",
  ),
  "unused-grace": value("Raise it where pods are away for longer between two runs, as those of a CronJob."),
  "expiry-warning": value("Lower it where objects live for less than a month."),
  "restart-workloads": value("Switch it off where another controller restarts workloads."),
  "restart-mode": value("`dry-run` to see what would be restarted, `paused` while nothing is to be."),
  "restart-window": value("Give the hours of the cluster, such as `0 22 * * MON-FRI for 4h in Europe/Berlin`."),
  "restart-argo-rollouts": value(
    "Switch it on where Rollouts of Argo Rollouts ask for restarts. The worker gets the right to patch them with it.",
  ),
  "respect-disruption-budgets": value(
    "Switch it on where a restart is to wait for the PodDisruptionBudgets of its owner. The worker gets the right to read them with it.",
  ),
  "max-rollouts": value("Lower it where restarts of many namespaces at a time are too much for nodes or backends."),
  "max-rollouts-per-namespace": value("Raise it where a rotation takes too long to reach all workloads of a namespace."),
  "rollout-timeout": value("Raise it where pods take longer to get ready."),
  "mounted-files-grace": value(
    "Raise it where the driver's `rotationPollInterval` is longer than some minutes; `0s` where the driver does not rotate.",
  ),
  namespaces: value("The worker's rights end there and in its own one, by a RoleBinding in each."),
  "credentials-secret-names": value("Add the names that your classes use. The worker may read Secrets of these names alone."),
  "allowed-vaults": value("Name yours where authors of classes are not to reach others."),
  "allowed-identity-modes": value(
    "Name those that you have set up. Without `workload-identity` and `identity-binding` the worker may not ask for tokens of ServiceAccounts.",
  ),
  "identity-bindings": value(
    "Switch it on where the cluster is one of AKS and managed identities are bound to it. The worker may then ask for tokens of ServiceAccounts for `api://AKSIdentityBinding` too.",
  ),
  "token-proxy-url": value("Set it where AKS names another token proxy than the API server."),
  "sni-name": value("Set it where the API server's certificate does not name the cluster."),
  "managed-identity-namespaces": {
    kind: "value",
    decide: "keyvault-injector.managed-identity-namespaces",
    also: "Not given: none; what it was, in an upgrade; the namespaces that use it today, in an upgrade from 0.3.0; `*` with `preset: extension`.",
  },
  "secret-access": value(
    "`blind` where the worker is not to read the Secrets of the cluster; edits of synced Secrets are then found at the next poll.",
  ),
  "adopt-driver-secrets": value("Switch it off where the driver's own sync stays on for some classes."),
  "cloud-name": value("Set it in Azure Government or China."),
  "cloud-env-dir": value("Needed for clouds of your own; mount the folder by `sync.volumes` and `sync.volumeMounts`."),
  "construct-pem-chain": upstream("constructPEMChain"),
  "write-cert-and-key-in-separate-files": upstream("writeCertAndKeyInSeparateFiles"),
  "gateway-classes": value(
    "Name the GatewayClasses whose listeners are to name certificates of Key Vault. The worker gets the rights to their Gateways with it.",
  ),
  "ingress-classes": value("Name the IngressClasses whose Ingresses are to do so. The worker gets the rights to Ingresses with it."),
  "tenant-id": value("Needed beside these two where ServiceAccounts have no `azure.workload.identity/tenant-id`."),
  "node-identity-client-id": value(
    "Its client id; needed where Gateways or Ingresses name no account and the node has several managed identities.",
  ),
  heal: value("Leave a word out where a GitOps tool is to be the only one that brings such objects back."),
  "heal-node-side": {
    kind: "decided",
    also: "Not given: false; what it was, in an upgrade, which is true from 0.3.0; true with `preset: extension`. With `secretAccess: blind` or `classAuthors: deny` it is false unless given.",
  },
  "heal-webhook": none("`injection.mode` decides it"),
  "strict-annotations": value("Switch it on where a mistyped annotation is to stop a pod."),
  "log-level": value("`debug` to find out why something is decided as it is."),
  "log-format": value("`text` for clusters in which logs are read by `kubectl logs` alone."),
  namespace: none(FROM_THE_POD),
  "pod-name": none(FROM_THE_POD),
  "bind-address": none("pods listen on every address of theirs"),
  "admission-port": none(FIXED_PORT),
  "health-port": none(FIXED_PORT),
  "tls-cert-file": none(CERT_MANAGER),
  "tls-key-file": none(CERT_MANAGER),
  "tls-ca-file": none(CERT_MANAGER),
  "tls-min-version": value("`1.2` for API servers that know no newer one."),
  "client-ca-file": none("given where clientCA names a ConfigMap or Secret"),
  "drain-delay": value("Raise it where requests fail while a replica ends."),
  "crds-dir": none("the image has them"),
  kubeconfig: none("pods have an account"),
};

/** `--sync-mode` is `syncMode`. */
export function valueNameOf(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Path of the chart's value; undefined where the chart has none. */
export function valuePathOf(flag: SettingName): string | undefined {
  const place = SETTING_PLACES[flag];
  if (place.kind === "none") return undefined;
  return place.kind === "upstream" ? place.path : valueNameOf(flag);
}

function typeOf({ type }: Setting): JsonMap {
  switch (type.kind) {
    case "boolean":
      return BOOLEAN;
    case "count":
      return { type: "integer", minimum: 1 };
    case "duration":
      return DURATION;
    case "choice":
      return { enum: [...type.choices] };
    case "namespaces":
    case "eventQueues":
      return TEXTS;
    case "list":
      return type.choices === undefined ? TEXTS : { type: ["array", "null"], items: { enum: [...type.choices] } };
    case "text":
    case "window":
    case "cloud":
    case "port":
      return TEXT;
    default:
      return assertNever(type);
  }
}

function isList({ kind }: SettingKind): boolean {
  return kind === "list" || kind === "namespaces" || kind === "eventQueues";
}

function defaultOf({ type, default: written }: Setting): Json {
  if (type.kind === "boolean") return written === "true";
  if (type.kind === "count") return Number(written);
  if (isList(type)) return written === "" ? [] : written.split(",");
  return written;
}

const settings = Object.entries(SETTINGS) as [SettingName, Setting][];

export const SETTING_ROWS: readonly ValueRow[] = settings.flatMap(([flag, setting]) => {
  const place = SETTING_PLACES[flag];
  if (place.kind !== "value" && place.kind !== "decided") return [];
  const meaning = `${setting.help} ${place.also}`;
  if (place.kind === "decided") return [{ path: valueNameOf(flag), default: null, type: { type: ["boolean", "null"] }, flag, meaning }];
  const isDecided = place.decide !== undefined;
  return [{ path: valueNameOf(flag), default: isDecided ? null : defaultOf(setting), type: typeOf(setting), flag, meaning }];
});

/** Named templates with the arguments that differ from the program's defaults. */
export function settingsTemplates(): string {
  const template = (process: "sync" | "webhook"): string => {
    const flags = settings.flatMap(([flag, setting]) => (isFor(process, flag) ? argumentLines(flag, setting) : []));
    return [`{{- define "keyvault-injector.${process}-settings" -}}`, ...flags, "{{- end -}}"].join("\n");
  };
  return `${template("sync")}\n\n${template("webhook")}\n`;
}

/** Arguments of the manifest itself. */
const IN_THE_MANIFEST: readonly SettingName[] = ["sync-secret", "enable-secret-rotation", "heal-node-side"];

function isFor(process: "sync" | "webhook", flag: SettingName): boolean {
  const { usedBy } = SETTINGS[flag];
  return SETTING_PLACES[flag].kind !== "none" && (usedBy === process || usedBy === "both") && !IN_THE_MANIFEST.includes(flag);
}

function argumentLines(flag: SettingName, setting: Setting): readonly string[] {
  const place = SETTING_PLACES[flag];
  if (place.kind === "value" && place.decide !== undefined) {
    const decided = `(include ${JSON.stringify(place.decide)} .)`;
    return [`{{- with ${decided} }}`, `- {{ printf "--${flag}=%s" . | quote }}`, "{{- end }}"];
  }
  const steps = (valuePathOf(flag) ?? "").split(".");
  const value = `(get ${steps.slice(0, -1).reduce((inner, step) => `(get ${inner} ${JSON.stringify(step)})`, ".Values")} ${JSON.stringify(steps.at(-1))})`;
  const written = isList(setting.type) ? `(join "," ${value})` : `(${value} | toString)`;
  const given = setting.type.kind === "duration" ? `(${value} | default ${JSON.stringify(setting.default)})` : written;
  const usual = JSON.stringify(setting.default);
  // A release of an older chart, with its values reused, has no value of a newer setting: text of nothing. Of a list that is a word of its own.
  const mayLack = !isList(setting.type) && setting.type.kind !== "duration" && setting.default !== "";
  const isOther = mayLack ? `not (has ${given} (list "" ${usual}))` : `ne ${given} ${usual}`;
  return [`{{- if ${isOther} }}`, `- {{ printf "--${flag}=%s" ${given} | quote }}`, "{{- end }}"];
}
