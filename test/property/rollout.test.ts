import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Judged, planNamespace } from "../../src/domain/rollout/namespace-plan.ts";
import { hasStamp, restartStamp, settledStamp } from "../../src/domain/rollout/stamp.ts";
import { standingOf } from "../../src/domain/rollout/standing.ts";
import type { Workload } from "../../src/domain/rollout/workload.ts";

/** A workload as the worker sees it, and the events that happen to it. */
interface Simulated {
  readonly name: string;
  /** Whether its pods never become ready after a restart. */
  readonly isBroken: boolean;
  stamp: string | undefined;
  isReady: boolean;
  /** Whether it was ready before its last restart. Only the restart of a ready workload takes capacity away. */
  wasReady: boolean;
  isPastDeadline: boolean;
  restarts: number;
}

const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 8 });
const workloads = names.chain((all) => fc.tuple(...all.map((name) => fc.record({ name: fc.constant(name), isBroken: fc.boolean() }))));

function workloadOf({ name, stamp, isReady, isPastDeadline }: Simulated): Workload {
  const counts = { wanted: 1, total: 1, updated: 1, available: isReady ? 1 : 0 };
  const progress = {
    isComplete: isReady,
    isRolling: !isReady,
    revision: "",
    counts,
    heldBack: 0,
    summary: "",
    isPastDeadline,
    gaveUp: "",
    isPaused: false,
    ownDeadlineMs: 0,
  };
  return {
    kind: "Deployment",
    ref: { namespace: "team", name },
    uid: name,
    resourceVersion: "1",
    annotations: {},
    labels: {},
    own: {},
    sources: { classes: [], secrets: [] },
    templateStamp: stamp,
    // The worker records that a restart succeeded.
    podsStamp: isReady && stamp !== undefined ? settledStamp(stamp) : stamp,
    selector: "",
    obstacle: undefined,
    isTooLarge: false,
    progress,
  };
}

function judge(simulated: readonly Simulated[], stamp: string): readonly Judged[] {
  const versions = { kind: "known", objects: [], since: 0, rotated: 0, secrets: [] } as const;
  return simulated.map((each) => {
    const workload = workloadOf(each);
    return { workload, standing: standingOf({ workload, versions, stamp, stalledMs: 0, timeoutMs: 1_000 }) };
  });
}

/** Reconciles once and simulates the controllers. Returns false if nothing is left to do. */
function step(simulated: readonly Simulated[], stamp: string, most: number): boolean {
  const { starts } = planNamespace(judge(simulated, stamp), most);
  const started = starts.map(({ workload }) => workload.ref.name);
  for (const each of simulated.filter(({ name }) => started.includes(name))) {
    each.stamp = restartStamp(workloadOf(each), stamp);
    each.wasReady = each.isReady;
    each.isReady = false;
    each.isPastDeadline = false;
    each.restarts += 1;
  }
  assert.ok(simulated.filter(({ isReady, wasReady }) => wasReady && !isReady).length <= most, "no more than allowed are disturbed");
  const under = simulated.filter(({ isReady, isPastDeadline }) => !isReady && !isPastDeadline);
  for (const each of under) {
    if (each.isBroken) each.isPastDeadline = true;
    else each.isReady = true;
  }
  return started.length > 0 || under.length > 0;
}

/** Returns the workload as it is before any restart. */
function atRest(each: Pick<Simulated, "name" | "isBroken">): Simulated {
  return { ...each, stamp: undefined, isReady: true, wasReady: true, isPastDeadline: false, restarts: 0 };
}

describe("restarts of a namespace", () => {
  test("happen once each, in order, at most so many at a time, and none after a failure", () => {
    fc.assert(
      fc.property(workloads, fc.integer({ min: 1, max: 3 }), (given, most) => {
        const simulated = given.map(atRest);

        for (let round = 0; round < 100 && step(simulated, "a".repeat(16), most); round += 1);

        const inOrder = simulated.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        const firstBroken = inOrder.findIndex(({ isBroken }) => isBroken);
        const reached = firstBroken === -1 ? inOrder.length : Math.ceil((firstBroken + 1) / most) * most;
        for (const [index, { restarts }] of inOrder.entries()) {
          if (firstBroken === -1 || index <= firstBroken) assert.equal(restarts, 1);
          // With several restarts at a time, the worker may have started these workloads together with the broken one, or before it failed.
          else assert.ok(restarts <= (index < reached + most ? 1 : 0));
        }
        if (most === 1 && firstBroken !== -1) assert.ok(inOrder.slice(firstBroken + 1).every(({ restarts }) => restarts === 0));
      }),
    );
  });

  test("go on with the next versions, the failed one first", () => {
    fc.assert(
      fc.property(workloads, (given) => {
        const simulated = given.map(atRest);
        for (let round = 0; round < 100 && step(simulated, "a".repeat(16), 1); round += 1);
        const mended = simulated.map((each) => ({ ...each, isBroken: false }));

        for (let round = 0; round < 100 && step(mended, "b".repeat(16), 1); round += 1);

        for (const each of mended) assert.ok(each.isReady && hasStamp(workloadOf(each), "b".repeat(16)), each.name);
      }),
    );
  });
});
