import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { openSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { builtProgram, programRefusal } from "../e2e/support/binaries.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { at, installShipped, listAt } from "../support/cluster/shipped-manifests.ts";
import { type RunningProcess, startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";
import { type Kubelets, type NodeSpec, startKubelets } from "./kubelets.ts";

const refusal = controlPlaneRefusal() ?? programRefusal(["kube-scheduler"]);
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const ZONES = ["one", "two", "three"];
const NODES: readonly NodeSpec[] = ZONES.flatMap((zone) => [1, 2].map((number) => ({ name: `${zone}-${number}`, zone })));
const COMPONENTS = ["webhook", "sync"] as const;
type Component = (typeof COMPONENTS)[number];
/** Grace period for silent nodes. In a real cluster it is 50 s. */
const GRACE = "6s";

async function startScheduler(plane: ControlPlane): Promise<RunningProcess> {
  const log = openSync(path.join(plane.directory, "kube-scheduler.log"), "a");
  const flags = [`--kubeconfig=${plane.kubeconfigPath}`, "--leader-elect=false", "--secure-port=0"];
  const child = spawn(await builtProgram("kube-scheduler"), flags, { stdio: ["ignore", log, log] });
  return startProcess(child, "kube-scheduler");
}

describe("nodes in three zones, with the real kube-scheduler", { skip }, () => {
  let plane: ControlPlane;
  let scheduler: RunningProcess;
  let kubelets: Kubelets;
  before(async () => {
    plane = await startControlPlane({
      moreControllers: ["node-lifecycle-controller", "endpointslice-controller"],
      controllerManagerFlags: [`--node-monitor-grace-period=${GRACE}`, "--node-monitor-period=1s"],
    });
    kubelets = await startKubelets(plane, NODES);
    await installShipped(plane);
    scheduler = await startScheduler(plane);
  });
  after(async () => {
    await kubelets?.stop();
    await scheduler?.stop();
    await plane?.stop();
  });

  async function list(resource: string, ...args: readonly string[]): Promise<readonly unknown[]> {
    return listAt(JSON.parse(await plane.kubectl(["get", resource, "-n", "keyvault-injector", ...args, "-o", "json"])), "items");
  }

  const selector = (component: Component): readonly string[] => ["-l", `app.kubernetes.io/component=${component}`];

  /** Zones of the component's ready pods, one entry per pod. */
  async function zonesOf(component: Component): Promise<readonly string[]> {
    const pods = await list("pods", ...selector(component));
    const ready = pods.filter((pod) =>
      listAt(pod, "status", "conditions").some((condition) => at(condition, "type") === "Ready" && at(condition, "status") === "True"),
    );
    return ready.map((pod) => NODES.find(({ name }) => name === at(pod, "spec", "nodeName"))?.zone ?? "none").sort();
  }

  const bothReady = (component: Component): Promise<readonly string[]> =>
    eventually(
      async () => {
        const zones = await zonesOf(component);
        return zones.length === 2 && zones;
      },
      { what: `two ready pods of ${component}`, within: 60_000 },
    );

  async function restart(component: Component): Promise<void> {
    await plane.kubectl(["delete", "pods", "-n", "keyvault-injector", ...selector(component), "--wait=true", "--timeout=60s"]);
  }

  for (const component of COMPONENTS) {
    test(`get the two replicas of ${component} in two zones, each time that they are made`, async () => {
      for (let round = 0; round < 5; round += 1) {
        const zones = await bothReady(component);
        assert.equal(new Set(zones).size, 2, zones.join());
        await restart(component);
      }
    });
  }

  test("run both replicas in one zone where there is no other, which the check sees", async () => {
    const elsewhere = NODES.filter(({ zone }) => zone !== "one").map(({ name }) => name);
    for (const name of elsewhere) await plane.kubectl(["cordon", name]);
    await restart("webhook");

    assert.deepEqual(await bothReady("webhook"), ["one", "one"]);

    for (const name of elsewhere) await plane.kubectl(["uncordon", name]);
    await restart("webhook");
    assert.equal(new Set(await bothReady("webhook")).size, 2);
  });

  test("keep one of each ready when the zone of the other is lost, and make its successor in a zone that is left", async () => {
    const before = { webhook: await bothReady("webhook"), sync: await bothReady("sync") };
    const [lost = ""] = before.webhook;
    kubelets.lose(lost);

    await eventually(async () => !(await zonesOf("webhook")).includes(lost) && !(await zonesOf("sync")).includes(lost), {
      what: `the controllers' notice that zone ${lost} is lost`,
      within: 60_000,
    });
    for (const component of COMPONENTS) assert.ok((await zonesOf(component)).length >= 1, component);
    const addresses = await eventually(
      async () => {
        const endpoints = (await list("endpointslices")).flatMap((slice) => listAt(slice, "endpoints"));
        const serving = endpoints.filter((endpoint) => at(endpoint, "conditions", "ready") === true);
        return serving.length === 1 && serving;
      },
      { what: "the Service without the lost replica", within: 30_000 },
    );
    assert.notEqual(at(addresses[0], "zone"), lost);

    // The taint of the lost node has the same effect after five minutes.
    const pods = await list("pods", ...selector("webhook"));
    const [stranded] = pods.filter((pod) => NODES.some(({ name, zone }) => name === at(pod, "spec", "nodeName") && zone === lost));
    await plane.kubectl([
      "delete",
      "pod",
      String(at(stranded, "metadata", "name")),
      "-n",
      "keyvault-injector",
      "--force",
      "--grace-period=0",
    ]);
    const after = await bothReady("webhook");
    assert.equal(new Set(after).size, 2, after.join());
    assert.ok(!after.includes(lost));
  });
});
