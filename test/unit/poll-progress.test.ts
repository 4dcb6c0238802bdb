import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { Clock } from "../../src/domain/ports/clock.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { MAX_CLASS_CHARACTERS } from "../../src/domain/provider-class/held-class.ts";
import { ClassStates } from "../../src/sync/classes/class-states.ts";
import { createLeasedProgress, earlierPolls, type PollsMade, pollsMade } from "../../src/sync/classes/poll-progress.ts";
import { classOf, INTERVAL, type Leader, SimulatedWorld } from "../support/simulation/world.ts";

const OTHERS = 12;
const TROUBLED = { namespace: "other", name: "app" };
const LONG = { "keyvault-injector.dev/rotation-poll-interval": "24h" };

let world: SimulatedWorld;
let leader: Leader;
let renew: () => PollsMade;

async function givenClasses(): Promise<void> {
  world = new SimulatedWorld();
  world.vaults.set("db", "x");
  await world.clock.advance(600_000);
  for (let index = 0; index < OTHERS; index++)
    world.apply({ namespace: `team-${index}`, name: "app", objects: ["db"], vault: `vault-${index}` });
}

function lead({ until, owed }: PollsMade): void {
  leader = world.lead({ progress: { before: until, owed: new Set(owed), observe: (made) => (renew = made) } });
}

/** Continues to lead, and renews the lease every 15 s. */
async function leadOn(polls: number): Promise<void> {
  for (let renewal = 0; renewal < polls * 8; renewal++) {
    await world.clock.advance(INTERVAL / 8);
    renew();
  }
}

/** Milliseconds since the time up to which all polls are made, according to the lease. */
function behind(): number {
  return world.clock.now() - (renew().until ?? 0);
}

/** Returns the lists that the next leader requests at once, by identity. It starts five seconds after this leader ended. */
async function listsOfNext(): Promise<readonly string[]> {
  const before = renew();
  await leader.stop();
  await world.clock.advance(5_000);
  world.vaults.taken();
  lead(before);
  await world.clock.advance(2_000);
  return world.vaults.taken().filter((request) => request.includes("list"));
}

function largeClass(): SecretProviderClass {
  const spc = classOf({ ...TROUBLED, objects: ["x"] });
  return { ...spc, metadata: { ...spc.metadata, annotations: { note: "x".repeat(MAX_CLASS_CHARACTERS + 1_000) } } };
}

function refusal(): KubeError {
  return new KubeError("Unavailable", "HTTP 500", { retry: { kind: "backoff" }, status: 500 });
}

type Trouble = () => void;

const TROUBLES: Readonly<Record<string, Trouble>> = {
  "is too large": () => {
    world.cluster.put(RESOURCES.secretProviderClasses, largeClass());
  },
  "was edited, and whose snapshot is refused": () => {
    world.cluster.fault = ({ resource, ref }) =>
      resource === RESOURCES.controllerRevisions && ref.namespace === TROUBLED.namespace ? refusal() : undefined;
    world.apply({ ...TROUBLED, objects: ["x", "db"], vault: "vault-x", annotations: LONG });
  },
  "is new, and whose snapshot is refused": () => {
    world.cluster.fault = ({ resource, ref }) =>
      resource === RESOURCES.controllerRevisions && ref.namespace === TROUBLED.namespace ? refusal() : undefined;
    world.apply({ ...TROUBLED, name: "new", objects: ["x"], vault: "vault-x" });
  },
  "has a status that is refused": () => {
    world.cluster.fault = ({ resource, ref }) =>
      resource === RESOURCES.secretProviderClassSyncs && ref.namespace === TROUBLED.namespace ? refusal() : undefined;
    world.vaults.set("x");
  },
};

