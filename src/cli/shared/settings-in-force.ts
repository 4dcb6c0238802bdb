import { OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
import { parseConfig } from "../../runtime/config.ts";
import { environmentNameOf, type Setting } from "../../runtime/setting.ts";
import { SETTINGS, type SettingName } from "../../runtime/settings.ts";
import { MORE_RESOURCES } from "./resources.ts";
import { type Viewer, type ViewResult, valueIn } from "./viewer.ts";

/** Fields of a Deployment or DaemonSet that say what runs, and how. */
export interface WorkloadObject extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: {
        readonly serviceAccountName?: string;
        readonly containers?: readonly Container[];
        readonly volumes?: readonly { readonly hostPath?: { readonly path?: string } }[];
      };
    };
  };
  readonly status?: {
    readonly readyReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
  };
}

interface Container {
  readonly image?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

export function imagesOf({ spec }: WorkloadObject): readonly string[] {
  return (spec?.template?.spec?.containers ?? []).map(({ image = "" }) => image);
}

export type SettingsInForce = Readonly<Partial<Record<SettingName, string>>>;

/**
 * Returns the settings of a Deployment's process: its flags, otherwise its variables, otherwise the defaults. Reads only settings, none of
 * which is a secret, and no other variables, such as the password of a proxy.
 */
export function settingsOf(workload: WorkloadObject | undefined): SettingsInForce {
  const container = workload?.spec?.template?.spec?.containers?.[0];
  const names = Object.keys(SETTINGS) as SettingName[]; // The table's own keys.
  return Object.fromEntries(names.map((name) => [name, flagOf(container, name) ?? variableOf(container, name) ?? SETTINGS[name].default]));
}

/**
 * Returns why the process of one of the install's Deployments refuses to start with its settings, in its own words; empty if it starts.
 * Considers only settings, and none that Kubernetes itself fills in.
 */
export function settingProblems(workload: WorkloadObject | undefined): readonly string[] {
  const { args = [], env = [] } = workload?.spec?.template?.spec?.containers?.[0] ?? {};
  // The first word may be the name of the process.
  const flags = args.slice(args[0]?.startsWith("--") === false ? 1 : 0).filter((arg) => !arg.includes("$("));
  const parsed = parseConfig(
    flags,
    Object.fromEntries(env.map(({ name, value }) => [name, SETTING_VARIABLES.has(name) ? value : undefined])),
  );
  return parsed.ok ? [] : parsed.error;
}

const SETTING_VARIABLES: ReadonlySet<string> = new Set(
  Object.entries<Setting>(SETTINGS).flatMap(([name, { environment }]) => [environmentNameOf(name), environment ?? []].flat()),
);

function flagOf(container: Container | undefined, name: string): string | undefined {
  const args = container?.args ?? [];
  // If a flag is repeated, the last one counts.
  const index = args.findLastIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const arg = args[index];
  if (arg === undefined) return undefined;
  return arg.includes("=") ? arg.slice(name.length + 3) : args[index + 1];
}

function variableOf(container: Container | undefined, name: string): string | undefined {
  const value = container?.env?.find((variable) => variable.name === environmentNameOf(name))?.value;
  return value === "" ? undefined : value;
}

/** Returns the settings in the worker's Deployment; the defaults if it does not exist yet, or the user may not read it. */
export async function workerSettingsInForce(viewer: Viewer, namespace: string): Promise<SettingsInForce> {
  return settingsOf(valueIn(await readWorker(viewer, namespace)));
}

/** Returns the problems of the worker's settings: {@link settingProblems}. */
export async function workerSettingProblems(viewer: Viewer, namespace: string): Promise<readonly string[]> {
  return settingProblems(valueIn(await readWorker(viewer, namespace)));
}

/** Returns the same, for callers that must not mistake a default for a setting: `unseen` if the user may not read the Deployment. */
export async function readWorkerSettings(viewer: Viewer, namespace: string): Promise<ViewResult<SettingsInForce>> {
  const reading = await readWorker(viewer, namespace);
  return reading.kind === "unseen" ? reading : { kind: "seen", value: settingsOf(valueIn(reading)) };
}

function readWorker(viewer: Viewer, namespace: string): Promise<ViewResult<WorkloadObject>> {
  return viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
}
