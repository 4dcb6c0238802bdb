import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const TEAM = "team";

/** A workload in each of two namespaces, and one slot of the cluster. */
async function inTwoNamespaces(): Promise<Restarts> {
  const restarts = new Restarts({ mostInCluster: 1 });
  for (const namespace of [TEAM, "team-2"]) {
    restarts.team(namespace);
    restarts.deploy(namespace, "api");
  }
  await restarts.lead();
  await restarts.pass(60_000);
  return restarts;
}

describe("a restart whose versions change, or become unknown, while its pods start", () => {
  let restarts: Restarts;
  afterEach(() => restarts.stop());

  const now = (): string => `${new Date(restarts.world.clock.now()).toISOString().slice(0, 19)}Z`;
  const put = (name: string, readySince: string | undefined): void => {
    const annotations = { [POD_ANNOTATIONS.rotated]: restarts.stamp(TEAM, "api") ?? "" };
    const found = restarts.world.cluster.get<KubeObject>(RESOURCES.pods, { namespace: TEAM, name });
    const creationTimestamp = found?.metadata.creationTimestamp ?? now();
    const ready = readySince === undefined ? { status: "False" } : { status: "True", lastTransitionTime: readySince };
    const status = { phase: "Running", conditions: [{ type: "Ready", ...ready }], containerStatuses: [{ restartCount: 0 }] };
    const metadata = { namespace: TEAM, name, labels: { app: "api" }, annotations, creationTimestamp };
    restarts.world.cluster.put(RESOURCES.pods, Object.assign({ apiVersion: "v1", kind: "Pod", metadata }, { status }));
  };

  test("S16: is done with pods that already have the next versions, and lets the next one begin, only once these pods have stayed ready", async () => {
    restarts = new Restarts();
    restarts.team(TEAM);
    for (const name of ["api", "web"]) restarts.deploy(TEAM, name);
    await restarts.lead();
    await restarts.pass(60_000);
    await restarts.rotate(TEAM);
    const first = restarts.stamp(TEAM, "api");
    assert.ok(first !== undefined && restarts.stamp(TEAM, "web") === undefined, "the restart of api is under way, and web waits");

    const secret = () => restarts.world.cluster.get(RESOURCES.secrets, { namespace: TEAM, name: `app-${TEAM}` });
    const before = JSON.stringify(secret());
    restarts.world.cluster.delete(RESOURCES.pods, { namespace: TEAM, name: "api-1" });
    restarts.change(TEAM);
    for (let tries = 0; tries < 20 && JSON.stringify(secret()) === before; tries += 1) await restarts.pass(250);
    assert.notEqual(JSON.stringify(secret()), before);
    await restarts.pass(1_000);
    put("api-2", undefined);
    restarts.complete(TEAM, "api");
    await restarts.pass(30_000);

    assert.equal(restarts.stamp(TEAM, "api"), first, "its pod has the versions: it is not restarted again");
    assert.equal(restarts.stamp(TEAM, "web"), undefined, "web waits for a pod that is not ready");
    assert.match(restarts.rotated(TEAM), /^False Restarting: /);

    put("api-2", now());
    await restarts.pass(30_000);
    assert.equal(restarts.stamp(TEAM, "api"), first);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined, "the control: web is restarted after that");
  });

  test("S22: keeps its slot of the cluster while the next versions settle", async () => {
    restarts = await inTwoNamespaces();
    await restarts.rotate(TEAM);
    assert.notEqual(restarts.stamp(TEAM, "api"), undefined, "its restart is under way");
    await restarts.rotate("team-2");
    await restarts.pass(10_000);
    assert.equal(restarts.stamp("team-2", "api"), undefined, "the other namespace waits for the slot");

    const secret = () => JSON.stringify(restarts.world.cluster.get(RESOURCES.secrets, { namespace: TEAM, name: `app-${TEAM}` }));
    const before = secret();
    restarts.change(TEAM);
    for (let tries = 0; tries < 20 && secret() === before; tries += 1) await restarts.pass(250);
    await restarts.pass(1_000);
    restarts.world.cluster.delete(RESOURCES.pods, { namespace: TEAM, name: "api-1" });
    put("api-2", now());
    restarts.complete(TEAM, "api");
    await restarts.pass(8_000);
    assert.equal(restarts.stamp("team-2", "api"), undefined, "its pods have been ready for eight seconds");

    await restarts.pass(30_000);
    assert.notEqual(restarts.stamp("team-2", "api"), undefined, "the control: the slot is free once its pods have stayed ready");
  });

  test("S17: is proven although its Secret is gone, and lets the next one begin only then", async () => {
    restarts = new Restarts();
    restarts.team(TEAM);
    restarts.world.vaults.set("second");
    restarts.world.apply({ namespace: TEAM, name: "other", objects: ["second"] });
    restarts.deploy(TEAM, "api");
    const { template } = (restarts.live(TEAM, "api") as KubeObject & { readonly spec: { readonly template: KubeObject } }).spec;
    const containers = [{ name: "web", envFrom: [{ secretRef: { name: "other-second" } }] }];
    restarts.deploy(TEAM, "web", { spec: { template: { ...template, spec: { containers } } } });
    await restarts.lead();
    await restarts.pass(60_000);
    restarts.world.vaults.set("second");
    restarts.world.apply({ namespace: TEAM, name: "other", objects: ["second"], annotations: { "keyvault-injector.dev/refresh": "now" } });
    await restarts.rotate(TEAM);
    const first = restarts.stamp(TEAM, "api");
    assert.ok(first !== undefined && restarts.stamp(TEAM, "web") === undefined, "the restart of api is under way, and web waits");

    restarts.world.cluster.fault = ({ verb, ref }) =>
      verb !== "get" && ref.name === `app-${TEAM}`
        ? new KubeError("Forbidden", "no", { retry: { kind: "never" }, status: 403 })
        : undefined;
    restarts.world.cluster.delete(RESOURCES.secrets, { namespace: TEAM, name: `app-${TEAM}` });
    restarts.world.cluster.delete(RESOURCES.pods, { namespace: TEAM, name: "api-1" });
    put("api-2", undefined);
    restarts.complete(TEAM, "api");
    await restarts.pass(30_000);
    assert.equal(restarts.stamp(TEAM, "web"), undefined, "web waits for a pod that is not ready");

    put("api-2", now());
    await restarts.pass(30_000);
    assert.equal(restarts.stamp(TEAM, "api"), first);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined, "the control: web is restarted after that");
    assert.match(restarts.rotated(TEAM), /^Unknown|^False/, "nobody claims that api has the versions");
  });
});

