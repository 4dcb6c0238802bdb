import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { afterEach, describe, test } from "node:test";
import { createEventQueue } from "../../src/azure/event-queues.ts";
import { QUEUE_ANSWER_BYTES } from "../../src/azure/queue-answer.ts";
import { type EventQueue, QueueError } from "../../src/domain/ports/event-queue.ts";
import { type HttpsService, startHttpsService, writeEndlessly } from "./https-service.ts";

const KIB = 1_024;
const LONGEST_MESSAGE = 64 * KIB;
const MOST = 32;

let service: HttpsService | undefined;

afterEach(async () => {
  await service?.close();
  service = undefined;
});

/** Starts an event queue that gives this answer to every request. */
async function queueThat(
  answer: (response: ServerResponse) => void,
  onToken: (scope: unknown) => void = () => undefined,
): Promise<EventQueue> {
  service = await startHttpsService((_, response) =>
    answer(response.setHeader("content-type", "application/xml").setHeader("x-ms-version", "2026-04-06")),
  );
  const { url, network } = service;
  const credential = {
    getToken: async (asked: unknown) => {
      onToken(asked);
      return { token: "t", expiresOnTimestamp: Number.MAX_SAFE_INTEGER };
    },
  };
  const signIn = { credential, assertion: { issuer: undefined }, forget: () => undefined };
  const scope = "https://storage.azure.com/.default";
  const setting = {
    url: `${url}account/q`,
    identity: { kind: "managed", clientId: undefined },
    authorityHost: url,
    scope,
    isCustomCloud: false,
  } as const;
  return createEventQueue(setting, { kind: "managedIdentity", clientId: undefined }, { network, signIn, timeoutMs: 20_000 });
}

const receive = (queue: EventQueue) => queue.receive({ most: MOST, hiddenMs: 30_000 }, new AbortController().signal);

async function assertRefused(answer: string, code: string, words: RegExp): Promise<void> {
  const queue = await queueThat((response) => response.end(answer));
  const error = await receive(queue).then(
    () => assert.fail("it was taken"),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof QueueError, String(error));
  assert.deepEqual([error.code, error.retry], [code, { kind: "backoff" }]);
  assert.match(error.message, words);
}

/** Returns the error of a queue that responds with this status, and with this code of its service. */
async function errorFor(status: number, serviceCode?: string): Promise<QueueError> {
  const headers = serviceCode === undefined ? {} : { "x-ms-error-code": serviceCode };
  const queue = await queueThat((response) => response.writeHead(status, headers).end());
  const error = await receive(queue).then(
    () => assert.fail("it was taken"),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof QueueError, String(error));
  return error;
}

const date = "Sun, 29 Nov 2026 06:00:00 GMT";

/** A message as the service writes it. */
function message(text: string): string {
  const facts = {
    MessageId: "5974b586-0df3-4e2d-ad0c-18e3892bfca2",
    InsertionTime: date,
    ExpirationTime: date,
    PopReceipt: "AgAAAAMAAAAAAAAAAAAAAAAAAAA=",
    TimeNextVisible: date,
    DequeueCount: "1",
    MessageText: text,
  };
  const inner = Object.entries(facts).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<QueueMessage>${inner.join("")}</QueueMessage>`;
}

function listOf(...parts: readonly string[]): string {
  return `<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>${parts.join("")}</QueueMessagesList>`;
}

const times = (count: number, part: (index: number) => string): string => Array.from({ length: count }, (_, index) => part(index)).join("");

/** Answers that are within the size limit, but that no service would write. */
const DENSE: Readonly<Record<string, string>> = {
  "empty elements": listOf("<a/>".repeat(500_000)),
  "texts between empty elements": listOf("x<b/>".repeat(400_000)),
  attributes: listOf(`<a ${times(200_000, (index) => `a${index}="x"`)}/>`),
  "attributes of a thousand elements": times(1_000, () => `<a ${times(200, (index) => `a${index}="x"`)}>`),
  "elements in elements": listOf("<a>".repeat(300_000)),
  "tags that do not end": "<".repeat(2_000_000),
  "a tag that does not end": listOf(`<a b='${"x".repeat(2_000_000)}`),
  "messages of a letter": listOf(message("x").repeat(MOST * 100)),
  "a page of HTML": `<!DOCTYPE html><html><body>${'<p class="x">Sign in</p>'.repeat(1_000)}</body></html>`,
};

