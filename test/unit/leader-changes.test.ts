import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { untilNextPoll } from "../../src/domain/schedule/phase.ts";
import type { PollsMade } from "../../src/sync/classes/poll-progress.ts";
import { INTERVAL, type Leader, type LeadOptions, SimulatedWorld } from "../support/simulation/world.ts";

const HOUR_MS = 3_600_000;
const CLASS = { namespace: "team", name: "app" };

function podOf({ namespace, name }: typeof CLASS): KubeObject {
  const volumes = [{ name: "v", csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: name } } }];
  const metadata = { namespace, name: "app-0" };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [], volumes }, status: { phase: "Running" } } as KubeObject;
}

/** Leaders that follow each other. Each gets the state that the lease stores. `asked`: times of the vault requests. */
class Succession {
  readonly world = new SimulatedWorld();
  readonly asked: number[] = [];
  #before: PollsMade = { until: undefined, owed: [] };
  #tell: (() => PollsMade) | undefined;
  #leader: Leader | undefined;

  constructor() {
    this.world.vaults.failure = () => {
      this.asked.push(this.world.clock.now());
      return undefined;
    };
  }

  /** Returns a succession whose first leader has synced a class. */
  static async of(interval: string, others: Readonly<Record<string, string>> = {}): Promise<Succession> {
    const made = new Succession();
    made.world.vaults.set("db");
    await made.world.clock.advance(HOUR_MS);
    const annotations = { "keyvault-injector.dev/rotation-poll-interval": interval, ...others };
    made.world.apply({ ...CLASS, objects: ["db"], annotations });
    made.lead();
    await made.world.clock.advance(1_000);
    return made;
  }

