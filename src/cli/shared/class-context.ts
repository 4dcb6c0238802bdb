import type { InstallKey } from "../../domain/install-key.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { IDENTITY_MODES, type OperatorLimits } from "../../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../../domain/provider-class/parameters.ts";
import { SYNC_MODES, type SyncMode, syncMode } from "../../domain/schedule/class-annotations.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { type SettingsInForce, wordsOf } from "./settings-in-force.ts";
import type { TellProgress } from "./terminal.ts";
import type { Viewer } from "./viewer.ts";
import type { AzureAccess, WorkerCode } from "./worker-code.ts";

/** What looking at classes takes. */
export interface ClassContext {
  readonly viewer: Viewer;
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly tellProgress: TellProgress;
  readonly signal: AbortSignal;
  /** Of the install. */
  readonly namespace: string;
  readonly settings: WorkerSettings;
  readonly worker: WorkerCode;
  /** Undefined: the vault is left out. */
  readonly azure: AzureAccess | undefined;
  /** Files of `--cloud-env-dir`; undefined outside of the worker's pod. */
  readonly readCloudFile: ReadCloudFile | undefined;
  /** Of the install, for fingerprints of Secrets; undefined where the user may not read it, or it is not there yet. */
  readonly hmacKey: InstallKey | undefined;
}

/** The worker's settings that decide what becomes of a class. */
export interface WorkerSettings {
  readonly cloudName: string;
  readonly credentialsSecretNames: readonly string[];
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly limits: OperatorLimits;
  readonly syncMode: SyncMode;
  readonly syncSecret: boolean;
  readonly adoptsDriverSecrets: boolean;
  /** It reads no mirrored Secret, and writes each whole. */
  readonly isBlind: boolean;
  readonly restartsWorkloads: boolean;
  readonly healsClasses: boolean;
  readonly constructPemChain: boolean;
  readonly writeCertAndKeyInSeparateFiles: boolean;
}

export function workerSettings(settings: SettingsInForce): WorkerSettings {
  return {
    cloudName: settings["cloud-name"] ?? "",
    credentialsSecretNames: wordsOf(settings["credentials-secret-names"]),
    namespaces: wordsOf(settings.namespaces),
    limits: {
      vaults: wordsOf(settings["allowed-vaults"]),
      identityModes: IDENTITY_MODES.filter((mode) => wordsOf(settings["allowed-identity-modes"]).includes(mode)),
      managedIdentityNamespaces: wordsOf(settings["managed-identity-namespaces"]),
      cloudName: settings["cloud-name"] ?? "",
    },
    syncMode: SYNC_MODES.find((mode) => mode === settings["sync-mode"]) ?? "always",
    syncSecret: settings["sync-secret"] !== "false",
    adoptsDriverSecrets: settings["adopt-driver-secrets"] !== "false",
    isBlind: settings["secret-access"] === "blind",
    restartsWorkloads: settings["restart-workloads"] !== "false",
    healsClasses: wordsOf(settings.heal).includes("classes"),
    constructPemChain: settings["construct-pem-chain"] !== "false",
    writeCertAndKeyInSeparateFiles: settings["write-cert-and-key-in-separate-files"] === "true",
  };
}

/** Whether classes of the namespace are mirrored. */
export function isServed({ namespaces }: WorkerSettings, namespace: string): boolean {
  return namespaces.length === 0 || namespaces.includes(namespace);
}

/** Why nothing of the class is mirrored; undefined where something is. */
export function offBecause(settings: WorkerSettings, provider: SecretProviderClass): string | undefined {
  if (secretObjectsOf(provider).length === 0) return "the class mirrors nothing: it has no secretObjects";
  if (syncMode(provider, settings.syncMode) === "never") return "the class is not mirrored: its sync mode is never";
  if (!settings.syncSecret) return "the install mirrors nothing: --sync-secret is false";
  const { namespace = "" } = provider.metadata;
  return isServed(settings, namespace) ? undefined : `the class is not mirrored: --namespaces does not name ${namespace}`;
}

/** `namespace/name` */
export function keyOf({ metadata }: SecretProviderClass): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

/** How the same look is had with the worker's rights. */
export function insideTheWorker(namespace: string, className: string): string {
  return `kubectl exec -n ${namespace} deploy/keyvault-injector-sync -- node dist/main.js doctor class ${className}`;
}
