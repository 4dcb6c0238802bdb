/** Defects in how the worker reads states: its own statuses, and the conditions of the API server. */
import type { Planted } from "./edits.ts";

export const STATUS_DEFECTS: readonly Planted[] = [
  {
    id: "S21",
    shownBy: ["Synced and Fresh are true"],
    what: "a class that a new leader has not reconciled yet counts as checked when this leader started",
    edits: [
      {
        file: "src/sync/classes/review-statuses.ts",
        find: "  return known === undefined ?",
        replace: "  return known === undefined || known > 0 ?",
      },
    ],
  },
  {
    id: "S23",
    shownBy: ["a deletion of a CRD is retried only after it has failed"],
    what: "a deletion of a CRD that has not begun counts as failed",
    edits: [
      {
        file: "src/domain/healing/crd.ts",
        find: `["InstanceDeletionPending", "InstanceDeletionInProgress"]`,
        replace: `["InstanceDeletionInProgress"]`,
      },
    ],
  },
  {
    id: "S24",
    world: "odd",
    what: "a poll that falls into a change of leader is skipped if the new leader dies before it is made",
    edits: [
      {
        file: "src/sync/classes/state.ts",
        find: "missedPoll: due < now ? due : undefined,",
        replace: "missedPoll: undefined,",
      },
    ],
  },
  {
    id: "S25",
    shownBy: ["a class whose own identity, vault and API answers work is checked"],
    what: "an answer serves the polls of an interval although no class requests it again in time",
    edits: [
      {
        file: "src/sync/vault/vault-listings.ts",
        find: "isRepeated && period <= poll.period ? poll.interval",
        replace: "isRepeated || period > 0 ? poll.interval",
      },
    ],
  },
];
