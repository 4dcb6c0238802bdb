import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classesAreChecked } from "../simulation/invariants/checked.ts";
import { Troubles } from "../simulation/invariants/troubles.ts";
import type { Team } from "../simulation/world/team.ts";
import { currentOf } from "../simulation/world/vaults.ts";
import { listOf, MINUTE, StagedWorld, vaultMessage } from "../support/worker/staged-world.ts";

function hold(staged: StagedWorld, team: Team): void {
  const object = team.vault.objects.get("db");
  const value = object === undefined ? undefined : currentOf(object)?.value;
  staged.secret(team.namespace, "db", { "key-db": value ?? "" });
}

function stage(): { readonly staged: StagedWorld; readonly mine: Team; readonly theirs: Team } {
  const staged = new StagedWorld();
  const [mine, theirs] = [staged.team("mine"), staged.team("theirs")];
  classesAreChecked.watch?.(staged.world, assert.fail);
  hold(staged, mine);
  hold(staged, theirs);
  return { staged, mine, theirs };
}

/** Advances minute by minute. Returns the findings of the invariant after each minute, without duplicates. */
async function run(staged: StagedWorld, minutes: number, everyMinute: (minute: number) => void): Promise<readonly string[]> {
  const found = new Set<string>();
  for (let minute = 0; minute < minutes; minute += 1) {
    everyMinute(minute);
    await staged.pass(MINUTE);
    for (const text of classesAreChecked.check?.(staged.world) ?? []) found.add(text.replace(/\d+ minutes/, "N minutes"));
  }
  return [...found];
}

/** Runs for four hours a class with an interval of 30 minutes, whose object is requested so often. `unsettle` runs every half hour. */
function askedEvery(minutes: number, unsettle: (staged: StagedWorld, team: Team) => void = () => undefined): Promise<readonly string[]> {
  const staged = new StagedWorld();
  const team = staged.team("mine", { intervalMinutes: 30 });
  classesAreChecked.watch?.(staged.world, assert.fail);
  hold(staged, team);
  return run(staged, 240, (minute) => {
    if (minute % minutes === 0) staged.ended(vaultMessage(team, "/secrets/db?api-version=7.6"));
    if (minute % 30 === 0) unsettle(staged, team);
  });
}

