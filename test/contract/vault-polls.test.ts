import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { clientEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import type { Permission } from "../../tools/key-vault-emulator/vault/permissions.ts";
import { type LineProcess, startLineProcess } from "../support/processes/line-process.ts";
import { eventually } from "../support/time/eventually.ts";
import { clockShows } from "../support/time/wall-clock.ts";
import type { PollAnswer, PollQuestion } from "./vault-polls-process.ts";

const PROCESS = fileURLToPath(new URL("./vault-polls-process.ts", import.meta.url));

let folder: string;
let emulator: SpawnedEmulator;
let worker: LineProcess<PollQuestion, PollAnswer>;
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "vault-polls-"));
  emulator = await spawnEmulator(folder);
  worker = startLineProcess({ command: process.execPath, args: [PROCESS], environment: clientEnvironment(emulator) });
});

after(async () => {
  await worker.stop();
  await emulator.stop();
  await rm(folder, { recursive: true, force: true });
});

type Identity = Pick<PollQuestion, "clientId" | "clientSecret">;

/** Creates a vault with secrets, classes that contain some of them each, and an identity. */
async function aVault({
  objects,
  perClass,
  permissions = ["get", "list"],
}: {
  objects: number;
  perClass: number;
  permissions?: Permission[];
}) {
  count += 1;
  const { name: vault, tenantId, url } = await emulator.createVault({ name: `polls-${count}` });
  const names = Array.from({ length: objects }, (_, index) => `object-${index}`);
  for (const name of names) await emulator.setSecret({ vault, name, value: name });
  const identity = await anIdentity(vault, permissions);
  const classes = Array.from({ length: objects / perClass }, (_, index) => ({
    name: `${vault}-${index}`,
    objects: names.slice(index * perClass, (index + 1) * perClass),
    vault,
    tenantId,
  }));
  const host = new URL(url).host;
  return {
    vault,
    host,
    ask: (kind: PollQuestion["kind"], round: number, changes: Partial<PollQuestion> = {}) =>
      ask({ classes, ...identity, kind, round, ...changes }),
    /** Requests since `after`, without challenges and sign-ins. */
    transactions: async (since: number) =>
      (await emulator.requests({ after: since })).filter((one) => one.host === host && one.status !== 401),
  };
}

async function anIdentity(vault: string, permissions: readonly Permission[]): Promise<Identity> {
  const { appId: clientId, clientSecret } = await emulator.createServicePrincipal({});
  await emulator.grant({ vault, appId: clientId, permissions: [...permissions] });
  return { clientId, clientSecret };
}

async function ask(question: PollQuestion): Promise<PollAnswer> {
  return worker.ask(question);
}

async function lastSequence(): Promise<number> {
  return (await emulator.requests()).at(-1)?.sequence ?? 0;
}

/** Waits until the second of the last change is well in the past. */
async function settled(): Promise<void> {
  await clockShows(Date.now() + 6_000);
}

const countOf = (values: readonly string[], wanted: string): number => values.filter((value) => value === wanted).length;

