/**
 * Compares the simulation's queue service with Azurite: for the same calls, the relevant parts of the answers must be equal byte for byte.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { type Emulator, startEmulator } from "../../tools/key-vault-emulator/emulator.ts";
import { escaped } from "../../tools/markup.ts";
import { QueueService } from "../simulation/queues/queue-service.ts";
import { Random } from "../simulation/time/random.ts";
import { type Azurite, type AzuriteAnswer, type AzuriteCall, azuriteRefusal, startAzurite } from "../support/events/azurite.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = azuriteRefusal();
const OPERATIONS = 400;
const SEED = 20_261_129;

interface Lane {
  readonly ask: (call: AzuriteCall) => Promise<AzuriteAnswer>;
  /** Id and receipts of each message by its text. The list contains all its receipts, the latest last. */
  readonly known: Map<string, { readonly id: string; readonly receipts: string[] }>;
}

function simulated(): Lane {
  const claims = { aud: "https://storage.azure.com", iss: "", nbf: 0, exp: 0, appid: "app", oid: "", tid: "" };
  const service = new QueueService({
    now: Date.now,
    random: new Random(SEED),
    tokens: { verify: () => ({ kind: "valid", claims }) },
    mayUse: () => true,
    skewMs: () => 0,
  });
  const headers = { authorization: "Bearer token" };
  return {
    known: new Map(),
    ask: async ({ method, path: asked, body = "" }) => {
      const { status, headers: given, body: text } = service.answer({ method, path: asked, headers, body });
      return { status, headers: given, text };
    },
  };
}

const TAG = /<(\/?[A-Za-z]+)[^>]*>([^<]*)/g;

/** Members whose values each service chooses itself. */
const OWN = new Set(["MessageId", "InsertionTime", "ExpirationTime", "PopReceipt", "TimeNextVisible", "Message"]);

function messagesIn(text: string): readonly string[] {
  return [...text.matchAll(/<QueueMessage>([^]*?)<\/QueueMessage>/g)].map(([whole]) => whole);
}

