import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { firstAlone } from "../../src/azure/first-alone.ts";
import { createVaultClient } from "../../src/azure/vault-client.ts";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { eventually } from "../support/time/eventually.ts";
import { startHttpsService } from "./https-service.ts";

const WAIT = { signal: new AbortController().signal, milliseconds: 60_000, tooLate: () => new Error("too late") };

/** Calls that end when the test ends them. */
function calls() {
  const turn = firstAlone();
  const started: PromiseWithResolvers<string>[] = [];
  const begin = (): Promise<string> =>
    turn(() => {
      const call = Promise.withResolvers<string>();
      started.push(call);
      return call.promise;
    }, WAIT);
  return { begin, started };
}

describe("the calls of a new client", () => {
  test("wait for the first, and go together after it", async () => {
    const { begin, started } = calls();
    const running = [begin(), begin(), begin()];
    await nextTurn();
    assert.equal(started.length, 1);

    started[0]?.resolve("a");
    await nextTurn();
    assert.equal(started.length, 3);
    for (const call of started) call.resolve("b");
    assert.deepEqual(await Promise.all(running), ["a", "b", "b"]);
  });

  test("are not failed by the first, and have to wait for another first only where no answer came", async () => {
    for (const [code, together] of [
      ["Forbidden", 2],
      ["Unreachable", 1],
    ] as const) {
      const { begin, started } = calls();
      const first = begin();
      started[0]?.reject(new VaultError(code, "no", { retry: { kind: "never" }, origin: "vault" }));
      await assert.rejects(first);

      const running = [begin(), begin()];
      await nextTurn();
      assert.equal(started.length - 1, together, code);
      for (let turn = 0; turn < 2; turn += 1) {
        for (const call of started) call.resolve("x");
        await nextTurn();
      }
      assert.deepEqual(await Promise.all(running), ["x", "x"]);
    }
  });

  test("RC20-4: go one after another while each fails", async () => {
    const { begin, started } = calls();
    const running = Promise.allSettled([begin(), begin(), begin()]);
    const silent = new VaultError("Unreachable", "no", { retry: { kind: "backoff" }, origin: "vault" });
    for (const count of [1, 2, 3]) {
      await nextTurn();
      assert.equal(started.length, count);
      started.at(-1)?.reject(silent);
    }
    await running;
  });
});

/** A client of a vault that sends a challenge, and a sign-in that never returns a token. */
async function clientWithoutTokens() {
  let challenged = 0;
  const service = await startHttpsService((_, response) => {
    challenged += 1;
    const challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://localhost"';
    response.writeHead(401, { "www-authenticate": challenge }).end();
  });
  let asked = 0;
  const getToken = (): Promise<never> => {
    asked += 1;
    return new Promise(() => undefined);
  };
  const { url, network } = service;
  const address = { vaultUrl: url, authorityHost: url, tenantId: "t", customScope: "https://localhost/.default" };
  const signIn = { credential: { getToken }, assertion: { issuer: undefined }, forget: () => undefined };
  const client = createVaultClient(address, { kind: "managedIdentity", clientId: undefined }, { network, signIn });
  return { client, asked: () => asked, challenged: () => challenged, close: () => service.close() };
}

