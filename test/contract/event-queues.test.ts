import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { QueueMessage } from "../../src/domain/ports/event-queue.ts";
import { parseMessage } from "../../src/domain/vault-events/parse-message.ts";
import { clientEnvironment, type Emulator, managedIdentityEnvironment, startEmulator } from "../../tools/key-vault-emulator/emulator.ts";
import { type Azurite, azuriteRefusal, startAzurite } from "../support/events/azurite.ts";
import { type LineProcess, startLineProcess } from "../support/processes/line-process.ts";
import { eventually } from "../support/time/eventually.ts";
import type { QueueAnswer, QueueQuestion } from "./event-queue-process.ts";

const PROCESS = fileURLToPath(new URL("./event-queue-process.ts", import.meta.url));
const ACCOUNT = "shopevents";
const TENANT = randomUUID();
const CALL_TIMEOUT_MS = 2_000;

const refusal = azuriteRefusal();

let stateDir: string;
let emulator: Emulator;
let azurite: Azurite;
let client: LineProcess<QueueQuestion, QueueAnswer>;
let principal: { readonly appId: string; readonly clientSecret: string };

type Asked = Omit<QueueQuestion, "setting" | "principal"> & { readonly identity?: string };

function ask(queue: string, { identity = `servicePrincipal;tenantID=${TENANT};secret=creds`, ...asked }: Asked): Promise<QueueAnswer> {
  return client.ask({ setting: `${azurite.urlOf(queue)};identity=${identity}`, principal, ...asked });
}

async function receive(queue: string, asked: Partial<Asked> = {}): Promise<readonly QueueMessage[]> {
  const { result, code, message } = await ask(queue, { call: "receive", ...asked });
  assert.equal(code, undefined, message);
  return result as readonly QueueMessage[]; // The process's adapter returned it.
}

async function queueWith(...messages: readonly string[]): Promise<string> {
  const queue = `q-${randomUUID().slice(0, 8)}`;
  await azurite.create(queue);
  for (const message of messages) await azurite.put(queue, message);
  return queue;
}

