import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Registry } from "prom-client";
import { createVaultClients } from "../../src/azure/vault-clients.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { createObjectVersionCaches, type ObjectVersionCache } from "../../src/sync/vault/object-version-cache.ts";
import { withBudget } from "../../src/sync/vault/vault-budget.ts";
import { createVaultMetrics } from "../../src/sync/vault/vault-metrics.ts";
import { checkVersions } from "../../src/sync/vault/version-check.ts";
import { heldOf } from "../support/time/collected.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { ListedVaults } from "../support/worker/listed-vault.ts";

const TENANT = "aaaaaaaa-0000-0000-0000-000000000001";
const IDENTITY: VaultIdentity = { kind: "managedIdentity", clientId: "app" };
const INTERVAL = 60_000;
const HOUR = 3_600_000;
const signal = new AbortController().signal;

let clock: ManualClock;
let vaults: ListedVaults;
let versionCacheOf: (clientId: string) => ObjectVersionCache;

beforeEach(async () => {
  clock = new ManualClock();
  await clock.advance(HOUR);
  vaults = new ListedVaults(clock);
  const metrics = createVaultMetrics(new Registry());
  const budgeted = withBudget(vaults, { clock, random: () => 0, metrics });
  const versionCaches = createObjectVersionCaches({ clock, metrics, onChange: () => true });
  const address = { vaultUrl: "https://kv.vault.azure.net/", authorityHost: "https://login.microsoftonline.com/", tenantId: TENANT };
  versionCacheOf = (clientId) => versionCaches(budgeted.clientFor(address, { kind: "managedIdentity", clientId }, "team"));
});

const anObject = (name: string): ClassObject => ({
  type: "secret",
  name,
  path: name,
  version: undefined,
  history: 0,
  format: "pem",
  encoding: "utf-8",
  filePermission: "",
});

/** Checks a class with these objects once, as the worker does. Returns the answers. */
async function check(
  versionCache: ObjectVersionCache,
  names: readonly string[],
  classKey = "team/one",
  interval = INTERVAL,
): Promise<readonly object[]> {
  const objects = names.map(anObject);
  const fetchRequest = { kind: "everything", due: clock.now(), interval, period: INTERVAL, credentialsMs: 0, sharedMs: 0 } as const;
  const check = await checkVersions(
    versionCache,
    { classKey, objects, secretObjects: [], leaving: new Set(), fetchRequest, now: clock.now() },
    signal,
  );
  const answers: object[] = [];
  for (const { name } of check.wanted) {
    const answer = await check.reader.getSecret(name, undefined, signal).catch((error: unknown) => error);
    if (!(answer instanceof VaultError)) answers.push(answer as object);
  }
  return answers;
}

describe("what the worker remembers of objects", () => {
  test("B-8: is of those that some class names, however often a class is edited to name others", async () => {
    const versionCache = versionCacheOf("app");
    const nameOf = (edit: number): string => `absent-${edit}`;
    for (let edit = 0; edit < 50; edit += 1) await check(versionCache, [nameOf(edit)]);

    const remembered = Array.from({ length: 50 }, (_, edit) =>
      versionCache.checkOf({ type: "secret", name: nameOf(edit), version: undefined }),
    );
    assert.equal(remembered.filter((each) => each !== undefined).length, 1);
    const [error] = remembered.flatMap((each) => each?.error ?? []);
    assert.equal(error?.code, "NotFound");
    assert.ok(!(error instanceof Error), "its words, and not its stack");
  });

  // Before the fix, the worker queried objects that no Secret holds again at each poll that followed a poll soon after an edit.
  test("outlasts the next poll of a class whose last one came soon after another look at it", async () => {
    const versionCache = versionCacheOf("app");
    await check(versionCache, ["kept"], "team/one", INTERVAL / 4);
    await clock.advance(INTERVAL);
    await check(versionCache, ["other"], "team/two");

    assert.ok(versionCache.checkOf({ type: "secret", name: "kept", version: undefined }) !== undefined);
  });

  test("B-8: ends with the last class that names them", async () => {
    const versionCache = versionCacheOf("app");
    const checkOf = () => versionCache.checkOf({ type: "secret", name: "absent", version: undefined });
    await check(versionCache, ["absent"], "team/gone");
    await check(versionCache, ["absent"], "team/stays");
    assert.ok(checkOf() !== undefined);

    for (let poll = 0; poll < 4; poll += 1) {
      await clock.advance(INTERVAL);
      await check(versionCache, ["absent"], "team/stays");
    }
    assert.ok(checkOf() !== undefined, "the control");
    // For more than ten minutes: the cache forgets a class that returns later than that.
    for (let poll = 0; poll < 12; poll += 1) {
      await clock.advance(INTERVAL);
      await check(versionCache, ["another"], "team/third");
    }

    assert.equal(checkOf(), undefined);
  });
});

describe("a value that the worker keeps for a moment", () => {
  test("B-7: is dropped by the next call for anybody, whether or not its own identity asks for something again", async () => {
    vaults.set("shared");
    const first = versionCacheOf("first");
    const given: WeakRef<object>[] = [];
    const ask = async (): Promise<void> => {
      for (const classKey of ["team/one", "team/two"])
        given.push(...(await check(first, ["shared"], classKey)).map((answer) => new WeakRef(answer)));
    };
    await ask();
    await ask();
    assert.ok((await heldOf(given)) > 0, "the control: it is kept for the second class");

    await clock.advance(20_000);
    await check(versionCacheOf("second"), ["shared"]);

    assert.equal(await heldOf(given), 0);
  });

  test("B-7: is one identity's, however classes spell its tenant and vault", () => {
    const clients = createVaultClients();
    const clientOf = (tenantId: string, vault: string) =>
      clients.clientFor(
        { vaultUrl: `https://${vault}.vault.azure.net/`, authorityHost: "https://login.microsoftonline.com/", tenantId },
        IDENTITY,
        "team",
      );
    const plain = clientOf(TENANT, "shared");

    assert.equal(clientOf(TENANT.toUpperCase(), "Shared"), plain);
    assert.notEqual(clientOf(TENANT, "another"), plain, "the control");
  });
});