describe("an answer of an event queue", () => {
  for (const [what, answer] of Object.entries(DENSE))
    test(`A18-7: is refused before it is parsed where it has ${what}`, async () => {
      assert.ok(Buffer.byteLength(answer) < QUEUE_ANSWER_BYTES);
      await assertRefused(answer, "Unreachable", /the response does not come from the queue/);
    });

  test("A18-7: is refused where one message is longer than any", () =>
    assertRefused(listOf(message("x".repeat(400_000))), "TooLarge", /no valid response \(more than 384 KiB in one message\)/));

  test("A18-7: without an end is not read to its end", async () => {
    const queue = await queueThat((response) => writeEndlessly(response, "<?xml?><a>"));
    await assert.rejects(receive(queue), (error) => error instanceof QueueError && /more than 2560 KiB/.test(error.message));
  });

  test("of as many and as long messages as the service gives is read whole", async () => {
    const queue = await queueThat((response) => response.end(listOf(message("A".repeat(LONGEST_MESSAGE)).repeat(MOST))));
    const messages = await receive(queue);
    assert.deepEqual([messages.length, messages.at(-1)?.text.length], [MOST, LONGEST_MESSAGE]);
  });

  for (const name of ["MessageId", "PopReceipt"])
    test(`A18-7: is refused where a message's ${name}, which is kept, is longer than any of the service's`, () =>
      assertRefused(
        listOf(message("x").replace(`<${name}>`, `<${name}>${"y".repeat(600)}`)),
        "Unreachable",
        /the response does not come from the queue/,
      ));

  test("A18-7: that asks for a token of another audience or tenant gets the one for storage, or none", async () => {
    const scopes: unknown[] = [];
    const queue = await queueThat(
      (response) => {
        const challenge =
          "Bearer authorization_uri=https://login.evil.example/11111111-1111-1111-1111-111111111111/oauth2/authorize resource_id=https://vault.azure.net";
        response.writeHead(401, { "www-authenticate": challenge }).end();
      },
      (scope) => scopes.push(scope),
    );
    await assert.rejects(receive(queue), (error) => error instanceof QueueError && error.message.includes("HTTP 401"));
    assert.ok(scopes.length > 0);
    assert.deepEqual(new Set(scopes), new Set(["https://storage.azure.com/.default"]));
  });

  test("of a message that is all references is read whole", async () => {
    const queue = await queueThat((response) => response.end(listOf(message("&quot;".repeat(LONGEST_MESSAGE)))));
    assert.deepEqual(
      (await receive(queue)).map(({ text }) => text),
      ['"'.repeat(LONGEST_MESSAGE)],
    );
  });

  test("A18-7: of more messages than it was asked for counts as those that it was asked for", async () => {
    const queue = await queueThat((response) => response.end(listOf(message("x").repeat(MOST + 10))));
    assert.equal((await receive(queue)).length, MOST);
  });

  test("A18-7: that reports an error is told by its status, whatever its body is", async () => {
    const queue = await queueThat((response) => {
      response.writeHead(503, { "x-ms-error-code": "ServerBusy", "retry-after": "7" }).end("<a/>".repeat(500_000));
    });
    await assert.rejects(
      receive(queue),
      (error) =>
        error instanceof QueueError && error.code === "Throttled" && error.retry.kind === "after" && error.retry.milliseconds === 7_000,
    );
  });
});

describe("an error with which a storage account responds", () => {
  for (const [status, serviceCode, code, words] of [
    [500, "InternalError", "Faulty", "the storage account responds with an error (HTTP 500 InternalError); the worker retries"],
    [500, "OperationTimedOut", "Faulty", "the storage account responds with an error (HTTP 500 OperationTimedOut); the worker retries"],
    [503, "ServerBusy", "Throttled", "the storage account is busy (HTTP 503 ServerBusy); the worker retries"],
    [429, "TooManyRequests", "Throttled", "the storage account is busy (HTTP 429 TooManyRequests); the worker retries"],
  ] as const)
    test(`QE: is not blamed on the queue's address: ${status} ${serviceCode}`, async () => {
      const error = await errorFor(status, serviceCode);

      assert.equal(error.code, code);
      assert.ok(error.message.endsWith(`: ${words}`), error.message);
    });

  test("QE: may be a proxy's where it has no code of the service: the control", async () => {
    assert.match((await errorFor(502)).message, /no valid response \(HTTP 502\); check the address in --event-queues$/);
  });
});
