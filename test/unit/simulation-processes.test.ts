import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { listsAreEnough } from "../simulation/invariants/asking.ts";
import { unusedKeepsGrace } from "../simulation/invariants/grace.ts";
import type { Invariant } from "../simulation/invariants/invariant.ts";
import { leaseIsKept, leaseIsTaken } from "../simulation/invariants/lease.ts";
import { noOwnErrors, replicasEndForReasons } from "../simulation/invariants/processes.ts";
import { isInQuarantine, quarantineHasReasons } from "../simulation/invariants/quarantine.ts";
import { StagedWorld } from "../support/worker/staged-world.ts";

const SECOND = 1_000;
const LEASE = "/apis/coordination.k8s.io/v1/namespaces/keyvault-injector/leases/keyvault-injector-sync";
const LOST = "LeaseLost: the lease was not renewed within 10000 ms";

function watched(invariant: Invariant): { readonly staged: StagedWorld; readonly found: string[] } {
  const staged = new StagedWorld();
  const found: string[] = [];
  invariant.watch?.(staged.world, (text) => void found.push(text));
  return { staged, found };
}

describe("the simulation's invariant that a lease is kept", () => {
  async function lose(renew: (staged: StagedWorld) => void): Promise<readonly string[]> {
    const { staged, found } = watched(leaseIsKept);
    await staged.pass(300 * SECOND);
    staged.sent({ path: LEASE, method: "PATCH" });
    renew(staged);
    await staged.pass(10 * SECOND);
    staged.exited("sync-0", LOST);
    return found;
  }

  test("finds a leader that loses it although its renewals are answered", async () => {
    assert.equal((await lose((staged) => staged.ended({ path: LEASE }))).length, 1);
  });

  test("excuses one whose renewal failed, was answered late, or met somebody else's", async () => {
    assert.deepEqual(await lose((staged) => staged.ended({ path: LEASE }, { how: "failed", status: 0 })), []);
    assert.deepEqual(await lose((staged) => staged.ended({ path: LEASE }, { sentAt: staged.scheduler.now - 3 * SECOND })), []);
    assert.deepEqual(await lose((staged) => staged.ended({ path: LEASE }, { status: 409 })), []);
  });

  test("excuses one whose machine stood still", async () => {
    assert.deepEqual(await lose((staged) => staged.machine.stop(5 * SECOND)), []);
  });
});

describe("the simulation's invariant that a lease is taken", () => {
  /**
   * A candidate requests the lease this number of times, every two seconds. `happen` runs before each answer, and returns whether
   * there is one.
   */
  async function wait(times: number, happen: (staged: StagedWorld, time: number) => boolean): Promise<readonly string[]> {
    const { staged, found } = watched(leaseIsTaken);
    for (let time = 0; time < times; time += 1) {
      staged.sent({ path: LEASE, method: "GET" });
      const isAnswered = happen(staged, time);
      staged.ended({ path: LEASE, method: "GET" }, isAnswered ? {} : { how: "failed", status: 0 });
      await staged.pass(2 * SECOND);
    }
    return found;
  }

  const renewed = (staged: StagedWorld, resourceVersion: string): void =>
    staged.put("leases.coordination.k8s.io", "keyvault-injector/keyvault-injector-sync", { metadata: { resourceVersion } });

  test("finds a candidate that asks on for a lease that nobody renews, also where it got no answers for a while", async () => {
    const late = "sync-0/1 has asked 11 times for a lease that nobody has renewed, and asks once more";
    assert.deepEqual(await wait(13, () => true), [late]);
    assert.deepEqual((await wait(33, (_, time) => time < 3 || time > 30)).length, 1);
  });

  test("is content where it is renewed, or the candidate tries to take it", async () => {
    const renew = (staged: StagedWorld, time: number): boolean => {
      renewed(staged, `${Math.floor(time / 5)}`);
      return true;
    };
    assert.deepEqual(await wait(50, renew), []);
    const take = (staged: StagedWorld, time: number): boolean => {
      if (time % 9 === 8) staged.sent({ path: LEASE, method: "PATCH" });
      return true;
    };
    assert.deepEqual(await wait(50, take), []);
  });
});

