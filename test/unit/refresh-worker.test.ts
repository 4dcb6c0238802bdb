import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Cluster } from "../../src/cli/shared/command.ts";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { OWN_DEPLOYMENT } from "../../src/domain/healing/components.ts";
import { type KubeObject, RESOURCES, type Resource } from "../../src/domain/kubernetes.ts";
import type { ListRequest } from "../../src/domain/ports/kube-client.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { runOffline } from "../support/cli/cli.ts";
import { refusal } from "../support/simulation/cluster.ts";
import { type LeadOptions, type SimulatedClass, SimulatedWorld } from "../support/simulation/world.ts";

const CLASS: SimulatedClass = { namespace: "shop", name: "web", objects: ["db"] };
const MINUTE = 60_000;

/** A worker that has synced the class, and a vault that has a newer version since then. */
async function rotatedWorld(t: TestContext, spc: SimulatedClass = CLASS) {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  world.apply(spc);
  let leader = world.lead();
  t.after(() => leader.stop());
  await world.clock.advance(5 * MINUTE);
  world.vaults.set("db");
  const successor = async (settings: Settings): Promise<void> => {
    await leader.stop();
    leader = world.lead({ settings });
  };
  return Object.assign(world, { successor });
}

type Settings = NonNullable<LeadOptions["settings"]>;

/** Settings that differ from the defaults, and the arguments of the worker's Deployment that set them. */
interface Given extends Settings {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

function workerWith(args: readonly string[]): KubeObject {
  const spec = { template: { spec: { containers: [{ name: "sync", args }] } } };
  return Object.assign(
    { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace: "keyvault-injector", name: OWN_DEPLOYMENT } },
    { spec },
  );
}

/** Runs the command beside the worker. Also returns its duration by their clock (milliseconds). */
async function refreshed(world: SimulatedWorld, ...args: readonly string[]) {
  const { clock, cluster } = world;
  const { client } = cluster;
  const list = async (resource: Resource, { keep = (object) => object, ...options }: ListRequest<KubeObject>, signal: AbortSignal) =>
    (await client.list<KubeObject>(resource, options, signal)).map(keep);
  const { watcher } = cluster;
  const kube = { ...client, list };
  const seen = { kube, namespace: "default", server: "simulated", close: async () => undefined, watcher: async () => watcher };
  const began = clock.now();
  const run = { isOver: false };
  const running = runOffline(["refresh", "web", "-n", "shop", ...args], "", { cluster: seen as unknown as Cluster, clock }).finally(() => {
    run.isOver = true;
  });
  while (!run.isOver && clock.now() < began + 10 * MINUTE) await clock.advance(500);
  assert.ok(run.isOver, "the command has not ended");
  const { code, output } = await running;
  return { code, output, tookMs: clock.now() - began };
}

/** Makes another user set the annotation right after the command does. */
function annotateAfterwards(world: SimulatedWorld, value: string): void {
  const { client } = world.cluster;
  const mergePatch = client.mergePatch.bind(client);
  const overwritten = async (...call: Parameters<typeof mergePatch>): Promise<KubeObject> => {
    const patched = await mergePatch(...call);
    world.apply({ ...CLASS, annotations: { [CLASS_ANNOTATIONS.refresh]: value } });
    return patched;
  };
  Object.assign(client, { mergePatch: overwritten });
}

/** Makes a GitOps tool restore the annotation right after the worker answered the command. */
function annotateAfterAnswer(world: SimulatedWorld, value: string): void {
  const before = world.status(CLASS)?.observedRefresh;
  const onChange = (): void => {
    const observed = world.status(CLASS)?.observedRefresh;
    const isAnswered = observed !== undefined && observed !== before && observed !== value;
    if (isAnswered) setImmediate(() => world.apply({ ...CLASS, annotations: { [CLASS_ANNOTATIONS.refresh]: value } }));
  };
  const options = { resource: RESOURCES.secretProviderClassSyncs, project: (object: KubeObject) => object, onChange };
  world.cluster.watcher.reflect(options, new AbortController().signal);
}

