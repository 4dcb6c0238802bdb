import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { statusesAreTrue } from "../simulation/invariants/claims.ts";
import { MINUTE, StagedWorld } from "../support/worker/staged-world.ts";

const STATUSES = "secretproviderclasssyncs.keyvault-injector.dev";
const LATE = "mine/app is called synced and fresh; db changed N minutes ago, and db holds old instead of new";

/**
 * A class that is polled every two minutes and reported as fresh, and whose Secret still holds the version that the vault had before
 * the tenth minute.
 */
function stage(): StagedWorld {
  const staged = new StagedWorld();
  const team = staged.team("mine", { intervalMinutes: 2 });
  const object = team.vault.objects.get("db");
  assert.ok(object !== undefined);
  const version = (value: string, since: number) => ({ version: value, value, since, isDisabled: false });
  team.vault.objects.set("db", { ...object, versions: [version("old", 0), version("new", 10 * MINUTE)], changedAt: 10 * MINUTE });
  staged.secret("mine", "db", { "key-db": "old" });
  const conditions = ["Synced", "Fresh"].map((type) => ({ type, status: "True" }));
  staged.put(STATUSES, "mine/app", { status: { conditions } });
  statusesAreTrue.watch?.(staged.world, assert.fail);
  return staged;
}

/**
 * Advances minute by minute, and renews the lease in each minute for which `isLed` is true. Returns the first minute with a finding,
 * and the findings.
 */
async function run(staged: StagedWorld, isLed: (minute: number) => boolean) {
  const minutes: number[] = [];
  const found = new Set<string>();
  for (let minute = 0; minute < 40; minute += 1) {
    if (isLed(minute)) staged.written({ resource: "leases.coordination.k8s.io", name: "keyvault-injector-sync" });
    await staged.pass(MINUTE);
    const texts = statusesAreTrue.check?.(staged.world) ?? [];
    if (texts.length > 0) minutes.push(minute + 1);
    for (const text of texts) found.add(text.replace(/\d+ minutes/, "N minutes"));
  }
  return { first: minutes[0], found: [...found] };
}

describe("the simulation's invariant that statuses are true", () => {
  test("finds a class that is called fresh, and holds what the vault has replaced two polls and five minutes ago", async () => {
    assert.deepEqual(await run(stage(), () => true), { first: 20, found: [LATE] });
  });

  // Seed 1001: the API server was unavailable for longer than a class may be reported as fresh.
  test("asks nothing while nobody can lead, and does so three minutes after somebody does", async () => {
    assert.deepEqual(await run(stage(), (minute) => minute < 12 || minute >= 30), { first: 33, found: [LATE] });
  });
});
