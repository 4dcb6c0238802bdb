/** The chart's value for each flag of our processes, and the reason why some flags have none. */
import { assertNever } from "../../src/domain/assert-never.ts";
import { formatDuration } from "../../src/domain/duration.ts";
import { boundsOf, type Setting, type SettingBounds, type SettingKind } from "../../src/runtime/setting.ts";
import { SETTINGS, type SettingName } from "../../src/runtime/settings.ts";
import { withNamesAsCode } from "../reference/page.ts";
import type { Json, JsonMap } from "./place.ts";
import { BOOLEAN, DURATION, OWN_TEXT, OWN_TEXTS, TEXT, type ValueRow, WINDOW } from "./value-row.ts";

export type SettingPlace =
  /**
   * A top-level value of our own with the flag's name. `also`: a further sentence for the value's description. `decide`: named template
   * that computes the flag, also if the value is not set.
   */
  | { readonly kind: "value"; readonly also: string; readonly decide?: string }
  /** The same for an argument of the manifest. The chart decides unless the value does. */
  | { readonly kind: "decided"; readonly also: string }
  /** A value that upstream's charts have already. */
  | { readonly kind: "upstream"; readonly path: string }
  | { readonly kind: "none"; readonly because: string };

/** `also` tells users when to change the value. */
const value = (also: string): SettingPlace => ({ kind: "value", also });
const upstream = (path: string): SettingPlace => ({ kind: "upstream", path });
const none = (because: string): SettingPlace => ({ kind: "none", because });

const FROM_THE_POD = "set by the pod itself";
const FIXED_PORT = "Service, probes and network policies name it";
const CERT_MANAGER = "given where certManager.enabled is";

/** Give each new setting a place here, and generate the chart's files with `npm run render-manifests`. */
export const SETTING_PLACES: Readonly<Record<SettingName, SettingPlace>> = {
  "sync-secret": upstream("secrets-store-csi-driver.syncSecret.enabled"),
  "enable-secret-rotation": upstream("secrets-store-csi-driver.enableSecretRotation"),
  "rotation-poll-interval": upstream("secrets-store-csi-driver.rotationPollInterval"),
  "event-queues": value(
    "Set this value to get new versions into Secrets within seconds. An example is `https://<account>.queue.core.windows.net/<queue>;identity=managed;clientID=<client id>`.",
  ),
  "sync-mode": value(
    "With `while-used`, Secrets exist only while a pod mounts the class, as with the driver's own sync. With `never`, the worker syncs only classes whose annotation `keyvault-injector.dev/sync` requests it.",
  ),
  "unused-grace": value("Raise the value if no pod uses the class for longer than this, for example between the runs of a CronJob."),
  "expiry-warning": value("Lower the value if objects are valid for less than a month."),
  "restart-workloads": value("Use `false` if another controller restarts workloads."),
  "restart-mode": value("With `dry-run`, the worker only reports due restarts. With `paused`, restarts wait until you change the value."),
  "restart-window": value(
    "Set the maintenance window of the cluster, such as `0 22 * * MON-FRI for 4h in Europe/Berlin`. Separate several windows with `;`.",
  ),
  "restart-argo-rollouts": value("The value also grants the worker permission to patch Rollouts."),
  "respect-disruption-budgets": value("The value also grants the worker permission to read PodDisruptionBudgets."),
  shards: value(
    "The number can be 1 to 16. Raise the number if you cannot give a single pod enough memory or CPU time. Set `sync.replicas` to one more than this number, so that one pod is on standby. The chart rejects fewer replicas than shards.",
  ),
  "max-rollouts": value("Lower the value if simultaneous restarts in many namespaces overload nodes or backends."),
  "max-rollouts-per-namespace": value("Raise the value if a rotation takes too long to reach all workloads in a namespace."),
  "rollout-timeout": value("Raise the value if pods take longer to become ready."),
  "mounted-files-grace": value(
    "Raise the value if the driver's `rotationPollInterval` is longer than a few minutes. Use `0s` if the driver does not rotate files.",
  ),
  namespaces: value(
    "If you set this value, the chart limits the worker's permissions to these namespaces and the namespace of the install.",
  ),
  "credentials-secret-names": value("Add the names that your classes use. The worker can read only Secrets with these names."),
  "allowed-vaults": value("List your vaults if class authors must not use other vaults."),
  "allowed-identity-modes": value(
    "List the kinds that you have set up. If you set this value, and it lists neither `workload-identity` nor `identity-binding`, the worker has no permission to request ServiceAccount tokens.",
  ),
  "identity-bindings": value("The value also allows the worker to request ServiceAccount tokens for `api://AKSIdentityBinding`."),
  "token-proxy-url": value("Set this value if AKS specifies a token proxy other than the API server."),
  "sni-name": value("Set this value if the API server's certificate does not contain the cluster's name."),
  "managed-identity-namespaces": {
    kind: "value",
    decide: "keyvault-injector.managed-identity-namespaces",
    also: "If unset, the chart uses no namespaces in a new install, `*` with `preset: extension`, and the previous value in an upgrade. In an upgrade from 0.3.0, it uses the namespaces that currently use the identity.",
  },
  "secret-access": value(
    "With `blind`, the worker cannot read the cluster's Secrets, and detects edits to synced Secrets only at the next poll.",
  ),
  "adopt-driver-secrets": value(
    "The worker detects that sync only through ClusterRoleBindings. Use `false` if RoleBindings still allow it in some namespaces.",
  ),
  "cloud-name": value("Set this value in Azure Government and in Azure in China."),
  "cloud-env-dir": value("Custom clouds require this value. Mount the folder with `sync.volumes` and `sync.volumeMounts`."),
  "construct-pem-chain": upstream("constructPEMChain"),
  "write-cert-and-key-in-separate-files": upstream("writeCertAndKeyInSeparateFiles"),
  "gateway-classes": value("The value also grants the worker permissions on Gateways."),
  "ingress-classes": value("The value also grants the worker permissions on Ingresses."),
  "tenant-id": value("Required if ServiceAccounts do not have the annotation `azure.workload.identity/tenant-id`."),
  "node-identity-client-id": value(
    "Set this value if Gateways or Ingresses do not specify a ServiceAccount, and the node has several managed identities.",
  ),
  heal: value("Omit a part if only your GitOps tool should restore the objects of that part."),
  "heal-node-side": {
    kind: "decided",
    also: "If unset, the value is `false` in a new install, `true` with `preset: extension`, and the previous value in an upgrade. In an upgrade from 0.3.0, it is `true`. With `secretAccess: blind` or `classAuthors: deny`, an unset value always means `false`.",
  },
  "heal-webhook": none("`injection.mode` decides it"),
  "strict-annotations": value("Use `true` to prevent pods with a mistyped annotation from starting."),
  "log-level": value("With `debug`, the log also shows the reasons for decisions."),
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
  "drain-delay": value("Raise the value if requests fail while a replica shuts down."),
  "crds-dir": none("the image has them"),
  kubeconfig: none("pods have an account"),
};