function member(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

/** Names of all elements in order, and the values on which both services must agree. */
function shapeOf(xml: string): string {
  return [...xml.matchAll(TAG)].map(([, name = "", value = ""]) => `${name}${OWN.has(name) ? "" : `=${value}`}`).join(" ");
}

function comparable({ status, headers, text }: AzuriteAnswer): unknown {
  const code = headers["x-ms-error-code"];
  const messages = messagesIn(text);
  // The service promises no order.
  const content = code === undefined ? messages.map(shapeOf).sort() : [];
  const hasVersion = headers["x-ms-version"] !== undefined && headers["x-ms-request-id"] !== undefined && headers["date"] !== undefined;
  return { status, code, content, hasVersion, count: headers["x-ms-approximate-messages-count"] };
}

async function askIn({ ask, known }: Lane, call: AzuriteCall): Promise<AzuriteAnswer> {
  const answer = await ask(call);
  for (const xml of messagesIn(answer.text)) {
    const [text, id, receipt] = [member(xml, "MessageText"), member(xml, "MessageId"), member(xml, "PopReceipt")];
    if (text === undefined || id === undefined) continue;
    const { receipts } = known.get(text) ?? { receipts: [] };
    known.set(text, { id, receipts: receipt === undefined ? receipts : [...receipts, receipt] });
  }
  return answer;
}

type Draw = (random: Random, texts: string[]) => (lane: Lane) => AzuriteCall;

const QUEUE = "/vault-events";

function deletion({ id, receipt }: { readonly id: string; readonly receipt: string }): AzuriteCall {
  return { method: "DELETE", path: `${QUEUE}/messages/${id}?popreceipt=${encodeURIComponent(receipt)}` };
}

const DRAWS: readonly Draw[] = [
  (random, texts) => {
    const text = escaped(`${random.bytes(6).toString("hex")} <&> "' ä 中 ${random.below(1_000)}`);
    texts.push(text);
    return () => ({ method: "POST", path: `${QUEUE}/messages`, body: `<QueueMessage><MessageText>${text}</MessageText></QueueMessage>` });
  },
  () => () => ({ method: "GET", path: `${QUEUE}/messages?numofmessages=32&visibilitytimeout=3600` }),
  () => () => ({ method: "GET", path: `${QUEUE}/messages?peekonly=true&numofmessages=32` }),
  (random) => {
    const [most, hidden] = [random.pick(["33", "32"]), random.pick(["0", "604801"])];
    return () => ({ method: "GET", path: `${QUEUE}/messages?numofmessages=${most}&visibilitytimeout=${hidden}` });
  },
  (random, texts) => {
    const text = texts.length === 0 ? "" : random.pick(texts);
    const age = random.below(3);
    return ({ known }) => {
      const { id = "00000000-0000-4000-a000-000000000000", receipts = [] } = known.get(text) ?? {};
      return deletion({ id, receipt: receipts.at(-1 - age) ?? receipts.at(-1) ?? "AgAAAAMAAAAAAAAA" });
    };
  },
  () => () => deletion({ id: "00000000-0000-4000-a000-000000000000", receipt: "AgAAAAMAAAAAAAAA" }),
  () => () => ({ method: "GET", path: "/no-such-queue/messages?numofmessages=32&visibilitytimeout=30" }),
  () => () => ({ method: "GET", path: `${QUEUE}?comp=metadata` }),
];

describe("the simulation's queue service", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let stateDir: string;
  let emulator: Emulator;
  let azurite: Azurite;
  let lanes: readonly [Lane, Lane];

  before(async () => {
    stateDir = mkdtempSync(path.join(tmpdir(), "simulated-queue-"));
    emulator = await startEmulator({ stateDir });
    azurite = await startAzurite({ stateDir, ca: readFileSync(emulator.caFile, "utf8"), account: "simevents" });
    lanes = [{ ask: (call) => azurite.ask(call), known: new Map() }, simulated()];
    for (const lane of lanes) await lane.ask({ method: "PUT", path: QUEUE });
  });
  after(async () => {
    await azurite?.stop();
    await emulator?.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  async function askBoth(call: (lane: Lane) => AzuriteCall): Promise<readonly [AzuriteAnswer, AzuriteAnswer]> {
    const [real, ours] = lanes;
    return [await askIn(real, call(real)), await askIn(ours, call(ours))];
  }

  test("answers as Azurite does, operation for operation", async () => {
    const random = new Random(SEED);
    const texts: string[] = [];
    const codes = new Set<unknown>();
    for (let index = 0; index < OPERATIONS; index += 1) {
      const call = random.pick(DRAWS)(random, texts);
      const [real, ours] = await askBoth(call);
      codes.add(`${real.status} ${String(real.headers["x-ms-error-code"] ?? "")}`);
      assert.deepEqual(comparable(ours), comparable(real), `operation ${index}: ${JSON.stringify(call(lanes[0]))}: ${real.text}`);
    }
    for (const seen of ["200 ", "201 ", "204 ", "404 QueueNotFound", "404 MessageNotFound", "400 PopReceiptMismatch"])
      assert.ok(codes.has(seen), `${seen} was met, among ${[...codes].join(", ")}`);
  });

  test("gives a message again when its time is over, and takes the last receipt alone", async () => {
    for (const lane of lanes) {
      await lane.ask({ method: "DELETE", path: `${QUEUE}/messages` });
      const body = "<QueueMessage><MessageText>again</MessageText></QueueMessage>";
      await lane.ask({ method: "POST", path: `${QUEUE}/messages`, body });
      const receive = { method: "GET", path: `${QUEUE}/messages?numofmessages=32&visibilitytimeout=1` };
      const [first = ""] = messagesIn((await lane.ask(receive)).text);
      assert.equal(member(first, "DequeueCount"), "1");
      assert.deepEqual(messagesIn((await lane.ask(receive)).text), []);
      const second = await eventually(async () => messagesIn((await lane.ask(receive)).text)[0], { what: "the message once more" });
      assert.equal(member(second, "DequeueCount"), "2");
      const ids = [first, second].map((xml) => ({ id: member(xml, "MessageId") ?? "", receipt: member(xml, "PopReceipt") ?? "" }));
      const statuses: number[] = [];
      for (const each of ids) statuses.push((await lane.ask(deletion(each))).status);
      assert.deepEqual(statuses, [400, 204]);
    }
  });
});
