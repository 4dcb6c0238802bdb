import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { ReadResult } from "../../src/domain/ports/kube-client.ts";
import { KubeError, type KubeErrorCode } from "../../src/domain/ports/kube-error.ts";
import type { ApiAccess } from "../../src/webhook/api-access.ts";
import { SettableClock } from "../support/time/settable-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const MINUTE = 60_000;
const NAMESPACES = "namespaces";
const CLASSES = "secretproviderclasses";

/** The API server's answer to the read of a kind. */
type Says = "found" | "absent" | "unserved" | KubeErrorCode;

/** Loads the module only when a test needs it, so that a missing module makes an assertion fail. */
async function startAccess(world: World): Promise<ApiAccess> {
  const loaded = await import("../../src/webhook/api-access.ts").catch(() => undefined);
  assert.ok(loaded !== undefined, "nothing watches whether the API server still accepts the webhook's token");
  const { clock, logger, copies, signal } = world;
  const kube = {
    read: async ({ plural }: { readonly plural: string }): Promise<ReadResult<never>> => {
      const says = world.says[plural] ?? "absent";
      if (says === "found") return { kind: "found", object: {} as never }; // The code does not read it.
      if (says === "absent" || says === "unserved") return { kind: says };
      throw new KubeError(says, "planted", { retry: { kind: "backoff" } });
    },
  };
  const followed = [
    { resource: RESOURCES.namespaces, probe: { name: "keyvault-injector" }, copy: copies[NAMESPACES] },
    { resource: RESOURCES.secretProviderClasses, probe: { namespace: "keyvault-injector", name: "none" }, copy: copies[CLASSES] },
  ];
  return loaded.startApiAccess({ kube, copies: followed, clock, logger }, signal);
}

/** A live copy that hears from the API server when the test calls `hear`. */
class FollowedCopy {
  readonly #clock: SettableClock;
  isUnserved = false;
  #heardAt: number;

  constructor(clock: SettableClock) {
    this.#clock = clock;
    this.#heardAt = clock.monotonic();
  }

  hear(): void {
    this.#heardAt = this.#clock.monotonic();
  }

  get silentFor(): number {
    return this.#clock.monotonic() - this.#heardAt;
  }
}

interface World {
  readonly clock: SettableClock;
  readonly logger: ReturnType<typeof recordingLogger>;
  readonly says: Record<string, Says>;
  readonly copies: Record<typeof NAMESPACES | typeof CLASSES, FollowedCopy>;
  readonly signal: AbortSignal;
}