/** Returns `syncMode` for `--sync-mode`. */
export function valueNameOf(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Path of the chart's value. Undefined if the chart has none. */
export function valuePathOf(flag: SettingName): string | undefined {
  const place = SETTING_PLACES[flag];
  if (place.kind === "none") return undefined;
  return place.kind === "upstream" ? place.path : valueNameOf(flag);
}

function boundedInteger({ least, most }: SettingBounds): JsonMap {
  return { type: "integer", minimum: least, ...(most === undefined ? {} : { maximum: most }) };
}

function typeOf({ type }: Setting): JsonMap {
  switch (type.kind) {
    case "boolean":
      return BOOLEAN;
    case "count":
      return boundedInteger(boundsOf(type));
    case "duration":
      return DURATION;
    case "choice":
      return { enum: [...type.choices] };
    case "namespaces":
    case "eventQueues":
      return OWN_TEXTS;
    case "list":
      return type.choices === undefined ? OWN_TEXTS : { type: ["array", "null"], items: { enum: [...type.choices] } };
    case "window":
      return WINDOW;
    case "text":
    case "cloud":
      return OWN_TEXT;
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
  const meaning = `${withNamesAsCode(setting.help)} ${place.also}`;
  if (place.kind === "decided") return [{ path: valueNameOf(flag), default: null, type: { type: ["boolean", "null"] }, flag, meaning }];
  const isDecided = place.decide !== undefined;
  return [{ path: valueNameOf(flag), default: isDecided ? null : defaultOf(setting), type: typeOf(setting), flag, meaning }];
});

/** Smallest and largest duration of a value, in milliseconds, and how the chart's message writes them. */
export interface DurationBounds extends SettingBounds {
  readonly path: string;
  readonly written: string;
}

/** JSON Schema has no order of durations, so the chart's own checks compare them. */
export const DURATION_BOUNDS: readonly DurationBounds[] = settings.flatMap(([flag, { type }]) => {
  const path = valuePathOf(flag);
  if (path === undefined || type.kind !== "duration") return [];
  const bounds = boundsOf(type);
  const least = bounds.least === 0 ? [] : [`at least ${formatDuration(bounds.least)}`];
  const most = bounds.most === undefined ? [] : [`at most ${formatDuration(bounds.most)}`];
  return [{ path, ...bounds, written: [...least, ...most].join(" and ") }];
});

/** Named templates that render the arguments that differ from the program's defaults. */
export function settingsTemplates(): string {
  const template = (process: "sync" | "webhook"): string => {
    const flags = settings.flatMap(([flag, setting]) => (isFor(process, flag) ? argumentLines(flag, setting) : []));
    return [`{{- define "keyvault-injector.${process}-settings" -}}`, ...flags, "{{- end -}}"].join("\n");
  };
  return `${template("sync")}\n\n${template("webhook")}\n`;
}

/** Flags that are arguments of the manifest itself. */
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
  // An upgrade with `--reuse-values` from an older chart lacks the value of a newer setting, which renders as empty text. For a list, empty
  // text is itself a value.
  const mayLack = !isList(setting.type) && setting.type.kind !== "duration" && setting.default !== "";
  const isOther = mayLack ? `not (has ${given} (list "" ${usual}))` : `ne ${given} ${usual}`;
  return [`{{- if ${isOther} }}`, `- {{ printf "--${flag}=%s" ${given} | quote }}`, "{{- end }}"];
}
