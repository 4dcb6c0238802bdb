import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../annotations.ts";
import { RecentCache } from "../recent-cache.ts";
import { failed, ok, type Result } from "../result.ts";
import { MOST_WINDOW_CHARACTERS, parseWindow, type RestartWindow, WINDOW_ADVICE, windowAt } from "../schedule/restart-window.ts";
import type { Hold, PausedBy } from "./hold.ts";
import type { Workload } from "./workload.ts";

export const RESTART_MODES = ["act", "dry-run", "paused"] as const;
export type RestartMode = (typeof RESTART_MODES)[number];

/** Settings for all workloads of the cluster that do not have their own. */
export interface ClusterControls {
  /** `--restart-mode` */
  readonly mode: RestartMode;
  /** `--restart-window` */
  readonly window: RestartWindow;
}

/** The users' settings for when a workload is restarted. */
export interface Controls {
  readonly pausedBy: PausedBy | undefined;
  readonly window: Result<RestartWindow, { readonly subject: string; readonly why: string }>;
}

/** Most cached windows. Each uses up to five kilobytes. */
const MOST_WINDOWS = 1_000;

type Annotations = Readonly<Record<string, string>>;

/**
 * Returns the controls of a workload. Its own window takes precedence over its template's, then its Namespace's, then the cluster's. A
 * pause at any level counts.
 */
export function controlsOf(workload: Pick<Workload, "own" | "annotations">, namespace: Annotations, cluster: ClusterControls): Controls {
  return { pausedBy: pausedBy(workload.own, namespace, cluster), window: windowOf(writtenWindow(workload, namespace), cluster) };
}

/** Returns the values of `restart-now` on the workload and its Namespace; undefined if neither has one. */
export function requestOf({ own }: Pick<Workload, "own">, namespace: Annotations): readonly string[] | undefined {
  const request = [own, namespace].map((each) => each[RESTART_ANNOTATIONS.now] ?? "");
  return request.every((value) => value === "") ? undefined : request;
}

function pausedBy(own: Annotations, namespace: Annotations, { mode }: ClusterControls): PausedBy | undefined {
  if (mode === "paused") return "cluster";
  if (isPaused(namespace)) return "namespace";
  return isPaused(own) ? "workload" : undefined;
}

/** Any value other than `"false"` pauses: its author probably meant to stop restarts. */
function isPaused(annotations: Annotations): boolean {
  return (annotations[RESTART_ANNOTATIONS.paused] ?? "false") !== "false";
}

/** By the text. Every write of a workload's status produces a new annotations object, but the text stays the same. */
const parsed = new RecentCache<ReturnType<typeof parseWindow>>(MOST_WINDOWS);

/** A window as a user wrote it, and the object that has it. */
export interface WrittenWindow {
  readonly text: string;
  readonly of: "the workload" | "its pod template" | "its Namespace";
}

/** Returns the window that applies; undefined if the cluster's does. */
export function writtenWindow(
  { own, annotations }: Pick<Workload, "own" | "annotations">,
  namespace: Annotations,
): WrittenWindow | undefined {
  const places = [
    { of: "the workload", annotations: own },
    { of: "its pod template", annotations },
    { of: "its Namespace", annotations: namespace },
  ] as const;
  const found = places.find((place) => place.annotations[POD_ANNOTATIONS.restartWindow] !== undefined);
  const text = found?.annotations[POD_ANNOTATIONS.restartWindow];
  return found === undefined || text === undefined ? undefined : { text, of: found.of };
}

function windowOf(written: WrittenWindow | undefined, cluster: ClusterControls): Controls["window"] {
  if (written === undefined) return ok(cluster.window);
  const { text, of } = written;
  const window = text.length > MOST_WINDOW_CHARACTERS ? parseWindow(text) : parsed.getOrCreate(text, () => parseWindow(text));
  if (window.ok) return window;
  return failed({ subject: `${POD_ANNOTATIONS.restartWindow} on ${of}`, why: `${window.error}: ${WINDOW_ADVICE}` });
}

export interface HoldInput {
  readonly controls: Controls;
  /** Whether the worker has not followed the request yet. */
  readonly isRequested: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Returns why a due restart cannot begin. An invalid window never opens. A request opens windows but does not end a pause. */
export function holdOf({ controls: { pausedBy: by, window }, isRequested, now }: HoldInput): Hold | undefined {
  if (by !== undefined) return { kind: "paused", by };
  if (isRequested) return undefined;
  if (!window.ok) return { kind: "invalidWindow", ...window.error };
  const state = windowAt(window.value, now);
  return state.isOpen ? undefined : { kind: "window", opensAt: state.opensAt };
}
