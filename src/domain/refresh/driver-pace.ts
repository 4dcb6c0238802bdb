import { formatDuration, parseDuration } from "../duration.ts";

/** Settings of one DaemonSet of the CSI driver, which determine when the driver updates mounted files. */
export interface DriverFacts {
  /** Its namespace and name. */
  readonly daemonSet: string;
  /** Images of its containers. */
  readonly images: readonly string[];
  /** Arguments of its containers. */
  readonly args: readonly string[];
  /** `requiresRepublish` of its CSIDriver object; undefined if the user cannot see the object. */
  readonly requiresRepublish: boolean | undefined;
}

/** How mounted files follow the vault. Times in milliseconds. */
export type DriverPace =
  /**
   * Version 1.6 and later: the driver updates files at the kubelet's next sync of the pod, unless they are younger than the interval. A
   * change of the pod causes a sync.
   */
  | { readonly kind: "republish"; readonly intervalMs: number; readonly atMostMs: number }
  /** Before 1.6: a timer of the driver on each node, which cannot be triggered. */
  | { readonly kind: "timer"; readonly intervalMs: number; readonly atMostMs: number }
  /** Files stay as they were when the pod started. */
  | { readonly kind: "never"; readonly why: string }
  /** `isWithoutDriver`: without a driver, no file is updated, and a restarted pod does not start. */
  | { readonly kind: "unknown"; readonly why: string; readonly isWithoutDriver?: true };

/** The driver's own default. */
const DEFAULT_INTERVAL_MS = 120_000;

/** The kubelet syncs each pod every minute, plus up to half a minute so that the pods are not all due at the same time. */
const KUBELET_SYNC_MS = 90_000;

/** When the timer fires, the driver processes every mount of its node, one after another. */
const ROUND_MS = 30_000;

/** Returns the pace of the cluster's drivers; unknown if they differ. Callers pass undefined if the user cannot see the DaemonSets. */
export function driverPace(drivers: readonly DriverFacts[] | undefined): DriverPace {
  if (drivers === undefined) return { kind: "unknown", why: "you lack permission to see the CSI driver's DaemonSet" };
  const [pace, ...others] = drivers.map(paceOf);
  if (pace === undefined) return { kind: "unknown", why: "no DaemonSet runs the CSI driver's image", isWithoutDriver: true };
  if (others.every((other) => JSON.stringify(other) === JSON.stringify(pace))) return pace;
  const names = drivers.map(({ daemonSet }) => daemonSet).join(" and ");
  return { kind: "unknown", why: `the DaemonSets ${names} run the CSI driver with different settings` };
}

function paceOf(facts: DriverFacts): DriverPace {
  if (flagIn(facts.args, "enable-secret-rotation") !== "true") {
    return { kind: "never", why: "the CSI driver runs without --enable-secret-rotation=true" };
  }
  const interval = parseDuration(flagIn(facts.args, "rotation-poll-interval") ?? "");
  const intervalMs = interval.ok ? interval.value : DEFAULT_INTERVAL_MS;
  const version = versionIn(facts.images);
  // Images in private registries may have no version. Only 1.6 and later use the field.
  const byKubelet = version === undefined ? facts.requiresRepublish === true : isFrom16(version);
  if (!byKubelet) return { kind: "timer", intervalMs, atMostMs: intervalMs + ROUND_MS };
  if (facts.requiresRepublish === false) {
    return { kind: "never", why: "the CSIDriver object lacks requiresRepublish: true, which version 1.6 of the driver needs to rotate" };
  }
  return { kind: "republish", intervalMs, atMostMs: intervalMs + KUBELET_SYNC_MS };
}

/** Returns the value of a flag. The last of equal flags counts, and a flag without a value is `true`. */
function flagIn(args: readonly string[], name: string): string | undefined {
  const index = args.findLastIndex((arg) => new RegExp(`^--?${name}(?:=|$)`).test(arg));
  const arg = args[index];
  if (arg === undefined) return undefined;
  const [, value] = arg.split("=");
  if (value !== undefined) return value.toLowerCase();
  const next = args[index + 1];
  return next === undefined || next.startsWith("-") ? "true" : next;
}

function versionIn(images: readonly string[]): readonly [number, number] | undefined {
  for (const image of images) {
    const [, major, minor] = /:v?(\d+)\.(\d+)(?:\.|-|@|$)/.exec(image) ?? [];
    if (major !== undefined && minor !== undefined) return [Number(major), Number(minor)];
  }
  return undefined;
}

function isFrom16([major, minor]: readonly [number, number]): boolean {
  return major > 1 || (major === 1 && minor >= 6);
}

/** Tells users how long the update of files takes, and how to update them now. */
export function paceText(pace: DriverPace): string {
  switch (pace.kind) {
    case "republish":
      return `mounted files follow at the kubelet's next sync of each pod, at most ${formatDuration(pace.atMostMs)} from now: the driver skips files that changed less than ${formatDuration(pace.intervalMs)} ago`;
    case "timer":
      return `mounted files follow within ${formatDuration(pace.atMostMs)}: this version of the CSI driver uses a timer and cannot be triggered; restart the pods to update the files now`;
    case "never":
      return `mounted files do not follow while a pod runs: ${pace.why}; restart the pods`;
    case "unknown":
      return `it is not known when the mounted files are updated: ${pace.why}; ${pace.isWithoutDriver === true ? "see keyvault-injector doctor" : WITH_DEFAULTS}`;
  }
}

const WITH_DEFAULTS = "with the CSI driver's default rotation it takes 2m30s to 3m30s. Restart the pods to update the files now";