describe("the webhook's access to the API server", () => {
  let stop: AbortController;
  let world: World;
  let access: ApiAccess | undefined;

  beforeEach(() => {
    stop = new AbortController();
    const clock = new SettableClock();
    const copies = { [NAMESPACES]: new FollowedCopy(clock), [CLASSES]: new FollowedCopy(clock) };
    world = { clock, logger: recordingLogger(), says: { [NAMESPACES]: "found" }, copies, signal: stop.signal };
  });
  afterEach(async () => {
    stop.abort();
    await access?.done;
  });

  const bothSay = (says: Says): void => void Object.assign(world.says, { [NAMESPACES]: says, [CLASSES]: says });

  /** Advances this number of minutes. Meanwhile, these copies hear from the API server. */
  async function pass(minutes: number, heard: readonly (typeof NAMESPACES | typeof CLASSES)[] = [NAMESPACES, CLASSES]): Promise<void> {
    for (let quarter = 0; quarter < minutes * 4; quarter++) {
      for (const name of heard) world.copies[name].hear();
      await world.clock.advance(MINUTE / 4);
    }
  }

  const problems = () => [access?.readiness(), access?.liveness()];

  test("U1: that refuses its token for good takes it out of the Service after a minute, and has it back with the next one", async () => {
    access = await startAccess(world);
    await pass(5);
    assert.deepEqual(problems(), [undefined, undefined]);
    bothSay("Unauthorized");
    await pass(0.5, []);
    assert.deepEqual(problems(), [undefined, undefined], "half a minute may be a restart of the API server");
    await pass(1, []);
    assert.match(String(access.readiness()), /rejects our token: replace this pod \(kubectl rollout restart\)/);
    await pass(2, []);
    assert.match(String(access.readiness()), /rejects our token/);
    assert.deepEqual(
      world.logger.entries.map(({ level, message }) => [level, message]),
      [["error", "decisions are based on outdated cluster state"]],
    );
    bothSay("absent");
    await pass(0.25);
    assert.deepEqual(problems(), [undefined, undefined], "a new token is accepted");
  });

  test("S-8: that refuses its token for an hour never restarts it, since the container would begin with the same token", async () => {
    access = await startAccess(world);
    bothSay("Unauthorized");
    await pass(60, []);
    assert.match(String(access.readiness()), /rejects our token/);
    assert.equal(access.liveness(), undefined);
    // The control: a problem that a restart does repair.
    bothSay("absent");
    await pass(3.5, [NAMESPACES]);
    assert.match(String(access.liveness()), /^the copy of secretproviderclasses no longer follows/);
  });

  test("U1: that answers reads while a watch has stopped without a word does the same", async () => {
    access = await startAccess(world);
    await pass(5, [NAMESPACES]);
    assert.deepEqual(problems(), [undefined, undefined], "several idle bounds may pass");
    await pass(1.5, [NAMESPACES]);
    assert.equal(access.readiness(), "the copy of secretproviderclasses no longer follows the API server");
    await pass(2.5, [NAMESPACES]);
    assert.equal(access.liveness(), "the copy of secretproviderclasses no longer follows the API server");
    await pass(0.5);
    assert.deepEqual(problems(), [undefined, undefined], "the watch is back");
  });

  test("U1: that is away for an hour, or throttles, changes nothing: the copies are as good as they were", async () => {
    access = await startAccess(world);
    for (const says of ["Unavailable", "Throttled"] as const) {
      bothSay(says);
      await pass(60, []);
      assert.deepEqual(problems(), [undefined, undefined], says);
    }
    bothSay("absent");
    await pass(0.5, []);
    assert.deepEqual(problems(), [undefined, undefined], "back for a moment, before its watches are");
  });

  test("U1: that does not serve the kind, or does not allow it, is no stopped watch", async () => {
    access = await startAccess(world);
    world.says[CLASSES] = "unserved";
    world.copies[CLASSES].isUnserved = true;
    await pass(30, [NAMESPACES]);
    assert.deepEqual(problems(), [undefined, undefined]);
    world.says[CLASSES] = "Forbidden";
    world.copies[CLASSES].isUnserved = false;
    await pass(30, [NAMESPACES]);
    assert.deepEqual(problems(), [undefined, undefined]);
  });

  test("U1: that is away in between forgets no refusal and makes none of one", async () => {
    access = await startAccess(world);
    bothSay("Unauthorized");
    await pass(0.25, []);
    bothSay("Unavailable");
    await pass(30, []);
    assert.deepEqual(problems(), [undefined, undefined]);
  });

  test("R20-3: from a machine whose clock is set ahead makes no silence of the minute between two bookmarks", async () => {
    access = await startAccess(world);
    await pass(5);
    world.clock.set(60 * MINUTE);
    await pass(2, []);
    assert.deepEqual(problems(), [undefined, undefined]);
  });

  test("R20-3: from a machine whose clock is set back finds a watch that has stopped no later", async () => {
    access = await startAccess(world);
    await pass(1);
    world.clock.set(-60 * MINUTE);
    await pass(6.5, [NAMESPACES]);
    assert.equal(access.readiness(), "the copy of secretproviderclasses no longer follows the API server");
    await pass(2.5, [NAMESPACES]);
    assert.equal(access.liveness(), "the copy of secretproviderclasses no longer follows the API server");
  });
});
