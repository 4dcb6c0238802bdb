import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { KubeError, type KubeErrorCode } from "../../src/domain/ports/kube-error.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";

/** Two Deployments in one namespace and one in another, after a rotation in both namespaces. Writes to the first Deployment failed. */
async function withTrouble(code: KubeErrorCode, status: number | undefined): Promise<Restarts> {
  const restarts = new Restarts({ mostInCluster: 1 });
  restarts.team(TEAM);
  restarts.team("other");
  restarts.deploy(TEAM, "broken");
  restarts.deploy(TEAM, "fine");
  restarts.deploy("other", "web");
  await restarts.lead();
  assert.match(restarts.rotated(TEAM), /^True Rotated/);
  restarts.failWrites("broken", code, status);
  await restarts.rotate(TEAM, "other");
  return restarts;
}

describe("a workload whose restart does not come through", () => {
  let restarts: Restarts | undefined;
  afterEach(() => restarts?.stop());

  const rows: readonly (readonly [string, KubeErrorCode, number | undefined])[] = [
    ["its admission webhook is down (500)", "Unavailable", 500],
    ["it is throttled (429)", "Throttled", 429],
    ["somebody writes it without an end (409)", "Conflict", 409],
    ["no answer comes", "Unavailable", undefined],
  ];
  for (const [what, code, status] of rows) {
    test(`R18-1: keeps no other of its namespace or of the cluster from its restart, and is told: ${what}`, async () => {
      restarts = await withTrouble(code, status);
      await restarts.pass(5 * MINUTE);
      for (const [namespace, name] of [
        [TEAM, "fine"],
        ["other", "web"],
        [TEAM, "fine"],
      ] as const) {
        restarts.complete(namespace, name);
        await restarts.pass(2 * MINUTE);
      }

      assert.ok(restarts.stamp(TEAM, "fine"));
      assert.ok(restarts.stamp("other", "web"));
      assert.equal(restarts.stamp(TEAM, "broken"), undefined);
      assert.match(restarts.events(TEAM, "broken").join("\n"), /RestartBlocked: .*patch deployments.apps broken/);
      assert.match(restarts.rotated(TEAM), /^False RestartBlocked: Deployment broken .*patch deployments.apps broken/);
      assert.equal(await restarts.metric('rollouts_held{cause="blocked"}'), 1);
    });
  }

  test("R18-1: is restarted once it comes through, and tried in ever longer intervals until then", async () => {
    restarts = await withTrouble("Unavailable", 500);
    for (const [namespace, name] of [
      [TEAM, "fine"],
      ["other", "web"],
      [TEAM, "fine"],
    ] as const) {
      restarts.complete(namespace, name);
      await restarts.pass(2 * MINUTE);
    }
    const counted = restarts.failWrites("broken", "Unavailable", 500);
    await restarts.pass(60 * MINUTE);
    assert.ok(counted.tries >= 30 && counted.tries <= 75, `${counted.tries} tries in an hour`);
    restarts.world.cluster.fault = () => undefined;
    await restarts.pass(2 * MINUTE);
    assert.ok(restarts.stamp(TEAM, "broken"));
  });

  test("R18-1: whose pods cannot be listed keeps nobody waiting, and is said not to be known", async () => {
    restarts = new Restarts();
    restarts.team(TEAM);
    restarts.deploy(TEAM, "web");
    await restarts.lead();
    const { cluster } = restarts.world;
    let asked = 0;
    cluster.fault = ({ verb, resource, ref: { namespace } }) => {
      if (verb !== "list" || resource.plural !== "pods" || namespace !== undefined) return undefined;
      asked += 1;
      return new KubeError("Unavailable", "list pods: HTTP 500", { retry: { kind: "backoff" }, status: 500 });
    };
    await restarts.rotate(TEAM);
    await restarts.pass(10 * MINUTE);
    assert.ok(asked > 1);
    assert.match(restarts.rotated(TEAM), /^Unknown VersionsUnknown: Deployment web: .*list pods/);
    cluster.fault = () => undefined;
    await restarts.pass(2 * MINUTE);
    assert.ok(restarts.stamp(TEAM, "web"));
  });

  test("R18-7: is told of where a policy refuses the restart of one that was not ready, which holds up nobody", async () => {
    restarts = new Restarts();
    restarts.team(TEAM);
    restarts.deploy(TEAM, "down");
    restarts.deploy(TEAM, "fine");
    await restarts.lead();
    const conditions = [{ type: "Progressing", reason: "ProgressDeadlineExceeded" }];
    restarts.report(TEAM, "down", { replicas: 1, updatedReplicas: 1, availableReplicas: 0, conditions });
    restarts.failWrites("down", "Forbidden", 403);
    await restarts.rotate(TEAM);
    await restarts.pass(MINUTE);

    assert.ok(restarts.stamp(TEAM, "fine"));
    assert.match(restarts.events(TEAM, "down").join("\n"), /RestartBlocked: .*patch deployments.apps down: Forbidden/);
    restarts.complete(TEAM, "fine");
    await restarts.pass(MINUTE);
    assert.match(restarts.rotated(TEAM), /^False RestartBlocked: Deployment down .*Forbidden/);
    assert.ok(restarts.world.logger.entries.some(({ message }) => message === "request for one workload failed"));
  });

  test("R18-7: has Rotated Unknown, and no old word, while its Secret is missing", async () => {
    restarts = new Restarts();
    restarts.team(TEAM);
    restarts.deploy(TEAM, "web");
    await restarts.lead();
    assert.match(restarts.rotated(TEAM), /^True Rotated/);
    restarts.world.cluster.delete(RESOURCES.secrets, { namespace: TEAM, name: `app-${TEAM}` });
    restarts.world.vaults.delete(TEAM);
    await restarts.pass(MINUTE);
    assert.match(restarts.rotated(TEAM), /^Unknown VersionsUnknown: Deployment web: the Secret app-team does not exist or is not synced/);
  });
});