describe("the simulation's invariant that classes are checked", () => {
  test("is content where each object is listed once an interval", async () => {
    const { staged, mine, theirs } = stage();
    const found = await run(staged, 120, (minute) => {
      if (minute % 5 !== 0) return;
      for (const team of [mine, theirs]) staged.ended(vaultMessage(team, "/secrets?api-version=7.6"), { body: listOf(team) });
    });
    assert.deepEqual(found, []);
  });

  test("finds a class that is not asked for although all works", async () => {
    const { staged, mine, theirs } = stage();
    const found = await run(staged, 30, (minute) => {
      staged.ended(vaultMessage(theirs, "/secrets/db?api-version=7.6"));
      if (minute < 5) staged.ended(vaultMessage(mine, "/secrets/db?api-version=7.6"));
    });
    assert.deepEqual(found, ["mine/app: nobody has asked for db for N minutes in which all worked"]);
  });

  // Seed 1001: the clock of a replica was three hours ahead, and was then corrected.
  test("is content with a worker that goes at nine tenths of the pace, and not with a slower one", async () => {
    assert.deepEqual(await askedEvery(36), []);
    assert.deepEqual(await askedEvery(45), ["mine/app: nobody has asked for db for N minutes in which all worked"]);
  });

  // Seed 5: a list that no class requested again served a poll almost an interval later.
  test("allows a second interval only after an edit of the team's classes, and after the end of a replica", async () => {
    const edit = (staged: StagedWorld, team: Team): void => {
      const classes = [...team.classes].map(([name, wanted]) => [name, { ...wanted }] as const);
      for (const [name, wanted] of classes) team.classes.set(name, wanted);
      hold(staged, team);
    };
    for (const unsettle of [edit, (staged: StagedWorld) => staged.exited("sync-0", "killed")]) {
      assert.deepEqual(await askedEvery(66, unsettle), []);
      assert.deepEqual(await askedEvery(75, unsettle), ["mine/app: nobody has asked for db for N minutes in which all worked"]);
    }
  });

  test("finds it also while another identity's sign-ins fail, and another vault is away", async () => {
    const { staged, theirs } = stage();
    const found = await run(staged, 30, () => {
      staged.ended({ host: "login.microsoftonline.com", body: `client_id=${theirs.application.appId}` }, { how: "failed", status: 0 });
      staged.ended(vaultMessage(theirs, "/secrets/db"), { status: 503 });
    });
    assert.deepEqual(found, ["mine/app: nobody has asked for db for N minutes in which all worked"]);
  });

  const excuses: readonly [string, (staged: StagedWorld, mine: Team) => void][] = [
    ["its vault is reset", (staged, mine) => staged.ended(vaultMessage(mine, "/secrets/db"), { how: "failed", status: 0 })],
    [
      "its sign-in is busy",
      (staged, mine) => staged.ended({ host: "login.microsoftonline.com", body: `client_id=${mine.application.appId}` }, { status: 503 }),
    ],
    [
      "the API server answers its namespace with 500",
      (staged) => staged.ended({ path: "/api/v1/namespaces/mine/secrets/db" }, { status: 500 }),
    ],
    ["the leader stands still", (staged) => staged.machine.stop(2 * MINUTE)],
  ];
  for (const [why, happen] of excuses)
    test(`asks nothing of a class while ${why}, and does so soon after`, async () => {
      const { staged, mine, theirs } = stage();
      const well = (): void => staged.ended(vaultMessage(theirs, "/secrets/db"));
      const meanwhile = await run(staged, 60, () => {
        well();
        happen(staged, mine);
      });
      assert.deepEqual(meanwhile, []);
      const later = await run(staged, 20, well);
      assert.deepEqual(later, ["mine/app: nobody has asked for db for N minutes in which all worked"]);
    });

  test("gives a vault that has throttled up to eight intervals more, and no more than that", async () => {
    const { staged, mine, theirs } = stage();
    const well = (): void => staged.ended(vaultMessage(theirs, "/secrets/db"));
    const throttling = (): void => {
      well();
      staged.ended(vaultMessage(mine, "/secrets/db"), { status: 429 });
    };
    assert.deepEqual(await run(staged, 60, throttling), []);
    assert.deepEqual(await run(staged, 45, well), []);
    assert.deepEqual(await run(staged, 15, well), ["mine/app: nobody has asked for db for N minutes in which all worked"]);
  });

  test("asks nothing while another replica takes over, and does so where it could have and has not", async () => {
    const { staged, mine, theirs } = stage();
    const well = (): void => {
      for (const team of [mine, theirs]) staged.ended(vaultMessage(team, "/secrets/db"));
    };
    staged.standby();
    await run(staged, 10, well);
    staged.machine.kill();
    assert.deepEqual(await run(staged, 15, () => undefined), []);
    assert.deepEqual(await run(staged, 10, () => undefined), [
      "mine/app: nobody has asked for db for N minutes in which all worked",
      "theirs/app: nobody has asked for db for N minutes in which all worked",
    ]);
  });

  test("finds a new version that is listed and does not arrive", async () => {
    const { staged, mine, theirs } = stage();
    const object = mine.vault.objects.get("db");
    object?.versions.push({ version: "2", value: Buffer.from("vault-of-mine/db/2").toString("base64"), since: 0, isDisabled: false });
    const found = await run(staged, 30, () => {
      for (const team of [mine, theirs]) staged.ended(vaultMessage(team, "/secrets"), { body: listOf(team) });
    });
    assert.deepEqual(found, ["mine/db of app is not what the vault has, after N minutes in which all worked"]);
  });
});

describe("times of trouble", () => {
  test("are counted once where they overlap, by what a class needs", () => {
    const troubles = new Troubles();
    troubles.note("vault", 10, 20);
    troubles.note("identity", 15, 30);
    troubles.note("other", 40, 90);
    troubles.note("vault", 50, 60);
    assert.equal(troubles.healthyMs(["vault", "identity"], 0, 100), 100 - 20 - 10);
    assert.equal(troubles.healthyMs(["vault"], 12, 18), 0);
    assert.equal(troubles.healthyMs([], 12, 18), 6);
  });

  test("grow together where they touch", () => {
    const troubles = new Troubles();
    troubles.note("vault", 10, 20);
    troubles.note("vault", 30, 40);
    troubles.note("vault", 5, 35);
    assert.equal(troubles.healthyMs(["vault"], 0, 50), 15);
  });
});
