import { formatDuration, parseDuration } from "../duration.ts";

/**
 * Settings that determine when the CSI driver updates mounted files. Callers pass undefined if the user cannot see the driver's DaemonSet.
 */
export interface DriverFacts {
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
  | { readonly kind: "unknown"; readonly why: string };

const NO_DRIVER = "no DaemonSet runs the CSI driver's image";

/** The driver's own default. */
const DEFAULT_INTERVAL_MS = 120_000;

/** The kubelet syncs each pod every minute, plus up to half a minute so that the pods are not all due at the same time. */
const KUBELET_SYNC_MS = 90_000;

/** When the timer fires, the driver processes every mount of its node, one after another. */
const ROUND_MS = 30_000;

export function driverPace(facts: DriverFacts | undefined): DriverPace {
  if (facts === undefined) return { kind: "unknown", why: "you lack permission to see the CSI driver's DaemonSet" };
  if (facts.images.length === 0) return { kind: "unknown", why: NO_DRIVER };
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
      return `it is not known when the mounted files are updated: ${pace.why}; ${adviceWithout(pace.why)}`;
  }
}

/** Without a driver, no file is updated, and a restarted pod does not start. */
function adviceWithout(why: string): string {
  return why === NO_DRIVER
    ? "see keyvault-injector doctor"
    : "with the CSI driver's default rotation it takes 2m30s to 3m30s. Restart the pods to update the files now";
}
