import type { Standing, Turn } from "./standing.ts";
import { titleOf, type Workload } from "./workload.ts";

export interface Judged {
  readonly workload: Workload;
  readonly standing: Standing;
  /** Whether one of the worker's restarts is replacing its pods, for any versions. Absent: no. */
  readonly isUnderWay?: boolean;
  /** Whether an earlier leader began its restart, which may have stood still for almost as long as it may. Absent: no. */
  readonly isInherited?: boolean;
}

export interface Due extends Judged {
  readonly standing: Extract<Standing, { readonly kind: "due" }>;
}

export interface NamespacePlan {
  /** Workloads to restart now, in this order. */
  readonly starts: readonly Due[];
  /** The first workload whose restart failed: then no workload starts in turn. */
  readonly haltedBy: Judged | undefined;
}

const TURNS: readonly Turn[] = ["unfinished", "ready", "unready"];

/**
 * Plans the restarts of one namespace: a limited number at a time, always in the same order, and none after a failed one, or one
 * that may have failed under an earlier leader. A rejected restart has failed, too, but is tried again. Workloads that were not ready
 * before start immediately and are exempt from these limits.
 */
export function planNamespace(workloads: readonly Judged[], most: number): NamespacePlan {
  const sorted = workloads.toSorted((a, b) => compareText(nameOf(a), nameOf(b)));
  const haltedBy = sorted.find(({ standing }) => standing.kind === "failed");
  const restarting = sorted.filter((each) => each.standing.kind !== "due" && isUnderWay(each));
  const due = sorted.filter(isDue).toSorted((a, b) => TURNS.indexOf(a.standing.turn) - TURNS.indexOf(b.standing.turn));
  const isHalted = haltedBy !== undefined || restarting.some(({ isInherited = false }) => isInherited);
  const slots = isHalted ? 0 : Math.max(0, most - restarting.length);
  const unready = due.filter(({ standing }) => standing.turn === "unready");
  const waiting = due.filter(({ standing }) => standing.turn !== "unready");
  const rejected = waiting.filter(({ standing }) => standing.rejected !== undefined);
  const inTurn = (rejected.length > 0 ? rejected : waiting).slice(0, slots);
  return { starts: [...unready, ...inTurn], haltedBy };
}

/**
 * Whether a restart of the workload is in progress. It ends when all pods are updated and have stayed available, not when versions change
 * again or a window closes.
 */
export function isUnderWay({ standing, isUnderWay: isReplaced = false }: Judged): boolean {
  const isWaiting = standing.kind === "settling" || standing.kind === "awaitingFiles";
  return isReplaced || standing.kind === "restarting" || (isWaiting && standing.isUnfinished);
}

function isDue(judged: Judged): judged is Due {
  return judged.standing.kind === "due";
}

function nameOf({ workload }: Judged): string {
  return `${workload.ref.name} ${titleOf(workload)}`;
}

/** Compares code units, which gives the same order everywhere. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