describe("the simulation's invariant that lists are enough", () => {
  async function rest(path: string, mayList = true): Promise<readonly string[]> {
    const { staged } = watched(listsAreEnough);
    const team = staged.team("mine");
    Object.assign(team.application, { mayList });
    await staged.pass(3_600 * SECOND);
    staged.cloudRequest({ host: "vault-of-mine.vault.azure.net", path, identity: team.application.appId });
    return listsAreEnough.atRest?.(staged.world) ?? [];
  }

  test("finds an object that is asked for again and again", async () => {
    assert.deepEqual(await rest("/secrets/db"), ["mine asks for db, which vault-of-mine has not changed"]);
  });

  test("is content with lists, pinned versions, and identities that may not list", async () => {
    assert.deepEqual(await rest("/secrets"), []);
    assert.deepEqual(await rest("/secrets/db/0123"), []);
    assert.deepEqual(await rest("/secrets/db", false), []);
  });

  const VERSION = "0123456789abcdef0123456789abcdef";

  /**
   * Simulates a class that lists a fixed version of an object and, as a second entry, its latest version. `keys`: indexes of the
   * entries in its Secret.
   */
  async function restWithPinned(keys: readonly number[], versionAsked: number): Promise<readonly string[]> {
    const { staged } = watched(listsAreEnough);
    const latest = { object: "db", type: "secret" as const, pinned: undefined, alias: undefined, isDecoded: false };
    const before = { ...latest, pinned: VERSION, alias: "before" };
    const team = staged.team("mine", { entries: [before, latest], secrets: [{ name: "db", keys, label: undefined }] });
    const [version] = team.vault.objects.get("db")?.versions ?? [];
    team.vault.objects.get("db")?.versions.unshift({ version: VERSION, value: version?.value ?? "", since: 0, isDisabled: false });
    await staged.pass(3_600 * SECOND);
    const asked = { host: "vault-of-mine.vault.azure.net", identity: team.application.appId };
    for (let time = 0; time < versionAsked; time += 1) staged.cloudRequest({ ...asked, path: `/secrets/db/${VERSION}` });
    staged.cloudRequest({ ...asked, path: "/secrets/db/" });
    return listsAreEnough.atRest?.(staged.world) ?? [];
  }

  test("is content with the other objects of a Secret whose pinned version is checked, once a day", async () => {
    assert.deepEqual(await restWithPinned([0, 1], 1), []);
  });

  test("finds them where the version is not asked for, is in another Secret, or is asked for again and again", async () => {
    const found = ["mine asks for db, which vault-of-mine has not changed"];
    assert.deepEqual(await restWithPinned([0, 1], 0), found);
    assert.deepEqual(await restWithPinned([1], 1), found);
    assert.deepEqual(await restWithPinned([0, 1], 2), found);
  });
});

describe("the simulation's invariant of the grace", () => {
  const podsWatch = { path: "/api/v1/pods?watch=true" };

  async function deleted(secondsUnused: number, before: (staged: StagedWorld) => void = () => undefined): Promise<readonly string[]> {
    const { staged, found } = watched(unusedKeepsGrace);
    const team = staged.team("mine", { sync: "while-used" });
    await staged.pass(3_600 * SECOND);
    before(staged);
    team.usedUntil.set("app", staged.scheduler.now - secondsUnused * SECOND);
    staged.written({ verb: "delete", namespace: "mine", name: "db" });
    return found;
  }

  test("finds a Secret that goes a minute after the last pod", async () => {
    assert.deepEqual(await deleted(60), ["mine/db is deleted 60 s after the last pod of app ended"]);
  });

  test("is content with one that goes after the grace", async () => {
    assert.deepEqual(await deleted(300), []);
  });

  test("excuses a leader that cannot see pods, until it has listed them", async () => {
    const cut = (staged: StagedWorld): void => staged.ended(podsWatch, { how: "failed", status: 200 });
    assert.deepEqual(await deleted(60, cut), []);
    const listed = (staged: StagedWorld): void => {
      cut(staged);
      staged.ended({ path: "/api/v1/pods?limit=500" });
    };
    assert.equal((await deleted(60, listed)).length, 1);
  });
});

describe("the simulation's invariants of processes", () => {
  test("find a replica that ends by itself, and none that was told to", () => {
    const { staged, found } = watched(replicasEndForReasons);
    for (const why of ["stopped", "killed after its grace", LOST, "not alive: no answer"]) staged.exited("sync-0", why);
    assert.deepEqual(found, []);
    staged.exited("sync-0", "TypeError: x is not a function");
    assert.deepEqual(found, ["sync-0 ended: TypeError: x is not a function"]);
  });

  test("find an error of the program in the log once", () => {
    const { staged, found } = watched(noOwnErrors);
    const line = { at: 0, machine: "sync-0/1", level: "warn", message: "retry" } as const;
    staged.logged({ ...line, fields: { error: new Error("no answer") } });
    assert.deepEqual(found, []);
    staged.logged({ ...line, fields: { error: new TypeError("x is undefined") } });
    assert.deepEqual(found, ["sync-0/1: retry: TypeError: x is undefined"]);
  });

  test("find a class that is left alone for more crashes than there were", () => {
    const { staged, found } = watched(quarantineHasReasons);
    const leftAlone = (crashes: number): void =>
      staged.logged({
        at: 0,
        machine: "sync-0/9",
        level: "warn",
        message: "class",
        fields: { class: "team/app", detail: `the class is not synced: ${crashes} workers crashed` },
      });
    for (let end = 0; end < 3; end += 1) staged.exited("sync-0", "killed");
    staged.exited("sync-0", "stopped");
    leftAlone(3);
    assert.deepEqual(found, []);
    assert.ok(isInQuarantine(staged.world, "team/app"));
    assert.ok(!isInQuarantine(staged.world, "team/other"));
    leftAlone(4);
    assert.deepEqual(found, ["sync-0/9: team/app is left alone for 4 crashes, and 3 workers have ended"]);
  });
});
