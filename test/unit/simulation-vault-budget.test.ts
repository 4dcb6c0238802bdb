import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { littleIsPrompt, PROMPT_MS } from "../simulation/invariants/prompt.ts";
import { vaultBudget } from "../simulation/invariants/vault-budget.ts";
import { StagedWorld, vaultMessage } from "../support/worker/staged-world.ts";

/** Sends `burst` requests for one path at once and then `perSecond`, for half a minute. Returns the findings. */
async function ask(path: string, burst: number, perSecond: number): Promise<readonly string[]> {
  const staged = new StagedWorld();
  const team = staged.team("mine");
  const found: string[] = [];
  vaultBudget.watch?.(staged.world, (text) => void found.push(text));
  for (let count = 0; count < burst; count += 1) staged.sent(vaultMessage(team, path));
  for (let step = 0; step < 300; step += 1) {
    await staged.pass(100);
    for (let count = 0; count < perSecond / 10; count += 1) {
      staged.sent(vaultMessage(team, path));
      // A request without a token, which the vault answers with a challenge, is not a transaction.
      staged.sent({ ...vaultMessage(team, path), headers: {} });
    }
  }
  return found;
}

describe("the simulation's invariant of a vault's budget", () => {
  test("is content with 500 at once and 300 a second", async () => {
    assert.deepEqual(await ask("/secrets/db?api-version=7.6", 500, 300), []);
  });

  test("finds more at once, and more a second", async () => {
    const much = ["vault-of-mine is asked for more than 3860 transactions in 10 s"];
    assert.deepEqual(await ask("/secrets/db?api-version=7.6", 900, 300), much);
    assert.deepEqual((await ask("/secrets/db?api-version=7.6", 500, 400)).slice(0, 1), much);
  });

  test("finds too many keys, and counts lists of them with all others", async () => {
    const much = ["vault-of-mine is asked for more than 600 keys in 10 s"];
    assert.deepEqual(await ask("/keys/db?api-version=7.6", 50, 20), []);
    assert.deepEqual((await ask("/keys/db/1?api-version=7.6", 50, 60)).slice(0, 1), much);
    assert.deepEqual(await ask("/keys?api-version=7.6", 50, 60), []);
  });
});

describe("the simulation's invariant that who asks for little is served at once", () => {
  const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";

  /** Writes the class. `before`, `after`: a number that represents the class's spec before and after the write. */
  async function write(
    happen: (staged: StagedWorld) => Promise<void>,
    [before, after]: readonly [number, number] = [1, 2],
  ): Promise<readonly string[]> {
    const staged = new StagedWorld();
    const team = staged.team("mine");
    staged.put(CLASSES, "mine/app", { metadata: { namespace: "mine", name: "app", uid: "1" }, spec: { is: before } });
    const found: string[] = [];
    littleIsPrompt.watch?.(staged.world, (text) => void found.push(text));
    // Longer than the effects of a new leader may last.
    await staged.pass(600_000);
    const wanted = team.classes.get("app");
    if (wanted !== undefined) team.classes.set("app", { ...wanted });
    team.writtenAt.set("app", staged.scheduler.now);
    staged.put(CLASSES, "mine/app", { metadata: { namespace: "mine", name: "app", uid: "2" }, spec: { is: after } });
    staged.written({ resource: CLASSES, namespace: "mine", name: "app", user: "author" });
    await happen(staged);
    await staged.pass(PROMPT_MS + 90_000);
    return found;
  }

  test("finds a class whose Secret is late", async () => {
    const late = `mine/db is not what app says ${PROMPT_MS / 1_000} s after it was written`;
    assert.deepEqual(await write((staged) => staged.pass(1)), [late]);
  });

  test("asks nothing of a class that says what it said before: its poll brings what has changed in the vault", async () => {
    assert.deepEqual(await write((staged) => staged.pass(1), [2, 2]), []);
  });

  test("is content where the Secret is there in time", async () => {
    const found = await write(async (staged) => {
      await staged.pass(1_000);
      staged.secret("mine", "db", { "key-db": staged.teams[0]?.vault.objects.get("db")?.versions[0]?.value ?? "" });
    });
    assert.deepEqual(found, []);
  });

  test("asks nothing where its vault or the API server was slow meanwhile", async () => {
    const found = await write(async (staged) => {
      const sentAt = staged.scheduler.now;
      await staged.pass(2_000);
      const [team] = staged.teams;
      if (team !== undefined) staged.ended(vaultMessage(team, "/secrets/db"), { sentAt });
    });
    assert.deepEqual(found, []);
  });
});
