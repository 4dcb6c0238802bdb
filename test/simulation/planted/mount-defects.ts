/** Possible defects in restarts of workloads whose object versions are only mounted. */
import type { Planted } from "./edits.ts";

const AWAIT_FILES = "src/sync/rollouts/await-files.ts";

const FIRST = "what is only mounted is restarted once all files of its pods have the version";
const CURRENT = "at rest no pod runs that was started with an old version of what it only mounts";

export const MOUNT_DEFECTS: readonly Planted[] = [
  {
    id: "M1",
    shownBy: [FIRST],
    what: "what is only mounted is restarted as soon as the vault has another version",
    edits: [
      {
        file: AWAIT_FILES,
        find: `standing.kind === "due" && mounted.length > 0 ?`,
        replace: `standing.kind === "due" && mounted.length < 0 ?`,
      },
    ],
  },
  {
    id: "M2",
    shownBy: [FIRST],
    what: "any record of a pod's files counts as one of the versions that are waited for",
    edits: [
      {
        file: "src/domain/rollout/mounted-files.ts",
        find: "files.versions.get(object) !== version)",
        replace: "files.versions.get(object) === (version && undefined))",
      },
    ],
  },
  {
    id: "M3",
    shownBy: [CURRENT],
    what: "a class that makes no Secret has no versions to restart for",
    edits: [
      {
        file: "src/domain/rollout/versions.ts",
        find: ".filter((name) => namespace.secretsOf(name)?.length === 0)",
        replace: ".filter((name) => (namespace.secretsOf(name)?.length ?? 0) < 0)",
      },
    ],
  },
  {
    id: "M4",
    shownBy: [CURRENT],
    what: "a pod whose record is gone is waited for without end",
    edits: [{ file: AWAIT_FILES, find: "if (worker.clock.now() >= until)", replace: "if (worker.clock.now() >= 2 * until)" }],
  },
];
