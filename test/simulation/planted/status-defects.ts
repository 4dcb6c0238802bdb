/** Defects in what statuses report, found by the simulation. */
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
];
