import type { Standing, Turn } from "./standing.ts";
import { titleOf, type Workload } from "./workload.ts";

export interface Judged {
  readonly workload: Workload;
  readonly standing: Standing;
  /** Its pods are being replaced by a restart of ours, for whichever versions that was. Absent: they are not. */
  readonly isUnderWay?: boolean;
}

export interface Due extends Judged {
  readonly standing: Extract<Standing, { readonly kind: "due" }>;
}

export interface NamespacePlan {
  /** Those that are restarted now, in this order. */
  readonly starts: readonly Due[];
  /** Why none is, where a restart failed: the first of those. */
  readonly haltedBy: Judged | undefined;
}

const TURNS: readonly Turn[] = ["unfinished", "ready", "unready"];

/**
 * Restarts of one namespace: so many at a time, the same ones in the same order whoever asks, and none after one that failed. What was not
 * ready before is no part of that.
 */
export function planNamespace(workloads: readonly Judged[], most: number): NamespacePlan {
  const sorted = workloads.toSorted((a, b) => compareText(nameOf(a), nameOf(b)));
  const haltedBy = sorted.find(({ standing }) => standing.kind === "failed");
  const restarting = sorted.filter(isUnderWay).length;
  const due = sorted.filter(isDue).toSorted((a, b) => TURNS.indexOf(a.standing.turn) - TURNS.indexOf(b.standing.turn));
  const slots = haltedBy === undefined ? Math.max(0, most - restarting) : 0;
  const unready = due.filter(({ standing }) => standing.turn === "unready");
  const inTurn = due.filter(({ standing }) => standing.turn !== "unready").slice(0, slots);
  return { starts: [...unready, ...inTurn], haltedBy };
}

/**
 * Versions that change anew under a restart do not end it, nor does a window that has closed since: all pods that are updated and available do.
 * What is due is no other one's restart that is waited for.
 */
function isUnderWay({ standing, isUnderWay: isReplaced = false }: Judged): boolean {
  if (standing.kind === "due") return false;
  const isWaiting = standing.kind === "settling" || standing.kind === "awaitingFiles";
  return isReplaced || standing.kind === "restarting" || (isWaiting && standing.isUnfinished);
}

function isDue(judged: Judged): judged is Due {
  return judged.standing.kind === "due";
}

function nameOf({ workload }: Judged): string {
  return `${workload.ref.name} ${titleOf(workload)}`;
}

/** By code units: the same everywhere. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