describe("a restart whose request got no answer", () => {
  let restarts: Restarts;
  afterEach(() => restarts.stop());

  const noAnswer = new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
  const away = new KubeError("Unavailable", "away", { retry: { kind: "backoff" }, status: 503 });

  /** Rotates two workloads. The answer to the first restart is lost, and its watch is broken. Returns what restores the watch. */
  async function unanswered(isStored: boolean, isAway = false): Promise<() => void> {
    restarts = new Restarts();
    restarts.team(TEAM);
    for (const name of ["api", "web"]) restarts.deploy(TEAM, name);
    await restarts.lead();
    await restarts.pass(60_000);
    const mend = restarts.world.cluster.cutWatches(WORKLOADS.Deployment);
    restarts.world.cluster[isStored ? "lostAnswer" : "fault"] = ({ verb, ref, resource }) => {
      if (verb === "patch" && ref.name === "api") return noAnswer;
      return isAway && verb === "list" && resource.plural === "deployments" ? away : undefined;
    };
    await restarts.rotate(TEAM);
    return mend;
  }

  test("S18: counts as under way if the API server stored it, although the watch does not show it", async () => {
    const mend = await unanswered(true);
    assert.notEqual(restarts.stamp(TEAM, "api"), undefined, "it is stored");
    await restarts.pass(60_000);
    assert.equal(restarts.stamp(TEAM, "web"), undefined, "web waits for it");

    mend();
    restarts.world.cluster.lostAnswer = () => undefined;
    restarts.world.cluster.delete(RESOURCES.pods, { namespace: TEAM, name: "api-1" });
    restarts.complete(TEAM, "api");
    await restarts.pass(60_000);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined, "the control: web is restarted after it");
  });

  test("S18: holds up no other workload once the API server has shown that it was not stored", async () => {
    await unanswered(false);
    await restarts.pass(10_000);
    assert.equal(restarts.stamp(TEAM, "api"), undefined);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined);
  });

  test("S18: keeps its slot of the cluster, too", async () => {
    restarts = await inTwoNamespaces();
    restarts.world.cluster.cutWatches(WORKLOADS.Deployment);
    restarts.world.cluster.lostAnswer = ({ verb, resource }) =>
      verb === "patch" && resource.plural === "deployments" ? noAnswer : undefined;
    await restarts.rotate(TEAM, "team-2");
    await restarts.pass(60_000);
    const begun = [TEAM, "team-2"].filter((namespace) => restarts.stamp(namespace, "api") !== undefined);
    assert.equal(begun.length, 1, begun.join());
  });

  test("S18: holds up others for two minutes at most, also if the API server never shows whether it was stored", async () => {
    await unanswered(false, true);
    await restarts.pass(30_000);
    assert.equal(restarts.stamp(TEAM, "web"), undefined, "the control: it holds up the other one");
    await restarts.pass(240_000);
    assert.equal(restarts.stamp(TEAM, "api"), undefined);
    assert.notEqual(restarts.stamp(TEAM, "web"), undefined);
  });
});
