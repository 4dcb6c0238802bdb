import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../annotations.ts";
import { RecentCache } from "../recent-cache.ts";
import { failed, ok, type Result } from "../result.ts";
import { MOST_WINDOW_CHARACTERS, parseWindow, type RestartWindow, WINDOW_ADVICE, windowAt } from "../schedule/restart-window.ts";
import type { Hold, PausedBy } from "./hold.ts";
import type { Workload } from "./workload.ts";

export const RESTART_MODES = ["act", "dry-run", "paused"] as const;
export type RestartMode = (typeof RESTART_MODES)[number];

/** What holds for all workloads of the cluster that do not say otherwise. */
export interface ClusterControls {
  /** `--restart-mode` */
  readonly mode: RestartMode;
  /** `--restart-window` */
  readonly window: RestartWindow;
}

/** What people say about when a workload is restarted. */
export interface Controls {
  readonly pausedBy: PausedBy | undefined;
  readonly window: Result<RestartWindow, { readonly subject: string; readonly why: string }>;
}

/** Each takes up to five kilobytes. */
const MOST_WINDOWS = 1_000;

type Annotations = Readonly<Record<string, string>>;

/** The workload's own word before its template's, that before the Namespace's, that before the cluster's. Whatever pauses counts. */
export function controlsOf(workload: Pick<Workload, "own" | "annotations">, namespace: Annotations, cluster: ClusterControls): Controls {
  return { pausedBy: pausedBy(workload.own, namespace, cluster), window: windowOf(writtenWindow(workload, namespace), cluster) };
}

/** The values of `restart-now` that count for it, on itself and on its Namespace; undefined where there is none. */
export function requestOf({ own }: Pick<Workload, "own">, namespace: Annotations): readonly string[] | undefined {
  const request = [own, namespace].map((each) => each[RESTART_ANNOTATIONS.now] ?? "");
  return request.every((value) => value === "") ? undefined : request;
}

function pausedBy(own: Annotations, namespace: Annotations, { mode }: ClusterControls): PausedBy | undefined {
  if (mode === "paused") return "cluster";
  if (isPaused(namespace)) return "namespace";
  return isPaused(own) ? "workload" : undefined;
}

/** A value that is neither was meant to stop something. */
function isPaused(annotations: Annotations): boolean {
  return (annotations[RESTART_ANNOTATIONS.paused] ?? "false") !== "false";
}

/** By the text, which stays as it is where each write of a workload's status brings new annotations. */
const parsed = new RecentCache<ReturnType<typeof parseWindow>>(MOST_WINDOWS);

/** A window as somebody wrote it, and whose it is. */
export interface WrittenWindow {
  readonly text: string;
  readonly of: "its own" | "its template" | "its Namespace";
}

/** The one that counts; undefined where the cluster's does. */
export function writtenWindow(
  { own, annotations }: Pick<Workload, "own" | "annotations">,
  namespace: Annotations,
): WrittenWindow | undefined {
  const places = [
    { of: "its own", annotations: own },
    { of: "its template", annotations },
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
  const whose = of === "its own" ? of : `${of}'s`;
  return failed({ subject: `${whose} ${POD_ANNOTATIONS.restartWindow}`, why: `${window.error}: ${WINDOW_ADVICE}` });
}

export interface HoldInput {
  readonly controls: Controls;
  /** The request was not followed yet. */
  readonly isRequested: boolean;
  /** Unix milliseconds. */
  readonly now: number;
}

/** What keeps a restart that is due from beginning; a window that cannot be read never opens. A request opens windows, and ends no pause. */
export function holdOf({ controls: { pausedBy: by, window }, isRequested, now }: HoldInput): Hold | undefined {
  if (by !== undefined) return { kind: "paused", by };
  if (isRequested) return undefined;
  if (!window.ok) return { kind: "invalidWindow", ...window.error };
  const state = windowAt(window.value, now);
  return state.isOpen ? undefined : { kind: "window", opensAt: state.opensAt };
}