describe("the moment up to which all polls are made", () => {
  beforeEach(async () => {
    await givenClasses();
    world.apply({ ...TROUBLED, objects: ["x"], vault: "vault-x" });
    lead({ until: undefined, owed: [] });
    await leadOn(5);
  });

  for (const [which, begin] of Object.entries(TROUBLES))
    test(`W12: is not held up by a class that ${which}`, async () => {
      begin();
      await leadOn(6);

      assert.ok(behind() <= INTERVAL / 4, `${behind()} ms behind`);
      const { length: asked } = await listsOfNext();
      assert.ok(asked <= OTHERS / 2, `${asked} lists for ${OTHERS} classes at rest`);
      await leader.stop();
    });

  /** Applies classes of an identity whose sign-in takes very long. Each class has a due poll. */
  async function givenSlow(namespaces: number, each: number): Promise<void> {
    for (let namespace = 0; namespace < namespaces; namespace++)
      for (let index = 0; index < each; index++)
        world.apply({ namespace: `slow-${namespace}`, name: `app-${index}`, objects: ["x"], vault: "vault-y", identity: "slow" });
    await leadOn(2);
    const error = new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
    world.vaults.signIn = (clientId) => (clientId === "slow" ? { error, afterMs: 1_000_000 } : undefined);
    // All polls are late now, and no class is stale yet.
    await leadOn(1.4);
  }

  /** Stops the leader and lets the sign-ins end. */
  async function stopSlowly(): Promise<void> {
    const stopped = leader.stop();
    await world.clock.advance(2_000_000);
    await stopped;
  }

  test("W12: is not held up by a class whose poll nobody has made yet: the next leader makes that one at once", async () => {
    await givenSlow(1, 1);
    assert.deepEqual(renew().owed, ["slow-0/app-0"]);
    assert.ok(behind() <= INTERVAL / 2, `${behind()} ms behind`);

    const made = renew();
    await stopSlowly();
    world.vaults.signIn = undefined;
    world.vaults.taken();
    lead({ ...made, until: world.clock.now() });
    await world.clock.advance(2_000);

    assert.ok(world.vaults.taken().includes("slow: list secrets"));
    await leader.stop();
  });

  test("W12: names a namespace for the classes of which too many wait", async () => {
    await givenSlow(1, 12);
    assert.deepEqual(renew().owed, ["slow-0/*"]);
    assert.ok(behind() <= INTERVAL / 2, `${behind()} ms behind`);
    await stopSlowly();
  });

  test("W12: stays where it is while polls of a whole cluster wait", async () => {
    await givenSlow(160, 1);
    assert.ok(behind() > INTERVAL / 2, `${behind()} ms behind`);
    await stopSlowly();
  });

  test("W12: is passed on with what is owed, until the classes are known", async () => {
    await leader.stop();
    const { clock } = world;
    const [before, owed] = [clock.now() - 30_000, ["slow/app"]];
    const earlier = earlierPolls({ progress: { before, owed: new Set(owed), observe: () => undefined }, clock });
    // The classes are not listed yet, and nothing may read them.
    const unlisted = { classes: { hasSynced: false, list: () => [] }, states: new ClassStates(), ...Object.create(null) };
    assert.deepEqual(pollsMade({ ...unlisted, clock, before: earlier })(), { until: before, owed });
  });

  test("W12: and what is owed go through the lease", () => {
    const leased = createLeasedProgress();
    assert.deepEqual(leased.annotations(), {});
    leased.after({}).observe(() => ({ until: 1_700_000_000_000, owed: ["team/app", "other/*"] }));
    const { before, owed } = leased.after(leased.annotations());
    assert.deepEqual([before, [...(owed ?? [])]], [1_700_000_000_000, ["team/app", "other/*"]]);
    const clock: Clock = { now: () => 1_700_000_060_000, sleep: async () => undefined };
    const progress = { before, owed: owed ?? new Set<string>(), observe: () => undefined };
    const earlier = earlierPolls({ progress, clock });
    const keys = ["team/app", "team/b", "other/c"];
    assert.deepEqual(
      keys.map((key) => earlier.of(key)),
      ["unknown", before, "unknown"],
    );
  });
});
