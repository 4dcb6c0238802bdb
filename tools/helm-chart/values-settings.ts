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
    "Set it to get new versions into Secrets within seconds, for example `https://<account>.queue.core.windows.net/<queue>;identity=managed;clientID=<client id>`.",
  ),
  "sync-mode": value(
    "With `while-used`, Secrets exist only while a pod mounts the class, as with the driver's own sync. With `never`, only annotated classes are synced.",
  ),
  "unused-grace": value("Raise the value if the gaps between pods are longer, for example with a CronJob."),
  "expiry-warning": value("Lower it if objects are valid for less than a month."),
  "restart-workloads": value("Disable it if another controller restarts workloads."),
  "restart-mode": value("`dry-run` only reports due restarts, and `paused` holds them."),
  "restart-window": value("Set the maintenance window of the cluster, such as `0 22 * * MON-FRI for 4h in Europe/Berlin`."),
  "restart-argo-rollouts": value("Also grants the worker permission to patch them."),
  "respect-disruption-budgets": value("Also grants the worker permission to read them."),
  shards: value(
    "From 1 to 16. Raise it if one pod cannot have enough memory or CPU time. Requires at least as many `sync.replicas`; use one more for standby.",
  ),
  "max-rollouts": value("Lower it if simultaneous restarts in many namespaces overload nodes or backends."),
  "max-rollouts-per-namespace": value("Raise it if a rotation takes too long to reach all workloads in a namespace."),
  "rollout-timeout": value("Raise it if pods take longer to become ready."),
  "mounted-files-grace": value(
    "Raise it if the driver's `rotationPollInterval` is longer than a few minutes. Use `0s` if the driver does not rotate files.",
  ),
  namespaces: value("RoleBindings limit the worker's permissions to these namespaces and its own."),
  "credentials-secret-names": value("Add the names that your classes use. The worker can read only Secrets with these names."),
  "allowed-vaults": value("List your vaults if class authors must not use others."),
  "allowed-identity-modes": value(
    "List the identities that you have set up. If neither `workload-identity` nor `identity-binding` is listed, the worker has no permission to request ServiceAccount tokens.",
  ),
  "identity-bindings": value("Also allows the worker to request ServiceAccount tokens for `api://AKSIdentityBinding`."),
  "token-proxy-url": value("Set it if AKS specifies a token proxy other than the API server."),
  "sni-name": value("Set it if the API server's certificate does not contain the cluster's name."),
  "managed-identity-namespaces": {
    kind: "value",
    decide: "keyvault-injector.managed-identity-namespaces",
    also: "If unset: none in a new install, `*` with `preset: extension`, the previous value in an upgrade, and the namespaces that currently use the identity in an upgrade from 0.3.0.",
  },
  "secret-access": value(
    "With `blind`, the worker cannot read the cluster's Secrets, and detects edits to synced Secrets only at the next poll.",
  ),
  "adopt-driver-secrets": value("Disable it if the driver's own sync remains on for some classes."),
  "cloud-name": value("Set it in Azure Government and Azure in China."),
  "cloud-env-dir": value("Required for custom clouds. Mount the folder with `sync.volumes` and `sync.volumeMounts`."),
  "construct-pem-chain": upstream("constructPEMChain"),
  "write-cert-and-key-in-separate-files": upstream("writeCertAndKeyInSeparateFiles"),
  "gateway-classes": value("Also grants the worker the permissions that it needs on Gateways."),
  "ingress-classes": value("Also grants the worker the permissions that it needs on Ingresses."),
  "tenant-id": value("Required if ServiceAccounts do not have the annotation `azure.workload.identity/tenant-id`."),
  "node-identity-client-id": value(
    "Set its client ID if Gateways or Ingresses do not name a ServiceAccount and the node has several managed identities.",
  ),
  heal: value("Omit a part if only your GitOps tool should restore it."),
  "heal-node-side": {
    kind: "decided",
    also: "If unset: `false` in a new install, `true` with `preset: extension`, the previous value in an upgrade, and `true` in an upgrade from 0.3.0. With `secretAccess: blind` or `classAuthors: deny`, an unset value always means `false`.",
  },
  "heal-webhook": none("`injection.mode` decides it"),
  "strict-annotations": value("Enable it to prevent pods with a mistyped annotation from starting."),
  "log-level": value("`debug` shows the reasons for decisions."),
  "log-format": value("Use `text` if you read logs only with `kubectl logs`."),
  namespace: none(FROM_THE_POD),
  "pod-name": none(FROM_THE_POD),
  "bind-address": none("pods listen on every address of theirs"),
  "admission-port": none(FIXED_PORT),
  "health-port": none(FIXED_PORT),
  "tls-cert-file": none(CERT_MANAGER),
  "tls-key-file": none(CERT_MANAGER),
  "tls-ca-file": none(CERT_MANAGER),
  "tls-min-version": value("Use `1.2` for API servers that do not support TLS 1.3."),
  "client-ca-file": none("given where clientCA names a ConfigMap or Secret"),
  "drain-delay": value("Raise it if requests fail while a replica shuts down."),
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
      return { type: "integer", minimum: 1, ...(type.most === undefined ? {} : { maximum: type.most }) };
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
