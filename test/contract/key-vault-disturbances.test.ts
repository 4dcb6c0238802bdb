import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { dispatch } from "../../tools/key-vault-emulator/cli/dispatch.ts";
import { eventually } from "../support/time/eventually.ts";
import { EmulatorSetting, type Setting } from "./emulator-setting.ts";
import type { ClientSpec, SdkCall } from "./sdk-protocol.ts";

let setting: EmulatorSetting;

before(async () => {
  setting = await EmulatorSetting.start();
});

after(() => setting?.stop());

const getSecret: SdkCall = { kind: "get", name: "db" };

/** A vault whose secret was read once, so that the client has a token already. */
async function aReadVault(change: Partial<ClientSpec> = {}): Promise<Setting> {
  const made = await setting.aVault();
  await setting.emulator.setSecret({ vault: made.vault, name: "db", value: "v" });
  const client = { ...made.client, ...change };
  await setting.succeeds(client, getSecret);
  return { ...made, client };
}

describe("a vault's budget", () => {
  test("is refused beyond with the service's own body, without Retry-After, for every kind of object", async () => {
    const { vault, client } = await aReadVault();
    await setting.emulator.setBudget({ vault, transactions: 2, perSeconds: 3600 });

    await setting.succeeds(client, getSecret);
    await setting.succeeds(client, getSecret);
    for (const call of [getSecret, { kind: "key", name: "db" }, { kind: "certificate", name: "db" }] as const) {
      const error = await setting.fails(client, call);
      assert.partialDeepStrictEqual(error, { statusCode: 429, code: "Throttled" });
      assert.match(
        error.message,
        /^Request was not processed because too many requests were received\. Reason: VaultRequestTypeLimitReached/,
      );
    }

    await setting.emulator.clearBudget({ vault });
    await setting.succeeds(client, getSecret);
  });

  test("refills with time", async () => {
    const { vault, host, client } = await aReadVault();
    await setting.emulator.setBudget({ vault, transactions: 1, perSeconds: 0.3 });
    const start = await setting.lastSequence();
    await setting.succeeds(client, getSecret);
    await setting.fails(client, getSecret);

    await eventually(() => setting.succeeds(client, getSecret), { within: 10_000, what: "a refilled budget" });

    assert.ok((await setting.statuses(host, start)).includes(429));
  });

  test("with Retry-After makes the SDK wait that long and come again", async () => {
    const { vault, host, client } = await aReadVault({ maxRetries: 1 });
    await setting.emulator.setBudget({ vault, transactions: 1, perSeconds: 0.5, retryAfterSeconds: 1 });
    await setting.succeeds(client, getSecret);
    const start = await setting.lastSequence();

    await setting.succeeds(client, getSecret);

    // Without the wait, its only retry would have come too early.
    assert.deepEqual(await setting.statuses(host, start), [429, 200]);
  });

  test("belongs to one vault", async () => {
    const [{ vault }, other] = [await aReadVault(), await aReadVault()];
    await setting.emulator.setBudget({ vault, transactions: 1, perSeconds: 3600 });

    for (let call = 0; call < 3; call += 1) await setting.succeeds(other.client, getSecret);
  });

  test("does not count challenges", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.setSecret({ vault, name: "db", value: "v" });
    await setting.emulator.setBudget({ vault, transactions: 1, perSeconds: 3600 });

    await setting.succeeds(client, getSecret);
  });
});

