/**
 * Scenarios for defects that the simulation found, and for defects that a review of 0.3.0 found and that seeds hardly ever show. A seed has
 * a different meaning after each change of the simulation, but these scenarios stay the same. Each scenario fails with the defect of
 * `planted/defects.ts` that it names.
 */
import type { Cast, Stage } from "./stage.ts";

export interface Found {
  readonly name: string;
  /** Seed that first showed the defect, on the code of that time. Any seed if a review found the defect. */
  readonly seed: number;
  /** Id of the defect in `planted/defects.ts`. */
  readonly planted: string;
  /** Whether the team's application may list its vault. Default: true. */
  readonly mayList?: boolean;
  /** Default: `team`. */
  readonly cast?: Cast;
  /** Number of runs, each with a different order of simultaneous events. Default: one. The defect shows in at least one run. */
  readonly orders?: number;
  /** Length of the scenario in minutes, after which nothing happens any more. */
  readonly minutes: number;
  readonly report: (stage: Stage) => void;
}

export const FOUND: readonly Found[] = [
  {
    name: "a replica that is told to stop before the API server has answered it ends by an error",
    seed: 7,
    planted: "S7",
    minutes: 15,
    report: (stage) => {
      stage.at(2, () => stage.apiServerAway(10));
      stage.at(3, () => stage.killReplicas());
      stage.at(6, () => stage.stopReplicas());
    },
  },
  {
    name: "a class that names an object by its version and without one is called fresh after a rotation of it",
    seed: 3,
    planted: "C1",
    minutes: 40,
    report: (stage) => {
      stage.at(1, () => {
        const before = { object: "object-0", pinned: stage.versionOf("object-0"), alias: "before" };
        stage.write({ name: "twice", entries: [before, "object-0"], secrets: [{ name: "twice", keys: [0, 1] }], intervalMinutes: 5 });
      });
      stage.at(15, () => stage.rotate("object-0"));
    },
  },
  {
    name: "a value that an edit has decoded while the vault is away stays encoded in the Secret",
    seed: 1,
    planted: "S1",
    minutes: 40,
    report: (stage) => {
      const reported = { name: "edited", secrets: [{ name: "edited", keys: [0] }], intervalMinutes: 5 };
      stage.at(1, () => stage.write({ ...reported, entries: ["object-0"] }));
      stage.at(10, () => stage.vaultAway(20));
      stage.at(12, () => stage.write({ ...reported, entries: [{ object: "object-0", isDecoded: true }] }));
    },
  },
  {
    name: "a class with two failing objects writes its status at every poll",
    seed: 2,
    planted: "S2",
    mayList: false,
    minutes: 20,
    report: (stage) => {
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
    report: (stage) => {
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
    report: (stage) => {
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
    report: (stage) => {
      const secrets = [{ name: "kept", keys: [0] }];
      stage.at(1, () => stage.write({ name: "kept", entries: ["object-0"], secrets, intervalMinutes: 2 }));
      stage.at(5, () => stage.apiServerAway(2));
    },
  },
  {
    name: "a token that never comes for one team closes the vault for another",
    seed: 1,
    planted: "C2",
    cast: "neighbours",
    mayList: false,
    minutes: 60,
    report: (stage) => {
      stage.at(1, () => stage.signInHangs("second team", 50));
      stage.at(2, () => {
        for (let index = 0; index < 8; index += 1) {
          const name = `theirs-${index}`;
          stage.neighbour.write({ name, entries: ["object-0"], secrets: [{ name, keys: [0] }], intervalMinutes: 1 });
        }
      });
      stage.at(10, () => stage.write({ name: "ours", entries: ["object-1"], secrets: [{ name: "ours", keys: [0] }], intervalMinutes: 1 }));
    },
  },
  {
    name: "what changes after a check by a leader whose clock was ahead is not noticed by the next one",
    seed: 1,
    planted: "C8",
    minutes: 110,
    report: (stage) => {
      stage.at(1, () => stage.write({ name: "ahead", entries: ["object-0"], secrets: [{ name: "ahead", keys: [0] }], intervalMinutes: 5 }));
      stage.at(2, () => stage.stepLeadersClock(120));
      // By now, the leader's own clock has come to be an hour ahead, too.
      stage.at(62, () => stage.rotate("object-0"));
      stage.at(70, () => stage.killLeader());
      stage.at(70.1, () => stage.rotate("object-0"));
    },
  },
  {
    name: "a poll that falls due while nobody leads is left out",
    seed: 1,
    planted: "C9",
    cast: "alone",
    mayList: false,
    minutes: 210,
    report: (stage) => {
      stage.at(1, () =>
        stage.write({ name: "alone", entries: ["object-0"], secrets: [{ name: "alone", keys: [0] }], intervalMinutes: 60 }),
      );
      stage.whenAsked("object-0", ({ minute }) => {
        if (minute < 5) return false;
        stage.at(minute + 59.9, () => stage.killLeader());
        return true;
      });
    },
  },
  {
    name: "a poll that falls due while nobody leads is left out if the next leader dies while it makes up for it",
    seed: 6,
    planted: "S24",
    cast: "alone",
    mayList: false,
    minutes: 210,
    report: (stage) => {
      let first: number | undefined;
      stage.at(1, () =>
        stage.write({ name: "alone", entries: ["object-0"], secrets: [{ name: "alone", keys: [0] }], intervalMinutes: 60 }),
      );
      stage.whenAsked("object-0", ({ minute }) => {
        if (minute < 5) return false;
        if (first === undefined) {
          first = minute;
          stage.at(minute + 59.95, () => stage.killReplicas());
        }
        if (minute < first + 59.9) return false;
        // The next renewal of the lease is at most 20 s away.
        stage.vaultHangs(1);
        stage.at(minute + 0.4, () => stage.killLeader());
        return true;
      });
    },
  },
  {
    name: "a leader whose machine slept while the vault answered writes on waking, though another one leads",
    seed: 1,
    planted: "C10",
    // On waking, the vault's answer races with the renewal of the lease.
    orders: 4,
    mayList: false,
    minutes: 30,
    report: (stage) => {
      stage.at(1, () => stage.write({ name: "slept", entries: ["object-0"], secrets: [{ name: "slept", keys: [0] }], intervalMinutes: 2 }));
      stage.at(10, () => stage.rotate("object-0"));
      stage.whenAsked("object-0", ({ minute, machine }) => {
        if (minute < 10) return false;
        // Longer than a lease, and shorter than three probes of the kubelet.
        machine.sleep(18_000);
        return true;
      });
    },
  },
  {
    name: "a class whose request for a token was never answered is not tried again",
    seed: 1,
    planted: "C4",
    mayList: false,
    minutes: 60,
    report: (stage) => {
      stage.at(1, () => stage.signInHangs("first team", 2));
      stage.at(1, () => stage.write({ name: "hangs", entries: ["object-0"], secrets: [{ name: "hangs", keys: [0] }], intervalMinutes: 5 }));
    },
  },
  {
    name: "a class whose author shortens its interval is polled by the old one first",
    seed: 1,
    planted: "C7",
    cast: "alone",
    mayList: false,
    minutes: 90,
    report: (stage) => {
      const reported = { name: "alone", entries: ["object-0"], secrets: [{ name: "alone", keys: [0] }] };
      stage.at(1, () => stage.write({ ...reported, intervalMinutes: 600 }));
      stage.at(20, () => stage.write({ ...reported, intervalMinutes: 5 }));
    },
  },
  {
    name: "a poll that failed is retried by the list of the poll before, which had been retried for longer",
    seed: 60_011,
    planted: "S11",
    cast: "alone",
    minutes: 130,
    report: (stage) => {
      stage.at(1, () =>
        stage.write({ name: "alone", entries: ["object-0"], secrets: [{ name: "alone", keys: [0] }], intervalMinutes: 60 }),
      );
      stage.whenListed(({ minute }) => {
        if (minute < 1) return false;
        stage.vaultAway(1);
        stage.at(minute + 30, () => stage.rotate("object-0"));
        stage.at(minute + 59.9, () => stage.vaultAway(0.15));
        return true;
      });
    },
  },
  {
    name: "a list that no class requests again serves a poll almost an interval later",
    seed: 5,
    planted: "S25",
    minutes: 400,
    report: (stage) => {
      const hourly = (name: string, object: string): void =>
        stage.write({ name, entries: [object], secrets: [{ name, keys: [0] }], intervalMinutes: 60 });
      stage.at(1, () => hourly("first", "object-0"));
      stage.at(45, () => hourly("second", "object-1"));
      stage.at(240, () => stage.fillVault(60));
      stage.whenListed(({ minute }) => {
        if (minute < 240) return false;
        stage.at(minute + 1, () => {
          stage.rotate("object-0");
          stage.rotate("object-1");
        });
        return true;
      });
    },
  },
  {
    name: "a class is called fresh by a leader that cannot list pods, although nobody has checked it since the leader before",
    seed: 85,
    planted: "S21",
    minutes: 60,
    report: (stage) => {
      stage.at(1, () =>
        stage.write({ name: "unseen", entries: ["object-0"], secrets: [{ name: "unseen", keys: [0] }], intervalMinutes: 5 }),
      );
      stage.at(10, () => stage.apiServerAway(12));
      stage.at(10, () => stage.podsUnlisted(30));
      stage.at(10.5, () => stage.rotate("object-0"));
    },
  },
];
