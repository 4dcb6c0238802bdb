import { grantsOf, type NamespaceGrants } from "../../domain/grants/namespace-grants.ts";
import { readPod } from "../../domain/injection/pod.ts";
import { CSI_DRIVER } from "../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES, type Secret, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { isPlaceholder, isSecretPlaceholder } from "../../domain/placeholder.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { IDENTITY_MODES, type OperatorLimits } from "../../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../../domain/provider-class/parameters.ts";
import { credentialsKeyIn } from "../../domain/provider-class/service-principal.ts";
import { SYNC_MODES, type SyncMode } from "../../domain/schedule/class-annotations.ts";
import { shell } from "../../domain/shell-words.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { switchedOffBy } from "../../domain/sync/switched-off.ts";
import { wordsOf } from "../../domain/words.ts";
import type { TokenProxySettings } from "../../runtime/token-proxy-place.ts";
import type { AzureAccess, Cluster, CommandContext } from "./command.ts";
import { type SettingsInForce, workerSettingsInForce } from "./settings-in-force.ts";
import type { ReportProgress } from "./terminal.ts";
import { createViewer, listed, type Viewer, type ViewResult } from "./viewer.ts";
import { type Fingerprints, type WorkerCode, workerCode } from "./worker-code.ts";

/** Dependencies of commands that check classes. */
export interface ClassContext {
  readonly viewer: Viewer;
  readonly kube: KubeClient;
  readonly install: Install;
  readonly worker: WorkerCode;
  /** Undefined: the command does not query vaults. */
  readonly azure: (AzureAccess & WithCloudFiles) | undefined;
  readonly clock: Clock;
  readonly reportProgress: ReportProgress;
  readonly signal: AbortSignal;
}

/** Install whose worker syncs the classes. */
export interface Install {
  readonly namespace: string;
  readonly settings: ClassSettings;
  /** Fingerprints of the install's Secrets; undefined if the user may not read the key, or the key does not exist yet. */
  readonly fingerprints: Fingerprints | undefined;
}

interface WithCloudFiles {
  /** Reads files of `--cloud-env-dir`; undefined outside of the worker's pod. */
  readonly readCloudFile: ReadCloudFile | undefined;
}

export interface ContextOptions {
  readonly cluster: Cluster;
  readonly context: CommandContext;
  /** Namespace of the install. */
  readonly namespace: string;
  /** Whether the command queries vaults, and reads credentials for it. */
  readonly asksVaults: boolean;
}

export async function openClassContext({ cluster: { kube }, context, namespace, asksVaults }: ContextOptions): Promise<ClassContext> {
  const { signal, clock, terminal } = context;
  const viewer = createViewer({ kube }, signal);
  const worker = await workerCode();
  const settings = await workerSettingsInForce(viewer, namespace);
  const azure = asksVaults ? await context.openAzure(bindingSettings(settings)) : undefined;
  const reading = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: worker.hmacKeySecret });
  const key = reading.kind === "seen" ? worker.hmacKeyIn(reading.value) : undefined;
  const fingerprints = key && worker.createFingerprints(key.bytes);
  const readCloudFile = azure?.isInCluster === true ? worker.cloudFileReader(settings["cloud-env-dir"] ?? "") : undefined;
  return {
    viewer,
    kube,
    install: { namespace, settings: workerSettings(settings), fingerprints },
    worker,
    azure: azure && { ...azure, readCloudFile },
    clock,
    reportProgress: terminal.reportProgress,
    signal,
  };
}

/** Returns undefined if identity bindings are off. */
function bindingSettings(settings: SettingsInForce): TokenProxySettings | undefined {
  const { "identity-bindings": isOn, "token-proxy-url": tokenProxyUrl = "", "sni-name": sniName = "" } = settings;
  return isOn === "true" ? { tokenProxyUrl, sniName } : undefined;
}

/** Settings of the worker that determine how it handles a class. */
export interface ClassSettings {
  readonly credentialsSecretNames: readonly string[];
  /** Served namespaces; empty: all. */
  readonly namespaces: readonly string[];
  readonly limits: OperatorLimits;
  readonly syncMode: SyncMode;
  readonly syncSecret: boolean;
  readonly adoptDriverSecrets: boolean;
  readonly shards: number;
  /** Settings for the conversion of objects to files. */
  readonly files: { readonly constructPemChain: boolean; readonly writeCertAndKeyInSeparateFiles: boolean };
}

export function workerSettings(settings: SettingsInForce): ClassSettings {
  return {
    credentialsSecretNames: wordsOf(settings["credentials-secret-names"]),
    namespaces: wordsOf(settings.namespaces),
    limits: {
      allowedVaults: wordsOf(settings["allowed-vaults"]),
      allowedIdentityModes: allowedModes(settings),
      managedIdentityNamespaces: wordsOf(settings["managed-identity-namespaces"]),
      cloudName: settings["cloud-name"] ?? "",
      identityBindings: settings["identity-bindings"] === "true",
    },
    syncMode: SYNC_MODES.find((mode) => mode === settings["sync-mode"]) ?? "always",
    syncSecret: settings["sync-secret"] !== "false",
    adoptDriverSecrets: settings["adopt-driver-secrets"] !== "false",
    shards: Number(settings.shards ?? "1"),
    files: {
      constructPemChain: settings["construct-pem-chain"] !== "false",
      writeCertAndKeyInSeparateFiles: settings["write-cert-and-key-in-separate-files"] === "true",
    },
  };
}