describe("polls of a vault", () => {
  test("cost one transaction for each 25 of 1,000 objects, one token and one challenge", async () => {
    const { vault, host, ask: asked, transactions } = await aVault({ objects: 1_000, perClass: 5 });
    await settled();
    const start = await lastSequence();

    const first = await asked("first", 0);
    assert.equal(countOf(first.reasons, "Synced"), 200);
    const gets = (await transactions(start)).length;
    const polls: number[] = [];
    for (const round of [1, 2, 3]) {
      const before = await lastSequence();
      const poll = await asked("poll", round);
      assert.equal(countOf(poll.reasons, "Synced"), 200);
      polls.push((await transactions(before)).length);
    }

    assert.deepEqual([gets, ...polls], [1_000, 40, 40, 40]);
    const all = await emulator.requests({ after: start });
    assert.equal(all.filter((one) => one.host === host && one.status === 401).length, 1);
    assert.equal(all.filter((one) => one.path.endsWith("/oauth2/v2.0/token")).length, 1);
    console.log(`vault polls: ${gets} transactions to get 1,000 objects, ${polls.join(", ")} for each poll at rest`);

    // The control: these polls notice changes.
    const { version } = await emulator.rotateSecret({ vault, name: "object-512" });
    const before = await lastSequence();
    const poll = await asked("poll", 4);
    assert.equal((await transactions(before)).length, 41);
    assert.equal(poll.versions[102]?.[2], version);
    assert.deepEqual(poll.reported, [`team/${vault}-102`]);
  });

  test("see a second change within the second in which the first was got", async () => {
    const { vault, ask: asked } = await aVault({ objects: 1, perClass: 1 });
    const pair = await eventually(
      async () => {
        const one = await emulator.rotateSecret({ vault, name: "object-0" });
        const got = await asked("first", 0);
        const other = await emulator.rotateSecret({ vault, name: "object-0" });
        return one.updated === other.updated && got.versions[0]?.[0] === one.version ? other : undefined;
      },
      { within: 20_000, what: "two changes in one second, the first of them got" },
    );

    const poll = await asked("poll", 1);

    assert.equal(poll.versions[0]?.[0], pair.version);
  });

  test("take one GET for each object where the identity may not list, and ask for the list once", async () => {
    const { ask: asked, transactions } = await aVault({ objects: 50, perClass: 5, permissions: ["get"] });
    await settled();
    await asked("first", 0);
    const start = await lastSequence();

    await asked("poll", 1);
    await asked("poll", 2);

    const seen = (await transactions(start)).map(({ status }) => String(status));
    assert.deepEqual([countOf(seen, "403"), countOf(seen, "200")], [1, 100]);
  });

  test("V3: list again as soon as the network lets them: a refusal of the connection says nothing of the right to list", async () => {
    const { vault, ask: asked, transactions } = await aVault({ objects: 50, perClass: 5 });
    await settled();
    await asked("first", 0);
    await emulator.injectFault({ vault, kind: "refusal", refusal: "private-link-only", times: 1_000 });
    const start = await lastSequence();

    const refused = await asked("poll", 1);

    assert.equal(countOf(refused.reasons, "Forbidden"), 10);
    assert.ok((await transactions(start)).length <= 10, "one list for each class at most, and no object");
    await emulator.clearFaults();
    const end = await lastSequence();
    assert.equal(countOf((await asked("poll", 2)).reasons, "Synced"), 10);
    assert.deepEqual(
      (await transactions(end)).map(({ path }) => path),
      ["/secrets", "/secrets"],
    );
  });

  test("see that an object was disabled and deleted", async () => {
    const { vault, ask: asked } = await aVault({ objects: 10, perClass: 5 });
    await settled();
    await asked("first", 0);
    await emulator.disableSecret({ vault, name: "object-1" });
    await emulator.deleteSecret({ vault, name: "object-7" });

    const poll = await asked("poll", 1);

    assert.deepEqual(poll.reasons, ["ObjectDisabled", "ObjectNotFound"]);
  });

  test("take one token for all vaults of an identity", async () => {
    const vaults = [
      await aVault({ objects: 5, perClass: 5 }),
      await aVault({ objects: 5, perClass: 5 }),
      await aVault({ objects: 5, perClass: 5 }),
    ];
    const { appId: clientId, clientSecret } = await emulator.createServicePrincipal({});
    for (const { vault } of vaults) await emulator.grant({ vault, appId: clientId, permissions: ["get", "list"] });
    const start = await lastSequence();

    for (const { ask: asked } of vaults) {
      assert.deepEqual((await asked("first", 0, { clientId, clientSecret })).reasons, ["Synced"]);
      assert.deepEqual((await asked("poll", 1, { clientId, clientSecret })).reasons, ["Synced"]);
    }

    const since = await emulator.requests({ after: start });
    assert.equal(since.filter(({ path }) => path.endsWith("/oauth2/v2.0/token")).length, 1);
  });

  test("give one identity nothing of what another has seen", async () => {
    const { vault, ask: asked } = await aVault({ objects: 5, perClass: 5 });
    assert.deepEqual((await asked("first", 0)).reasons, ["Synced"]);

    const stranger = await anIdentity(vault, ["list"]);

    assert.deepEqual((await asked("first", 0, stranger)).reasons, ["Forbidden"]);
  });
});

describe("a vault in trouble", () => {
  for (const retryAfterSeconds of [undefined, 2]) {
    test(`is left alone after a 429 ${retryAfterSeconds === undefined ? "without" : "with"} Retry-After, and the others are not`, async () => {
      const [busy, quiet] = [await aVault({ objects: 100, perClass: 5 }), await aVault({ objects: 5, perClass: 5 })];
      const budget = { vault: busy.vault, transactions: 10, perSeconds: 3_600 };
      await emulator.setBudget(retryAfterSeconds === undefined ? budget : { ...budget, retryAfterSeconds });
      const start = await lastSequence();

      const throttled = await busy.ask("first", 0);

      const statuses = (await busy.transactions(start)).map(({ status }) => String(status));
      assert.equal(countOf(statuses, "200"), 10);
      // 8 classes with 4 objects each were being processed when the first answer arrived.
      assert.ok(countOf(statuses, "429") >= 1 && countOf(statuses, "429") <= 32, `${countOf(statuses, "429")} times 429`);
      assert.ok(countOf(throttled.reasons, "Throttled") >= 10, throttled.reasons.join());
      assert.ok(throttled.after.every((after, index) => throttled.reasons[index] !== "Throttled" || after === null || after <= 2_000));
      assert.deepEqual((await quiet.ask("first", 0)).reasons, ["Synced"]);
      assert.match(throttled.metrics, new RegExp(`vault_rate\\{vault="${busy.host}"\\} 150`));

      await emulator.clearBudget({ vault: busy.vault });
      const recovered = await eventually(
        async () => {
          const again = await busy.ask("first", 0);
          return again.reasons.every((reason) => reason === "Synced") ? again : undefined;
        },
        { within: 20_000, what: "all classes synced" },
      );
      assert.equal(recovered.reasons.length, 20);
    });
  }

  test("is not asked again and again while it fails, and is taken up again by itself", async () => {
    const { vault, ask: asked, transactions } = await aVault({ objects: 200, perClass: 1 });
    await settled();
    await asked("first", 0);
    await emulator.injectFault({ vault, kind: "status", status: 503, times: 1_000 });
    const start = await lastSequence();

    const failed = await asked("poll", 1);

    assert.equal(countOf(failed.reasons, "Unreachable"), 200);
    const made = (await transactions(start)).length;
    assert.ok(made >= 5 && made <= 13, `${made} requests: 5 open the breaker, and 8 may be under way`);

    await emulator.clearFaults();
    const end = await lastSequence();
    await eventually(async () => countOf((await asked("poll", 1)).reasons, "Synced") === 200, {
      within: 20_000,
      what: "all classes synced",
    });
    const statuses = (await transactions(end)).map(({ status }) => String(status));
    assert.deepEqual([countOf(statuses, "200"), countOf(statuses, "429")], [8, 0], "one list, nothing else, as nothing has changed");
  });
});
