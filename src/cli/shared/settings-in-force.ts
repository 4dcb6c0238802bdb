import { OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
import { parseConfig } from "../../runtime/config.ts";
import { environmentNameOf, type Setting } from "../../runtime/setting.ts";
import { SETTINGS, type SettingName } from "../../runtime/settings.ts";
import { MORE_RESOURCES } from "./resources.ts";
import { type Look, type Viewer, valueIn } from "./viewer.ts";

/** A Deployment or DaemonSet, as far as it says what runs and how. */
export interface WorkloadObject extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: {
        readonly serviceAccountName?: string;
        readonly containers?: readonly Container[];
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
  readonly name?: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

export function imagesOf({ spec }: WorkloadObject): readonly string[] {
  return (spec?.template?.spec?.containers ?? []).map(({ image = "" }) => image);
}

export type SettingsInForce = Readonly<Partial<Record<SettingName, string>>>;

/**
 * What the process of a Deployment runs with: its flags, else its variables, else the defaults. Only settings are taken, and none of
 * them is a secret: other variables, a proxy's password among them, are not looked at.
 */
export function settingsOf(workload: WorkloadObject | undefined): SettingsInForce {
  const container = workload?.spec?.template?.spec?.containers?.[0];
  const names = Object.keys(SETTINGS) as SettingName[]; // The table's own keys.
  return Object.fromEntries(names.map((name) => [name, flagOf(container, name) ?? variableOf(container, name) ?? SETTINGS[name].default]));
}

/**
 * Why the process of a Deployment of ours refuses to start with its settings, in its own words; empty where it starts. Only settings are
 * taken, and none that Kubernetes puts in itself.
 */
export function settingProblems(workload: WorkloadObject | undefined): readonly string[] {
  const { args = [], env = [] } = workload?.spec?.template?.spec?.containers?.[0] ?? {};
  // The first word is the name of the process.
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
  // The last of equal flags wins.
  const index = args.findLastIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const arg = args[index];
  if (arg === undefined) return undefined;
  return arg.includes("=") ? arg.slice(name.length + 3) : args[index + 1];
}

function variableOf(container: Container | undefined, name: string): string | undefined {
  const value = container?.env?.find((variable) => variable.name === environmentNameOf(name))?.value;
  return value === "" ? undefined : value;
}

/** The worker's own settings, as its Deployment has them; the defaults where it is not there yet, or may not be seen. */
export async function workerSettingsInForce(viewer: Viewer, namespace: string): Promise<SettingsInForce> {
  return settingsOf(valueIn(await lookAtWorker(viewer, namespace)));
}

/** Those that the worker refuses to start with: {@link settingProblems}. */
export async function workerSettingProblems(viewer: Viewer, namespace: string): Promise<readonly string[]> {
  return settingProblems(valueIn(await lookAtWorker(viewer, namespace)));
}

/** The same for who must not take a default for what somebody set: a look at what may not be seen stays one. */
export async function lookAtWorkerSettings(viewer: Viewer, namespace: string): Promise<Look<SettingsInForce>> {
  const look = await lookAtWorker(viewer, namespace);
  return look.kind === "unseen" ? look : { kind: "seen", value: settingsOf(valueIn(look)) };
}

function lookAtWorker(viewer: Viewer, namespace: string): Promise<Look<WorkloadObject>> {
  return viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
}