describe("RC20-4: a call that waits for the first one of its client", () => {
  test("ends with its own signal", async () => {
    const { client, asked, close } = await clientWithoutTokens();
    const [first, own] = [new AbortController(), new AbortController()];
    const ending = Promise.allSettled([client.getSecret("a", undefined, first.signal)]);
    const second = client.getSecret("b", undefined, own.signal).then(
      () => "answered",
      (error: unknown) => error,
    );
    await eventually(() => asked() === 1);
    own.abort(new Error("stop"));
    const outcome = await Promise.race([second, nextTurn().then(() => "it waits on")]);
    first.abort(new Error("the end of the test"));
    await Promise.all([ending, second, close()]);

    assert.equal(String(outcome), "Error: stop");
  });

  test("waits no longer than a call may take", async (t) => {
    const { client, asked, close } = await clientWithoutTokens();
    const end = new AbortController();
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const ended: string[] = [];
    const calling = ["a", "b"].map(async (name) => {
      const [{ reason }] = (await Promise.allSettled([client.getSecret(name, undefined, end.signal)])) as [PromiseRejectedResult];
      ended.push(`${name}: ${reason instanceof VaultError ? reason.code : String(reason)}`);
    });
    await t.waitFor(() => assert.equal(asked(), 1), { timeout: 5_000 });
    t.mock.timers.tick(85_000);
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    const inTime = [...ended];
    end.abort(new Error("the end of the test"));
    t.mock.timers.reset();
    await Promise.all([...calling, close()]);

    assert.deepEqual(inTime.toSorted(), ["a: Unreachable", "b: Unreachable"]);
  });

  /** Calls of objects with these names, and what each ended with. */
  function watched(client: VaultClient, signal: AbortSignal) {
    const ended = new Map<string, VaultError>();
    const begin = async (name: string): Promise<void> => {
      const [{ reason }] = (await Promise.allSettled([client.getSecret(name, undefined, signal)])) as [PromiseRejectedResult];
      if (reason instanceof VaultError) ended.set(name, reason);
    };
    return { begin, ended };
  }

  test("CW-13: is not told that the vault did not answer it, if it was never sent", async (t) => {
    const { client, asked, close } = await clientWithoutTokens();
    const end = new AbortController();
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { begin, ended } = watched(client, end.signal);
    const calling = ["a", "b", "c"].map(begin);
    await t.waitFor(() => assert.equal(asked(), 1), { timeout: 5_000 });
    t.mock.timers.tick(85_000);
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    end.abort(new Error("the end of the test"));
    t.mock.timers.reset();
    await Promise.all([...calling, close()]);

    assert.equal(ended.get("a")?.origin, "vault");
    assert.match(ended.get("a")?.words ?? "", /^no answer within 85 s from the vault;/);
    for (const name of ["b", "c"]) {
      const { code, origin, retry, message = "" } = ended.get(name) ?? {};
      assert.deepEqual({ code, origin, retry }, { code: "Unreachable", origin: "own", retry: { kind: "backoff" } }, name);
      assert.match(
        message,
        /^get secret [bc] from https:\S+: not sent, because earlier requests to the vault did not end within 85 s; see their errors, and check the network path from the cluster$/,
      );
    }
  });

  test("CW-13: has its whole time from when it is sent, however long it waited", async (t) => {
    const { client, challenged, close } = await clientWithoutTokens();
    const end = new AbortController();
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { begin, ended } = watched(client, end.signal);
    const pass = async (milliseconds: number): Promise<void> => {
      t.mock.timers.tick(milliseconds);
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    };
    const calling = [begin("a")];
    await t.waitFor(() => assert.equal(challenged(), 1), { timeout: 5_000 });
    await pass(40_000);
    calling.push(begin("b"));
    await pass(45_000);
    assert.deepEqual([...ended.keys()], ["a"]);
    await t.waitFor(() => assert.equal(challenged(), 2), { timeout: 5_000 });
    await pass(84_000);
    const early = [...ended.keys()];
    await pass(1_000);
    end.abort(new Error("the end of the test"));
    t.mock.timers.reset();
    await Promise.all([...calling, close()]);

    assert.deepEqual(early, ["a"]);
    assert.match(ended.get("b")?.words ?? "", /^no answer within 85 s from the vault;/);
  });

  test("CW-13: does not wait if its name is invalid (control)", async () => {
    const { client, close } = await clientWithoutTokens();
    const end = new AbortController();
    const { begin, ended } = watched(client, end.signal);
    const first = begin("a");
    await begin("../keys/a");
    end.abort(new Error("the end of the test"));
    await Promise.all([first, close()]);

    assert.equal(ended.get("../keys/a")?.code, "Invalid");
  });
});
