/** Restarts whose window closes while their request waits in the worker, behind slow writes of the same namespace. */
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { Restarts } from "../support/simulation/restarts.ts";

const MINUTE = 60_000;
const TEAM = "team";

let restarts: Restarts;
afterEach(() => restarts.stop());

/** A workload whose window ends at 23:00, and whose version changes at 22:59. Each of its writes waits for two minutes. */
async function rotatedAtTheEnd(own: Readonly<Record<string, string>> = {}): Promise<void> {
  restarts = new Restarts();
  const { clock, cluster } = restarts.world;
  await restarts.pass(Date.UTC(2026, 10, 30, 22, 58) - clock.now());
  restarts.team(TEAM);
  restarts.deploy(TEAM, "web", { own: { "restart-window": "0 22 * * * for 1h", ...own } });
  await restarts.lead();
  cluster.waits = ({ verb, ref }) => (verb === "patch" && ref.name === "web" ? 2 * MINUTE : 0);
  await restarts.pass(Date.UTC(2026, 10, 30, 22, 59) - clock.now());
  await restarts.rotate(TEAM);
}

describe("RA10: a restart whose request waits past the end of its window", () => {
  test("does not begin, and is held until the window opens", async () => {
    await rotatedAtTheEnd();
    await restarts.pass(10 * MINUTE);
    assert.equal(restarts.stamp(TEAM, "web"), undefined);
    assert.match(restarts.rotated(TEAM), /^False WindowClosed: .* opens at 2026-12-01T22:00:00Z/);
    assert.deepEqual(
      restarts.events(TEAM, "web").filter((event) => event.startsWith("Restarted")),
      [],
    );
    await restarts.pass(23 * 60 * MINUTE);
    assert.ok(restarts.stamp(TEAM, "web"), "the next evening");
  });

  test("begins where somebody asks for it outside its window", async () => {
    await rotatedAtTheEnd({ "restart-paused": "true" });
    restarts.annotate(TEAM, "web", { "restart-paused": "false", "restart-now": "tonight" });
    await restarts.pass(10 * MINUTE);
    assert.ok(restarts.stamp(TEAM, "web"));
  });
});

describe("R2-2: a restart whose Namespace changes while its request waits", () => {
  for (const [what, annotations, begins] of [
    ["does not begin if restarts are paused", { "keyvault-injector.dev/restart-paused": "true" }, false],
    ["does not begin if the window is closed", { "keyvault-injector.dev/restart-window": "0 3 1 1 * for 1h" }, false],
    ["begins if something else is changed", { "keyvault-injector.dev/mount-path": "/mnt" }, true],
  ] as const) {
    test(what, async () => {
      restarts = new Restarts();
      const { cluster } = restarts.world;
      restarts.team(TEAM);
      restarts.deploy(TEAM, "web");
      await restarts.lead();
      cluster.waits = ({ verb, ref }) => (verb === "patch" && ref.name === "web" ? 2 * MINUTE : 0);
      await restarts.rotate(TEAM);
      cluster.put(RESOURCES.namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: TEAM, annotations } });

      await restarts.pass(10 * MINUTE);

      assert.equal(restarts.stamp(TEAM, "web") !== undefined, begins);
    });
  }
});