describe("refresh --wait beside the worker", () => {
  test("ends with 0 when the Secret has what the vault has", async (t) => {
    const world = await rotatedWorld(t);
    const { code, output } = await refreshed(world, "--wait");

    assert.deepEqual([code, world.value({ namespace: "shop", name: "web-db" })], [0, "db@v2"]);
    assert.match(output, /the worker has queried the vault, and the Secrets and the status match its response/);
  });

  test("N2: ends at once with 1 and the vault's refusal, which the worker takes for its answer", async (t) => {
    const world = await rotatedWorld(t);
    world.vaults.refuse("app", "get", "list");
    const { code, output, tookMs } = await refreshed(world, "--wait");

    assert.deepEqual([code, tookMs < 10_000], [1, true]);
    assert.match(
      output,
      /the worker has reconciled the class, but it is not up to date: Forbidden: .*app may not get; .*explain spc\/web -n shop/,
    );
    assert.doesNotMatch(output, /match its response/);
  });

  test("N2: ends with 1 where the Secret was not written, and says so", async (t) => {
    const world = await rotatedWorld(t);
    world.cluster.fault = ({ verb, resource }) =>
      resource.plural === "secrets" && verb !== "get" && verb !== "list" ? refusal("Forbidden", 403) : undefined;
    const { code, output } = await refreshed(world, "--wait");

    assert.equal(code, 1);
    assert.match(output, /not up to date: Forbidden: refused: Forbidden/);
  });

  test("N2: waits on while the worker tries again, and ends with 0 when that has come right", async (t) => {
    const world = await rotatedWorld(t);
    const silentUntil = world.clock.now() + 20_000;
    world.cluster.fault = ({ verb, resource }) =>
      resource.plural === "secrets" && verb !== "get" && verb !== "list" && world.clock.now() < silentUntil
        ? refusal("Unavailable", 503)
        : undefined;
    const { code, tookMs } = await refreshed(world, "--wait");

    assert.deepEqual([code, tookMs > 15_000, world.value({ namespace: "shop", name: "web-db" })], [0, true, "db@v2"]);
  });

  test("N2: says that the worker has not answered where the time is over at once", async (t) => {
    const world = await rotatedWorld(t);
    world.vaults.refuse("app", "get", "list");
    const { code, output } = await refreshed(world, "--wait", "--timeout", "0s");

    assert.equal(code, 1);
    assert.match(output, /the worker has not finished the request/);
  });

  test("N11: takes the answer to a request that came after its own for its answer", async (t) => {
    const world = await rotatedWorld(t);
    annotateAfterwards(world, "of a colleague");
    const { code, tookMs } = await refreshed(world, "--wait");

    assert.deepEqual([code, tookMs < 10_000, world.value({ namespace: "shop", name: "web-db" })], [0, true, "db@v2"]);
  });

  test("N11: does not take the answer to an earlier request for its own where somebody puts that one back", async (t) => {
    const world = await rotatedWorld(t, { ...CLASS, annotations: { [CLASS_ANNOTATIONS.refresh]: "of Git" } });
    annotateAfterwards(world, "of Git");
    const { code, output } = await refreshed(world, "--wait", "--timeout", "10s");

    assert.equal(code, 1);
    assert.match(output, /someone reset the annotation keyvault-injector.dev\/refresh/);
  });

  test("R20-11: has had its answer though somebody resets the annotation right after it", async (t) => {
    const world = await rotatedWorld(t, { ...CLASS, annotations: { [CLASS_ANNOTATIONS.refresh]: "of Git" } });
    annotateAfterAnswer(world, "of Git");
    const { code, output, tookMs } = await refreshed(world, "--wait");

    assert.deepEqual([code, tookMs < 10_000, world.value({ namespace: "shop", name: "web-db" })], [0, true, "db@v2"], output);
  });

  for (const [name, { annotations = {}, args = [], ...settings }, code, said] of [
    [
      "its author has switched off",
      { annotations: { [CLASS_ANNOTATIONS.sync]: "never" } },
      1,
      /nothing updates its Secrets: sync is turned off by the annotation keyvault-injector\.dev\/sync: never/,
    ],
    [
      "the install mirrors no Secret of",
      { args: ["--sync-secret=false"], syncSecret: false },
      1,
      /nothing updates its Secrets: sync is turned off by .*--sync-secret=false/,
    ],
    [
      "no pod mounts any more, although pods alone have it mirrored",
      { annotations: { [CLASS_ANNOTATIONS.sync]: "while-used" }, unusedGrace: 60 * MINUTE },
      1,
      /until then, its Secrets stay unchanged/,
    ],
    [
      "no pod has mounted for long",
      { args: ["--sync-mode=while-used"], syncMode: "while-used", unusedGrace: 0 },
      0,
      /no pod mounts the class, so it has no Secrets/,
    ],
  ] as const satisfies readonly (readonly [string, Given, number, RegExp])[]) {
    test(`N11: says at once that the worker will not answer for a class that ${name}`, async (t) => {
      const world = await rotatedWorld(t);
      await world.successor(settings);
      world.apply({ ...CLASS, annotations });
      world.cluster.put(WORKLOADS.Deployment, workerWith(args));
      await world.clock.advance(5 * MINUTE);
      const refreshedNow = await refreshed(world, "--wait");

      assert.deepEqual([refreshedNow.code, refreshedNow.tookMs < 5_000], [code, true], refreshedNow.output);
      assert.match(refreshedNow.output, said);
    });
  }
});