  /** Starts a leader with a clock that is ahead by this time. */
  lead(ahead = 0): void {
    const progress: LeadOptions["progress"] = {
      before: this.#before.until,
      owed: new Set(this.#before.owed),
      observe: (report) => (this.#tell = report),
    };
    this.#tell = undefined;
    this.#leader = this.world.lead({ progress, clock: this.world.clockAhead(ahead) });
  }

  /** Stores the last renewal of the lease, and stops the leader. */
  async die(): Promise<void> {
    this.#before = this.#tell?.() ?? this.#before;
    await this.#leader?.stop();
  }

  /** Milliseconds until the next phase of the class. */
  untilPhase(interval: number): number {
    const { clock, cluster } = this.world;
    const uid = cluster.get(
      { group: "", version: "v1", plural: "namespaces", kind: "Namespace", namespaced: false },
      { name: "kube-system" },
    )?.metadata.uid;
    return untilNextPoll({ cluster: uid ?? "", key: "team/app", interval, now: clock.now() });
  }

  /** The longest time between two vault requests, up to now. */
  longestGap(): number {
    const moments = [...this.asked, this.world.clock.now()];
    return Math.max(...moments.slice(1).map((moment, index) => moment - (moments[index] ?? moment)));
  }
}

describe("a change of leaders", () => {
  test("C9: makes up for the poll that fell into it, at once and not an interval later", async () => {
    const succession = await Succession.of("24h");
    const { clock } = succession.world;
    // The interval determines the phase, and the second poll falls on it.
    await clock.advance(succession.untilPhase(24 * HOUR_MS) + 1_000);
    await clock.advance(24 * HOUR_MS - 10_000);

    await succession.die();
    await clock.advance(20_000);
    succession.lead();
    await clock.advance(1_000);

    assert.ok(clock.now() - (succession.asked.at(-1) ?? 0) <= 1_000, `asked ${clock.now() - (succession.asked.at(-1) ?? 0)} ms ago`);
    await succession.die();
  });

  test("C9: makes up for it where the interval is shorter than the stored time is exact", async () => {
    const succession = await Succession.of("2m");
    const { clock } = succession.world;
    await clock.advance(10 * INTERVAL);
    await clock.advance(succession.untilPhase(INTERVAL) - 5_000);

    await succession.die();
    await clock.advance(15_000);
    succession.lead();
    await clock.advance(1_000);

    assert.ok(clock.now() - (succession.asked.at(-1) ?? 0) <= 1_000, `asked ${clock.now() - (succession.asked.at(-1) ?? 0)} ms ago`);
    await succession.die();
  });

  test("SM1: makes up for it although the leader that began to do so dies as well", async () => {
    const succession = await Succession.of("24h");
    const { clock, vaults } = succession.world;
    await clock.advance(succession.untilPhase(24 * HOUR_MS) + 1_000);
    await clock.advance(24 * HOUR_MS - 10_000);
    await succession.die();
    await clock.advance(120_000);

    const error = new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
    vaults.signIn = () => ({ error, afterMs: 60_000 });
    succession.lead();
    await clock.advance(1_000);
    const died = succession.die();
    await clock.advance(120_000);
    await died;
    vaults.signIn = undefined;
    succession.lead();
    await clock.advance(1_000);

    assert.ok(clock.now() - (succession.asked.at(-1) ?? 0) <= 1_000, `asked ${clock.now() - (succession.asked.at(-1) ?? 0)} ms ago`);
    await succession.die();
  });

  test("SM2: makes up for a poll that was left out while no pod mounted the class, once one does again", async () => {
    const succession = await Succession.of("24h", { "keyvault-injector.dev/sync": "while-used" });
    const { clock, cluster } = succession.world;
    const pod = podOf(CLASS);
    cluster.put(RESOURCES.pods, pod);
    await clock.advance(10_000);
    await clock.advance(succession.untilPhase(24 * HOUR_MS) + 1_000);
    await clock.advance(24 * HOUR_MS - 20_000);
    cluster.delete(RESOURCES.pods, { namespace: "team", name: pod.metadata.name ?? "" });
    await clock.advance(60_000);

    await succession.die();
    await clock.advance(5_000);
    succession.lead();
    await clock.advance(20_000);
    cluster.put(RESOURCES.pods, pod);
    await clock.advance(1_000);

    assert.ok(clock.now() - (succession.asked.at(-1) ?? 0) <= 1_000, `asked ${clock.now() - (succession.asked.at(-1) ?? 0)} ms ago`);
    await succession.die();
  });

  test("asks nothing anew where no poll fell into it", async () => {
    const succession = await Succession.of("2m");
    const { clock } = succession.world;
    await clock.advance(10 * INTERVAL);
    await clock.advance(succession.untilPhase(INTERVAL) + 40_000);
    const before = succession.asked.length;

    await succession.die();
    await clock.advance(15_000);
    succession.lead();
    await clock.advance(20_000);

    assert.equal(succession.asked.length, before);
    await succession.die();
  });

  for (const ahead of [1_000, 8_000])
    test(`asks nothing anew where no poll fell into it and the leader before had a clock that is ${ahead / 1_000} s ahead`, async () => {
      const succession = await Succession.of("2m");
      const { clock } = succession.world;
      await succession.die();
      succession.lead(ahead);
      await clock.advance(10 * INTERVAL);
      await clock.advance(succession.untilPhase(INTERVAL) + 40_000);
      const before = succession.asked.length;

      await succession.die();
      succession.lead();
      await clock.advance(5_000);

      assert.equal(succession.asked.length, before);
      await succession.die();
    });

  test("claims no check that only a leader with a clock far ahead speaks of: what is known is what is stored", async () => {
    const succession = await Succession.of("2m");
    const { world } = succession;
    await world.clock.advance(20 * INTERVAL);
    await succession.die();
    const checked = world.status(CLASS)?.lastSuccessfulCheckTime;
    const error = new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
    world.vaults.signIn = () => ({ error, afterMs: HOUR_MS });

    const progress = { before: world.clock.now() + 600_000, observe: () => undefined };
    const leader = world.lead({ progress });
    await world.clock.advance(70_000);

    assert.equal(world.condition(CLASS, "Fresh"), "False Stale");
    assert.equal(world.status(CLASS)?.lastSuccessfulCheckTime, checked);
    const stopped = leader.stop();
    await world.clock.advance(HOUR_MS);
    await stopped;
  });

  test("leaves no class without a check for longer than its interval and the time without a leader that works, however leaders follow one another", async () => {
    const brief = fc.integer({ min: 0, max: 20_000 });
    const leads = fc.oneof(brief, fc.integer({ min: 0, max: 400_000 }));
    const away = fc.oneof(brief, fc.integer({ min: 0, max: 200_000 }));
    const reign = fc.record({ leads, away, isVaultSilent: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(reign, { minLength: 1, maxLength: 12 }), async (reigns) => {
        const succession = await Succession.of("2m");
        const { clock, vaults } = succession.world;
        const ended: Promise<void>[] = [];
        const error = new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
        let idle = 0;
        let longestIdle = 0;
        for (const { leads, away, isVaultSilent } of [{ leads: 1_000, away: 0, isVaultSilent: false }, ...reigns]) {
          vaults.signIn = isVaultSilent ? () => ({ error, afterMs: 30_000 }) : undefined;
          if (ended.length > 0) succession.lead();
          await clock.advance(leads);
          ended.push(succession.die());
          await clock.advance(away);
          // A leader that dies within a second makes no poll.
          idle = (isVaultSilent || leads < 1_000 ? idle + leads : 0) + away;
          longestIdle = Math.max(longestIdle, idle);
        }
        vaults.signIn = undefined;
        succession.lead();
        await clock.advance(1_000);
        const bound = INTERVAL + longestIdle + 2_000;
        assert.ok(succession.longestGap() <= bound, `${succession.longestGap()} ms, at most ${bound}`);
        ended.push(succession.die());
        await clock.advance(60_000);
        await Promise.all(ended);
      }),
      { numRuns: 40 },
    );
  });
});
