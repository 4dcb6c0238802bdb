import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { createSteadyClock } from "../../src/runtime/steady-clock.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

/** A machine whose monotonic clock and timers stop while it sleeps, as on Linux. */
class SleepyMachine {
  readonly timers = new ManualClock();
  asleep = 0;
  /** Whether the wall clock counts the time asleep. `isBootRight`: whether the clock since boot counts it. */
  readonly isWallRight: boolean;
  readonly isBootRight: boolean;

  constructor({ isWallRight = true, isBootRight = true }: { readonly isWallRight?: boolean; readonly isBootRight?: boolean } = {}) {
    this.isWallRight = isWallRight;
    this.isBootRight = isBootRight;
  }

  readonly sources = {
    wall: () => this.timers.now() + (this.isWallRight ? this.asleep : 0),
    monotonic: () => this.timers.now(),
    sinceBoot: () => this.timers.now() + (this.isBootRight ? this.asleep : 0),
  };
}

async function leadingOn(machine: SleepyMachine) {
  const steady = createSteadyClock(machine.sources);
  const clock = {
    now: () => steady.now(),
    sleep: (milliseconds: number, signal: AbortSignal) => machine.timers.sleep(milliseconds, signal),
    elapsed: () => steady.elapsed(),
  };
  const cluster = new SimulatedCluster(clock);
  const election = createLeaderElection(cluster.client, {
    leases: { namespace: "install", name: "lease" },
    identity: "me",
    fieldManager: "test",
    clock,
    logger: recordingLogger(),
  });
  const stop = new AbortController();
  const run = election.run(aborted, stop.signal);
  await machine.timers.advance(5_000);
  assert.equal(election.holdsLease, true);
  const end = async (): Promise<void> => {
    stop.abort();
    await machine.timers.advance(0);
    await run;
  };
  return { election, stop: end };
}

describe("the fence around a leader's writes", () => {
  for (const [title, facts] of [
    ["the clock on the wall", { isBootRight: false }],
    ["the clock since the machine booted", { isWallRight: false }],
  ] as const) {
    test(`C10: is closed in the moment in which the machine wakes up, where ${title} has seen the sleep`, async () => {
      const machine = new SleepyMachine(facts);
      const { election, stop } = await leadingOn(machine);

      machine.asleep = 60_000;

      assert.equal(election.holdsLease, false);
      // No other process took the lease meanwhile: the next renewal opens the fence.
      await machine.timers.advance(2_500);
      assert.equal(election.holdsLease, true);
      await stop();
    });
  }

  test("stays open where a clock is set back", async () => {
    const machine = new SleepyMachine();
    const { election, stop } = await leadingOn(machine);

    machine.asleep = -3_600_000;

    assert.equal(election.holdsLease, true);
    await stop();
  });
});

describe("a write that an earlier leader had decided on", () => {
  test("C10: changes nothing where the next leader has written since", async () => {
    const world = new SimulatedWorld();
    const { clock, cluster } = world;
    const stop = new AbortController();
    world.vaults.set("db");
    await clock.advance(600_000);
    world.apply({ namespace: "team", name: "app", objects: ["db"] });
    const first = world.lead();
    await clock.advance(1_000);
    // Longer than the poll of the second leader takes: the machine of the first leader sleeps during its write.
    cluster.latency = ({ verb, resource }) => (verb === "apply" && resource.plural === RESOURCES.secrets.plural ? 2 * INTERVAL : 0);
    world.vaults.set("db");
    await clock.advance(INTERVAL);
    cluster.latency = () => 0;
    world.vaults.set("db");
    const second = world.lead();
    await clock.advance(INTERVAL);
    assert.equal(world.value({ namespace: "team", name: "app-db" }), "db@v3");

    const seen: unknown[] = [];
    const project = (object: KubeObject): string => String(object.metadata.annotations?.[SECRET_ANNOTATIONS.objects]);
    cluster.watcher.reflect(
      { resource: RESOURCES.secrets, project, onChange: (_ref, { current }) => void seen.push(current) },
      stop.signal,
    );
    await clock.advance(2 * INTERVAL);

    assert.ok(
      cluster.refused.some(({ verb, resource }) => verb === "apply" && resource.plural === "secrets") || seen.length > 1,
      "nothing arrived",
    );
    assert.deepEqual(
      [...new Set(seen)].filter((objects) => objects !== "undefined"),
      ["secret/db@v3"],
    );
    stop.abort();
    await first.stop();
    await second.stop();
  });
});