describe("queues of Azure Storage", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    stateDir = mkdtempSync(path.join(tmpdir(), "event-queues-"));
    emulator = await startEmulator({ stateDir });
    azurite = await startAzurite({ stateDir, ca: readFileSync(emulator.caFile, "utf8"), account: ACCOUNT });
    await emulator.createVault({ name: "shop", tenantId: TENANT });
    principal = await emulator.createServicePrincipal({ tenantId: TENANT });
    await emulator.addStorageAccount({ account: ACCOUNT, port: azurite.port });
    const environment = { ...clientEnvironment(emulator), ...managedIdentityEnvironment(emulator) };
    client = startLineProcess({
      command: process.execPath,
      args: [PROCESS],
      environment: { ...environment, TEST_CALL_TIMEOUT_MS: String(CALL_TIMEOUT_MS) },
      within: 60_000,
    });
  });
  after(async () => {
    await client?.stop();
    await azurite?.stop();
    await emulator?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  test("are read and emptied as an application, over TLS, by the emulator's own token for storage", async () => {
    const queue = await queueWith("one", "two");
    const messages = await receive(queue);
    assert.deepEqual(messages.map(({ text }) => text).sort(), ["one", "two"]);
    assert.deepEqual(
      messages.map(({ receipts }) => receipts),
      [1, 1],
    );
    for (const message of messages) assert.equal((await ask(queue, { call: "delete", message })).result, true);
    assert.equal(await azurite.count(queue), 0);
    const issued = (await emulator.requests()).filter(({ audience }) => audience === "https://storage.azure.com");
    assert.ok(issued.length > 0);
  });

  test("are read as a managed identity of the node", async () => {
    const identity = await emulator.createManagedIdentity({ kind: "user", tenantId: TENANT });
    const queue = await queueWith("hello");
    assert.deepEqual(
      (await receive(queue, { identity: `managed;clientID=${identity.appId}` })).map(({ text }) => text),
      ["hello"],
    );
  });

  test("give a message again that was received and not deleted, under another receipt", async () => {
    const queue = await queueWith("again");
    const [first] = await receive(queue, { hiddenMs: 1_000 });
    const [second] = await eventually(
      async () => {
        const found = await receive(queue, { hiddenMs: 60_000 });
        return found.length > 0 ? found : undefined;
      },
      { what: "the message once more" },
    );
    assert.equal(second?.receipts, 2);
    assert.equal(second?.id, first?.id);
    // The first receipt is no longer valid. That is not an error, and deletes nothing.
    assert.equal((await ask(queue, { call: "delete", message: { id: first?.id ?? "", receipt: first?.receipt ?? "" } })).result, false);
    assert.equal(await azurite.count(queue), 1);
  });

  test("have each event at a time that the emulator tells, after that of the version", async () => {
    const queue = await queueWith();
    const after = (await emulator.events()).at(-1)?.sequence ?? 0;
    const from = Date.now();
    await emulator.subscribeEvents({ vault: "shop", account: ACCOUNT, queue });
    const { version } = await emulator.setSecret({ vault: "shop", name: "told", value: "v" });
    const isDelivered = async (): Promise<boolean> => (await emulator.events({ after })).some(({ delivered }) => delivered.length > 0);
    await eventually(isDelivered, { what: "the delivery" });
    await emulator.unsubscribeEvents({ vault: "shop" });
    await emulator.setSecret({ vault: "shop", name: "untold", value: "v" });

    const [reported, unreported] = await emulator.events({ after });
    const { sequence = 0, madeAt = 0, delivered: [delivery] = [] } = reported ?? {};
    assert.deepEqual(reported, {
      sequence,
      vault: "shop",
      name: "told",
      version,
      madeAt,
      delivered: [{ account: ACCOUNT, queue, at: delivery?.at }],
    });
    assert.ok(from <= madeAt && madeAt <= (delivery?.at ?? 0), `${from}, ${madeAt}, ${delivery?.at}`);
    assert.deepEqual([unreported?.name, unreported?.delivered], ["untold", []]);
    assert.equal((await receive(queue)).length, 1);
  });

  test("say what is wrong: no queue, no right, a busy account, no answer, an account that is away", async () => {
    const queue = await queueWith();
    const host = `${ACCOUNT}.queue.core.windows.net`;
    const fails = async (code: string, words: RegExp, where = queue): Promise<QueueAnswer> => {
      const answer = await ask(where, { call: "receive" });
      assert.equal(answer.code, code, JSON.stringify(answer));
      assert.match(answer.message ?? "", words);
      return answer;
    };
    await fails("NotFound", /the queue does not exist \(HTTP 404 QueueNotFound\); create it/, "no-such-queue");

    await emulator.injectFault({ host, kind: "status", status: 403 });
    await fails("Forbidden", /assign it the role Storage Queue Data Message Processor/);

    await emulator.injectFault({ host, kind: "status", status: 503, retryAfterSeconds: 7 });
    const busy = await fails("Throttled", /the storage account is busy \(HTTP 503 ServerBusy\)/);
    assert.equal(busy.retryMs, 7_000);

    await emulator.injectFault({ host, kind: "contentType" });
    await fails("Unreachable", /the response does not come from the queue/);

    azurite.pause();
    try {
      await fails("Unreachable", /no answer within 2 s/);
    } finally {
      azurite.resume();
    }
    await emulator.injectFault({ host, kind: "reset", times: 2 });
    await fails("Unreachable", /no connection/);
    // None of these errors has a lasting effect.
    assert.deepEqual(await receive(queue), []);
  });

  test("end a call with its caller", async () => {
    const queue = await queueWith();
    azurite.pause();
    try {
      const { code } = await ask(queue, { call: "receive", abortAfterMs: 200 });
      assert.equal(code, "other");
    } finally {
      azurite.resume();
    }
  });

  for (const schema of ["eventGrid", "cloudEvents"] as const) {
    test(`get an event of each new version of a vault's objects, as Event Grid writes them (${schema})`, async () => {
      const queue = await queueWith();
      const vault = `vault-${schema === "eventGrid" ? "one" : "two"}`;
      await emulator.createVault({ name: vault, tenantId: TENANT });
      await emulator.subscribeEvents({ vault, account: ACCOUNT, queue, schema });
      const secret = await emulator.setSecret({ vault, name: "DbPassword", value: "canary-value" });
      const key = await emulator.createKey({ vault, name: "signing" });
      const certificate = await emulator.createCertificate({ vault, name: "tls" });
      await eventually(async () => (await azurite.count(queue)) === 3, { what: "three events" });
      const texts = (await receive(queue)).map(({ text }) => text);
      const parsed = texts.map((text) => parseMessage(text));
      const found = parsed.flatMap((result) => (result.ok && result.value.kind === "object" ? [result.value] : []));
      const vaultHost = `${vault}.vault.azure.net`;
      const facts = found.map((event) => ({ ...event, time: undefined })).sort((a, b) => a.name.localeCompare(b.name));
      const common = { kind: "object", vaultHost, change: "NewVersionCreated", time: undefined };
      assert.deepEqual(facts, [
        { ...common, types: ["secret"], name: "dbpassword", version: secret.version },
        { ...common, types: ["key"], name: "signing", version: key.version },
        { ...common, types: ["cert", "secret", "key"], name: "tls", version: certificate.version },
      ]);
      assert.ok(found.every(({ time }) => Math.abs(time - Date.now()) < 60_000));
      assert.ok(texts.every((text) => !Buffer.from(text, "base64").toString().includes("canary-value")));
    });
  }
});
