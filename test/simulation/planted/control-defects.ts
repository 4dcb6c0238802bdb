/** Possible defects of restart windows, pauses, and limits. */
import type { Planted } from "./edits.ts";

const CONTROLS = "src/domain/rollout/controls.ts";

const HOURS = "no restart outside its window, or while it is paused";
const AT_REST = "no write at rest";
const FEW = "no more restarts at once than the cluster allows";
const TURNS = "restarts one at a time, none twice for one version";
const BUDGETS = "no restart where a PodDisruptionBudget allows none";
const REACHED = "at rest every workload that asks has the versions of its Secrets";
const CURRENT = "at rest no pod runs that was started with an old version of what it only mounts";

export const CONTROL_DEFECTS: readonly Planted[] = [
  {
    id: "W1",
    shownBy: [HOURS],
    what: "a window that is closed keeps no restart from beginning",
    edits: [{ file: CONTROLS, find: "  return state.isOpen ? undefined :", replace: "  return state.isOpen || now > 0 ? undefined :" }],
  },
  {
    id: "W2",
    shownBy: [HOURS, AT_REST],
    what: "a request to restart now counts for all versions to come",
    edits: [
      {
        file: "src/sync/rollouts/rollout-holds.ts",
        find: "  return asked === own[RESTART_ANNOTATIONS.nowAnswered] ? undefined : asked;",
        replace: "  return asked === own[RESTART_ANNOTATIONS.nowAnswered]?.slice(0, 0) ? undefined : asked;",
      },
    ],
  },
  {
    id: "W3",
    world: "odd",
    shownBy: [FEW, TURNS],
    what: "a new leader counts no restart that it has not begun itself",
    edits: [
      {
        file: "src/sync/rollouts/cluster-slots.ts",
        find: "used += unseenIn(namespace);",
        replace: "used += Math.min(0, unseenIn(namespace));",
      },
      {
        file: "src/sync/rollouts/adopt.ts",
        find: "if (!isAdopting(input)) return;",
        replace: "if (isAdopting(input) || input.now > 0) return;",
      },
    ],
  },
  {
    id: "S22",
    world: "odd",
    shownBy: [FEW],
    what: "a restart gives its slot of the cluster back while the next versions settle",
    edits: [
      {
        file: "src/sync/rollouts/under-way.ts",
        find: `standing.kind !== "failed" && isUnderWay(each)`,
        replace: `standing.kind !== "failed" && each.standing.kind !== "settling" && isUnderWay(each)`,
      },
    ],
  },
  {
    id: "W4",
    shownBy: [BUDGETS],
    what: "what a PodDisruptionBudget allows is not asked for",
    edits: [
      {
        file: "src/domain/rollout/budget.ts",
        find: "  const exhausted = own.find(({ isExhausted }) => isExhausted);",
        replace: "  const exhausted = own.find(({ isExhausted, name }) => isExhausted && taken.has(name));",
      },
    ],
  },
  {
    id: "W5",
    shownBy: [REACHED, CURRENT],
    what: "a restart that waits for its window is not looked at when the window opens",
    edits: [
      {
        file: "src/sync/rollouts/rollout-holds.ts",
        find: `standing.hold.kind === "window" ? standing.hold.opensAt :`,
        replace: `standing.hold.kind === "window" ? standing.hold.opensAt * 2 :`,
      },
      {
        file: "src/sync/rollouts/rollout-holds.ts",
        find: "const LONGEST_WAIT_MS = 3_600_000;",
        replace: "const LONGEST_WAIT_MS = 864_000_000;",
      },
    ],
  },
];
