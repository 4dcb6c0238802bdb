/**
 * What the simulation has found, told as what has to happen. A seed means something else after each change of the simulation; these stay what
 * they are. Each is red with the defect of `planted/defects.ts` that it shows.
 */
import type { Stage } from "./stage.ts";

export interface Found {
  readonly name: string;
  /** With which it was found first, on the code of that time. */
  readonly seed: number;
  /** The defect, of `planted/defects.ts`. */
  readonly planted: string;
  /** Whether the team's application may list its vault; default: it may. */
  readonly mayList?: boolean;
  /** The last thing happens in this minute. */
  readonly minutes: number;
  readonly tell: (stage: Stage) => void;
}

export const FOUND: readonly Found[] = [
  {
    name: "a class that names an object by its version and without one is called fresh after a rotation of it",
    seed: 3,
    planted: "C1",
    minutes: 40,
    tell: (stage) => {
      stage.at(1, () => {
        const before = { object: "object-0", pinned: stage.versionOf("object-0"), alias: "before" };
        stage.write({ name: "twice", entries: [before, "object-0"], secrets: [{ name: "twice", keys: [0, 1] }], intervalMinutes: 5 });
      });
      stage.at(15, () => stage.rotate("object-0"));
    },
  },
  {
    name: "a key that an edit takes out while the vault is away stays in the Secret",
    seed: 1,
    planted: "S1",
    minutes: 40,
    tell: (stage) => {
      const entries = ["object-0", "object-1"];
      stage.at(1, () => stage.write({ name: "edited", entries, secrets: [{ name: "edited", keys: [0, 1] }], intervalMinutes: 5 }));
      stage.at(10, () => stage.vaultAway(20));
      stage.at(12, () => stage.write({ name: "edited", entries, secrets: [{ name: "edited", keys: [1] }], intervalMinutes: 5 }));
    },
  },
  {
    name: "a class with two failing objects writes its status at every poll",
    seed: 2,
    planted: "S2",
    mayList: false,
    minutes: 20,
    tell: (stage) => {
      stage.at(1, () => {
        stage.write({ name: "both", entries: ["object-0", "object-1"], secrets: [{ name: "both", keys: [0, 1] }], intervalMinutes: 5 });
        stage.write({ name: "one", entries: ["object-1"], secrets: [{ name: "one", keys: [0] }], intervalMinutes: 4 });
      });
      stage.at(10, () => {
        stage.disable("object-0");
        stage.disable("object-1");
      });
    },
  },
  {
    name: "a class whose grace ends while the watch of pods is broken loses its Secrets seconds after a job has used them",
    seed: 5,
    planted: "S3",
    minutes: 15,
    tell: (stage) => {
      const secrets = [{ name: "used", keys: [0] }];
      stage.at(1, () => stage.write({ name: "used", entries: ["object-0"], secrets, sync: "while-used", intervalMinutes: 5 }));
      stage.at(2, () => stage.startPod("used"));
      stage.at(3, () => stage.endPods());
      stage.at(7.6, () => stage.breakWatchOfPods(0.7));
      stage.at(7.65, () => stage.startPod("used"));
      stage.at(7.7, () => stage.endPods());
    },
  },
  {
    name: "a class that came back after its CRD keeps what its author takes out of it, where nobody was told whose it is",
    seed: 3,
    planted: "S4",
    minutes: 20,
    tell: (stage) => {
      const secrets = [{ name: "again", keys: [0] }];
      stage.at(1, () => stage.write({ name: "again", entries: ["object-0"], secrets, sync: "while-used", intervalMinutes: 5 }));
      stage.at(2, () => stage.startPod("again"));
      stage.at(5, () => stage.loseClasses());
      stage.at(10, () => stage.write({ name: "again", entries: ["object-0"], secrets, intervalMinutes: 5 }));
      stage.at(12, () => stage.endPods());
    },
  },
  {
    name: "nobody leads for as long as a lease lasts after an outage of the API server, in which nobody has renewed it",
    seed: 1001,
    planted: "S5",
    minutes: 10,
    tell: (stage) => {
      const secrets = [{ name: "kept", keys: [0] }];
      stage.at(1, () => stage.write({ name: "kept", entries: ["object-0"], secrets, intervalMinutes: 2 }));
      stage.at(5, () => stage.apiServerAway(2));
    },
  },
];
