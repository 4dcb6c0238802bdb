import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planNamespace } from "../../src/domain/rollout/namespace-plan.ts";
import type { Standing } from "../../src/domain/rollout/standing.ts";
import type { StartedPod } from "../../src/domain/rollout/steadiness.ts";
import type { Workload } from "../../src/domain/rollout/workload.ts";
import { attempt, inTurn } from "../../src/sync/rollouts/own-requests.ts";
import { proveRestart } from "../../src/sync/rollouts/prove-restart.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import type { RolloutWriter } from "../../src/sync/rollouts/rollout-write.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { NEW, stamped, workload } from "../support/worker/observed-workload.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const MINUTE = 60_000;
const signal = new AbortController().signal;

/** Looks at a restarted StatefulSet with a partition, one of whose two pods is replaced; the clock begins when that one is ready. */
class Looks {
  readonly clock = new ManualClock();
  readonly #memory = new RolloutMemory(this.clock.now());
  readonly #readySince = new Date(this.clock.now()).toISOString();
  restarts = 0;

  /** `isLate`: the neighbours' pods have taken all of the look's time before. */
  async prove(resourceVersion: string, isLate = false): Promise<Standing> {
    const pods: readonly StartedPod[] = [this.#pod("canary-0", undefined), this.#pod("canary-1", NEW)];
    const kube = { list: () => Promise.resolve(pods) };
    const writer = { kube, memory: this.#memory, clock: this.clock, logger: recordingLogger(), isDryRun: false };
    const { writer: ports } = inTurn({ writer: writer as unknown as RolloutWriter }); // What is asked.
    if (isLate) {
      const neighbour = { workload: { ...workload(), uid: "neighbour" }, request: "list" } as const;
      const spent = attempt(ports, neighbour, () => this.clock.sleep(5_000, signal));
      await this.clock.advance(5_000);
      await spent;
    }
    const input = { ...ports, now: this.clock.now(), timeoutMs: 10 * MINUTE };
    return proveRestart(input, { ...this.canary, resourceVersion }, signal);
  }

  readonly canary: Workload = stamped(NEW, {
    kind: "StatefulSet",
    spec: { replicas: 2, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } },
    status: { observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 2 },
  });

  #pod(name: string, stamp: string | undefined): StartedPod {
    return {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, uid: name, annotations: stamp === undefined ? {} : { "keyvault-injector.dev/rotated": stamp } },
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True", lastTransitionTime: this.#readySince }],
        containerStatuses: [{ restartCount: stamp === undefined ? 0 : this.restarts }],
      },
    };
  }
}

describe("RC-6: a restart whose proof is put off because neighbours are slow", () => {
  const haltedBy = (standing: Standing, { canary }: Looks) => planNamespace([{ workload: canary, standing }], 1).haltedBy;

  test("stands as it did before, however long ago it began, and halts nobody", async () => {
    const checks = new Looks();
    await checks.prove("1");
    await checks.clock.advance(11_000);
    assert.equal((await checks.prove("2")).kind, "obstructed");
    await checks.clock.advance(20 * MINUTE);
    const late = await checks.prove("3", true);
    assert.equal(late.kind, "obstructed");
    assert.equal(haltedBy(late, checks), undefined);
    assert.equal((await checks.prove("3")).kind, "obstructed", "in its turn");
  });

  test("is one that goes on where nothing is known of its pods yet", async () => {
    const checks = new Looks();
    assert.deepEqual(await checks.prove("1", true), { kind: "restarting" });
    await checks.clock.advance(20 * MINUTE);
    assert.deepEqual(await checks.prove("2", true), { kind: "restarting" });
  });

  test("does not cease to have failed by that", async () => {
    const checks = new Looks();
    checks.restarts = 3;
    await checks.prove("1");
    await checks.clock.advance(20 * MINUTE);
    checks.restarts = 4;
    const failed = await checks.prove("2");
    assert.equal(failed.kind, "failed");
    assert.notEqual(haltedBy(await checks.prove("2", true), checks), undefined);
  });
});