describe("a fault", () => {
  for (const status of [500, 503] as const) {
    test(`of status ${status} strikes once, and a retry gets through`, async () => {
      const { vault, host, client } = await aReadVault();
      await setting.emulator.injectFault({ vault, kind: "status", status });
      assert.partialDeepStrictEqual(await setting.fails(client, getSecret), { statusCode: status });

      const patient = { ...client, maxRetries: 1 };
      await setting.succeeds(patient, getSecret);
      await setting.emulator.injectFault({ vault, kind: "status", status });
      const start = await setting.lastSequence();
      await setting.succeeds(patient, getSecret);
      assert.deepEqual(await setting.statuses(host, start), [status, 200]);
    });
  }

  test("strikes as often as told, on the paths it was told, and not once it is cleared", async () => {
    const { vault, client } = await aReadVault();
    await setting.emulator.setSecret({ vault, name: "other", value: "v" });
    await setting.emulator.injectFault({ vault, kind: "status", status: 503, times: 3, path: "/secrets/db" });

    await setting.fails(client, getSecret);
    await setting.succeeds(client, { kind: "get", name: "other" });
    await setting.fails(client, getSecret);
    await setting.emulator.clearFaults();
    await setting.succeeds(client, getSecret);
  });

  test("of the connection is an error without a status", async () => {
    const { vault, host, client } = await aReadVault();
    const start = await setting.lastSequence();
    await setting.emulator.injectFault({ vault, kind: "reset" });

    const error = await setting.fails(client, getSecret);

    assert.equal(error.statusCode, undefined);
    assert.match(`${String(error.code)} ${error.message}`, /ECONNRESET|socket hang up|aborted/i);
    assert.deepEqual(await setting.statuses(host, start), [0]);
  });

  test("of slowness is a late answer, or none to an impatient client", async () => {
    const { vault, client } = await aReadVault();
    await setting.emulator.injectFault({ vault, kind: "slow", milliseconds: 50 });
    assert.partialDeepStrictEqual(await setting.succeeds(client, getSecret), { value: "v" });

    await setting.emulator.injectFault({ vault, kind: "slow", milliseconds: 60_000 });
    assert.equal((await setting.fails(client, { ...getSecret, timeoutMs: 100 })).name, "AbortError");
  });

  test("of truncation is an error, never half a value", async () => {
    const { vault, client } = await aReadVault();
    await setting.emulator.setSecret({ vault, name: "db", value: "v".repeat(20_000) });
    await setting.emulator.injectFault({ vault, kind: "truncated" });

    const error = await setting.fails(client, getSecret);

    assert.match(error.message, /aborted|terminated|ECONNRESET|premature/i);
  });

  test("of content type is a page of HTML with status 200", async () => {
    const { vault, client } = await aReadVault();
    await setting.emulator.injectFault({ vault, kind: "contentType" });

    const answer = await setting.fails(client, getSecret);

    assert.doesNotMatch(JSON.stringify(answer), /"value":"v"/);
  });

  test("of an absent member is the right answer without it", async () => {
    const { vault, client } = await aReadVault();
    await setting.emulator.injectFault({ vault, kind: "without", member: "value" });

    const secret = await setting.succeeds(client, getSecret);

    assert.doesNotMatch(JSON.stringify(secret), /"value":/);
    assert.partialDeepStrictEqual(await setting.succeeds(client, getSecret), { value: "v" });
  });

  test("can strike the sign-in, and the metadata service", async () => {
    const { vault, client } = await setting.aVault();
    await setting.emulator.setSecret({ vault, name: "db", value: "v" });
    await setting.emulator.injectFault({
      host: "login.microsoftonline.com",
      kind: "status",
      status: 503,
      path: `/${client.tenantId}/oauth2/v2.0/token`,
    });
    assert.match((await setting.fails(client, getSecret)).message, /AADSTS90033/);
    // A new client, because MSAL does not query Entra for a minute after a 503.
    await setting.succeeds({ ...client, maxRetries: 1 }, getSecret);

    const managed: ClientSpec = { ...client, credential: { kind: "managedIdentity" } };
    await setting.emulator.injectFault({ host: "169.254.169.254", kind: "status", status: 400 });
    assert.match(JSON.stringify(await setting.fails(managed, getSecret)), /Failed to retrieve token/);
  });

  test("on nothing, or on a name that is not emulated, is refused", async () => {
    await assert.rejects(setting.emulator.injectFault({ kind: "reset" }), /vault: give either vault or host/);
    await assert.rejects(setting.emulator.injectFault({ kind: "reset", host: "example.com" }), /host: example\.com is not emulated/);
    await assert.rejects(
      setting.emulator.injectFault({ kind: "status", host: "login.microsoftonline.com", status: 200 }),
      /status: 400 to 599/,
    );
  });
});

test("budgets and faults can be set by hand", async () => {
  const { vault, client } = await aReadVault();
  const run = (...words: readonly string[]): Promise<string> => dispatch(words, setting.stateDir);

  await run("budget", vault, "1", "3600", "--retry-after", "7");
  await setting.succeeds(client, getSecret);
  assert.partialDeepStrictEqual(await setting.fails(client, getSecret), { statusCode: 429 });
  await run("budget", vault);
  await run("fault", vault, "status", "503", "--times", "1");
  assert.partialDeepStrictEqual(await setting.fails(client, getSecret), { statusCode: 503 });
  await run("fault", vault, "without", "value", "--path", "/secrets/db");
  assert.doesNotMatch(JSON.stringify(await setting.succeeds(client, getSecret)), /"value":/);
  await run("fault", vault, "reset");
  await run("fault-clear");
  await setting.succeeds(client, getSecret);
  await assert.rejects(run("fault", vault, "explode"), /KIND: use status, slow/);
});
