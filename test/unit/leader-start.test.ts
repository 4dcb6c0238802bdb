import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { assertGuarded } from "../../src/sync/guardrails.ts";
import { type SimulatedCall, SimulatedCluster, withoutRight } from "../support/simulation/cluster.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const CLASS = { namespace: "team", name: "app" };
const SECRET = { namespace: "team", name: "app-db" };
const OVERLOADED = [
  new KubeError("Throttled", "too many requests", { retry: { kind: "after", milliseconds: 2_000 }, status: 429 }),
  new KubeError("Unavailable", "no answer within 15000 ms", { retry: { kind: "backoff" } }),
];

/** Makes the first matching calls fail, one for each failure. */
function failing(isMeant: (call: SimulatedCall) => boolean, failures: readonly KubeError[]) {
  const left = [...failures];
  return (call: SimulatedCall): KubeError | undefined => (isMeant(call) ? left.shift() : undefined);
}

describe("a new leader under an API server that is overloaded", () => {
  const parts: Readonly<Record<string, (call: SimulatedCall) => boolean>> = {
    "the uid of the cluster": ({ verb, resource }) => verb === "get" && resource.plural === "namespaces",
    "the fingerprint key": ({ verb, resource, ref }) => verb === "get" && resource.plural === "secrets" && ref.namespace !== "team",
    "its first fingerprint key": ({ verb, resource, ref }) => verb === "apply" && resource.plural === "secrets" && ref.namespace !== "team",
  };
  for (const [part, isMeant] of Object.entries(parts)) {
    test(`asks again for ${part}, and begins once it has an answer`, async () => {
      const world = new SimulatedWorld();
      world.vaults.set("db");
      world.apply({ ...CLASS, objects: ["db"] });
      world.cluster.fault = failing(isMeant, OVERLOADED);

      const leader = world.lead();
      await world.clock.advance(30_000);

      assert.equal(world.value(SECRET), "db@v1");
      await leader.stop();
    });
  }

  test("ends where the API server refuses for good", async () => {
    const world = new SimulatedWorld();
    const refused = new KubeError("Invalid", "no such thing", { retry: { kind: "never" }, status: 422 });
    world.cluster.fault = failing(({ resource }) => resource.plural === "namespaces", [refused]);
    const ended = assert.rejects(world.lead().ended, refused);

    await world.clock.advance(1_000);

    await ended;
  });

  test("asks again no more once it is stopped", async () => {
    const world = new SimulatedWorld();
    world.cluster.fault = ({ resource }) => (resource.plural === "namespaces" ? OVERLOADED[1] : undefined);
    const leader = world.lead();
    const ended = assert.rejects(leader.ended, /the test stops the worker/);
    await world.clock.advance(5_000);

    await leader.stop();

    await ended;
  });
});

test("a blind worker waits for an API server that does not say whether the policies are there", async () => {
  const clock = new ManualClock();
  const { client } = new SimulatedCluster(clock);
  const failures = [...OVERLOADED];
  const refuse = async (): Promise<never> => {
    await Promise.resolve();
    throw failures.shift() ?? withoutRight();
  };
  const kube = { ...client, create: refuse, apply: refuse, replace: refuse, mergePatch: refuse, delete: refuse, requestToken: refuse };
  const options = { kube, namespace: "keyvault-injector", isBlind: true, clock, logger: recordingLogger(), random: () => 0.5 };

  const guarded = assertGuarded(options, new AbortController().signal).then(
    () => "begins",
    (error: Error) => error.message,
  );
  await clock.advance(30_000);

  assert.equal(await guarded, "begins");
  assert.deepEqual(failures, []);
});
