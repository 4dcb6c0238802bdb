/** Settings of owners for the times at which their workloads may restart: docs/how-to/restart-on-rotation.md. */
import type { Cluster } from "./cluster.ts";

const WINDOW = "keyvault-injector.dev/restart-window";
const PAUSED = "keyvault-injector.dev/restart-paused";
const NOW = "keyvault-injector.dev/restart-now";
/** Only the worker writes this. */
export const NOW_ANSWERED = "keyvault-injector.dev/restart-now-answered";

const HOUR = 3_600_000;
const MERGE_PATCH = "application/merge-patch+json";

/** A window of every hour, from a minute on. */
export interface Window {
  readonly minute: number;
  readonly minutes: number;
}

export interface Controls {
  readonly window: Window | undefined;
  readonly isPaused: boolean;
  readonly answered: string | undefined;
}

export function windowText({ minute, minutes }: Window): string {
  return `${minute} * * * * for ${minutes}m in UTC`;
}

/** Returns the settings in a workload's own annotations. */
export function controlsIn(annotations: Readonly<Record<string, string>> = {}): Controls {
  const [, minute, minutes] = /^(\d+) \* \* \* \* for (\d+)m in UTC$/.exec(annotations[WINDOW] ?? "") ?? [];
  return {
    window: minute === undefined ? undefined : { minute: Number(minute), minutes: Number(minutes) },
    isPaused: annotations[PAUSED] === "true",
    answered: annotations[NOW_ANSWERED],
  };
}

/** Returns the time at which the window last opened; virtual milliseconds, which begin at a full hour. */
export function lastOpening({ minute }: Window, now: number): number {
  const since = (((now - minute * 60_000) % HOUR) + HOUR) % HOUR;
  return now - since;
}

export function isOpen(window: Window, now: number): boolean {
  return now - lastOpening(window, now) < window.minutes * 60_000;
}

interface Where {
  readonly namespace: string;
  readonly name: string;
}

function annotateItself(cluster: Cluster, { namespace, name }: Where, annotations: Readonly<Record<string, string | null>>): boolean {
  const body = { metadata: { annotations } };
  return (
    cluster.request("PATCH", `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, body, {
      contentType: MERGE_PATCH,
      user: "author",
    }).status < 300
  );
}

/** Sets the window; undefined: at any time. */
export function setWindow(cluster: Cluster, where: Where, window: Window | undefined): boolean {
  return annotateItself(cluster, where, { [WINDOW]: window === undefined ? null : windowText(window) });
}

export function setPaused(cluster: Cluster, where: Where, isPaused: boolean): boolean {
  return annotateItself(cluster, where, { [PAUSED]: isPaused ? "true" : null });
}

export function askForRestart(cluster: Cluster, where: Where, value: string): boolean {
  return annotateItself(cluster, where, { [NOW]: value });
}