/** Returns the allowed identity modes; empty: all. */
export function allowedModes(settings: SettingsInForce): OperatorLimits["allowedIdentityModes"] {
  return IDENTITY_MODES.filter((mode) => wordsOf(settings["allowed-identity-modes"]).includes(mode));
}

/** Whether the worker serves the namespace. */
export function isServed({ namespaces }: ClassSettings, namespace: string): boolean {
  return namespaces.length === 0 || namespaces.includes(namespace);
}

/** Whether pods only mount the class. It still has a status if the worker tracks its versions for workloads that request restarts. */
export function mirrorsNothing(spc: SecretProviderClass): boolean {
  return secretObjectsOf(spc).length === 0;
}

/** Returns why the worker syncs no Secret of the class; undefined if it syncs one. */
export function offBecause(settings: ClassSettings, spc: SecretProviderClass): string | undefined {
  return mirrorsNothing(spc) ? "the class syncs nothing: it has no secretObjects" : notHandledBecause(settings, spc);
}

/** Returns why the worker does not handle the class, whatever it contains; undefined if the worker handles it. */
export function notHandledBecause(settings: ClassSettings, spc: SecretProviderClass): string | undefined {
  const by = switchedOffBy(spc, settings);
  if (by !== undefined) return `sync is turned off by ${by}`;
  const { namespace = "" } = spc.metadata;
  return isServed(settings, namespace) ? undefined : `the class is not synced: --namespaces does not name ${namespace}`;
}

/** Returns the command that makes the same check with the worker's permissions. */
export function insideTheWorker(namespace: string, className: string): string {
  return shell`kubectl exec -n ${namespace} deploy/keyvault-injector-sync -- node dist/main.js doctor class ${className}`;
}

/** Reads the grants of a Namespace. */
export async function readGrants(viewer: Viewer, namespace: string): Promise<ViewResult<NamespaceGrants>> {
  const reading = await viewer.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  if (reading.kind === "seen") return { kind: "seen", value: grantsOf(reading.value) };
  if (reading.kind !== "unseen") return reading;
  // The worker's account may list Namespaces, but not get them.
  const [found] = listed(await viewer.all<KubeObject>(RESOURCES.namespaces, { fieldSelector: `metadata.name=${namespace}` }));
  return found === undefined ? reading : { kind: "seen", value: grantsOf(found) };
}

/** A pod that mounts a class, and the account and credentials that it uses for that. */
export interface Consumer {
  readonly name: string;
  readonly account: string;
  readonly credentials: readonly string[];
}

export async function readConsumers(viewer: Viewer, { metadata }: SecretProviderClass): Promise<ViewResult<readonly Consumer[]>> {
  const { namespace = "", name } = metadata;
  const reading = await viewer.all<KubeObject & { readonly spec?: { readonly serviceAccountName?: string } }>(RESOURCES.pods, {
    namespace,
  });
  if (reading.kind !== "seen") return reading;
  const consumers = reading.value.flatMap((object) => {
    const pod = readPod(object);
    const volumes = pod.ok ? pod.value.volumes.filter(({ csi }) => csi?.driver === CSI_DRIVER && csi.secretProviderClass === name) : [];
    if (volumes.length === 0) return [];
    const { serviceAccountName: account = "default" } = object.spec ?? {};
    return [{ name: object.metadata.name, account, credentials: volumes.flatMap(({ csi }) => csi?.credentialsSecret ?? []) }];
  });
  return { kind: "seen", value: consumers };
}

/** Returns distinct names in order. */
export function namesIn(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}

/**
 * Returns the names that consumers use. If the user may not list pods, the result is the same as for a class without consumers: the class's
 * annotation, or the default, then counts.
 */
export async function namesOfConsumers(viewer: Viewer, spc: SecretProviderClass) {
  const consumers = listed(await readConsumers(viewer, spc));
  return {
    consumerNames: namesIn(consumers.flatMap(({ credentials }) => credentials)),
    consumerAccounts: namesIn(consumers.map(({ account }) => account)),
  };
}

export const CREDENTIALS_KEYS: readonly string[] = ["clientid", "clientsecret"];

/** Returns keys of a credentials Secret (base64) with white space around the value. `echo` and editors leave a newline, which is sent. */
export function paddedKeys(data: Readonly<Record<string, string>>): readonly string[] {
  return usedKeys(data, (text) => text !== text.trim());
}

/** Returns keys of a credentials Secret (base64) that still have a placeholder as their value. */
export function unfilledKeys(data: Readonly<Record<string, string>>): readonly string[] {
  return usedKeys(data, (text, key) => (key === "clientsecret" ? isSecretPlaceholder(text) : isPlaceholder(text)));
}

/** Checks, of several spellings of a key, only the one that is used. */
function usedKeys(data: Readonly<Record<string, string>>, isWrong: (text: string, key: string) => boolean): readonly string[] {
  return CREDENTIALS_KEYS.flatMap((key) => {
    const spelling = credentialsKeyIn(data, key);
    return spelling !== undefined && isWrong(Buffer.from(data[spelling] ?? "", "base64").toString("utf8"), key) ? [spelling] : [];
  });
}

/** Returns `clientid and clientsecret of Secret a are still placeholders`. `of`: the Secret, as the message calls it. */
export function unfilledText(keys: readonly string[], of: string): string {
  return `${keys.join(" and ")} of ${of} ${keys.length === 1 ? "is still a placeholder" : "are still placeholders"}`;
}

export function paddedText(keys: readonly string[], of: string): string {
  const what = keys.length === 1 ? "begins or ends" : "begin or end";
  return `${keys.join(" and ")} of ${of} ${what} with white space, such as a newline: the sign-in fails`;
}
