import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent } from "node:https";
import { after, before, describe, test } from "node:test";
import type { KubeClient, ReadResult } from "../../src/domain/ports/kube-client.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { createFairTurns } from "../../src/runtime/fair-turns.ts";
import { createAdmissionGate } from "../../src/webhook/admission-gate.ts";
import { type AppOptions, CLASSES_PATH, createApp, PODS_PATH, WORKLOADS_PATH } from "../../src/webhook/app.ts";
import type { IncomingReview } from "../../src/webhook/incoming-review.ts";
import { readBody } from "../../src/webhook/read-body.ts";
import { createAdmissionServer } from "../../src/webhook/server.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";
import { requestOf, silentStrangers, strangersThatSay, wholeRequest } from "../support/webhook/strangers.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const MIB = 1024 * 1024;
const REVIEW = JSON.stringify(aReview(aPod(OPTED_IN)));
/** No copy contains its class: the webhook decides after the API server has answered, or after half a second. */
const OF_UNKNOWN_CLASS = aReview(aPod({ inject: "true", "secret-provider-class": "unknown" }));

/** Sends valid reviews, each over its own connection. Returns the answers that have no patch. */
async function isServed(webhook: ListeningWebhook, times = 10): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (let count = 0; count < times; count++) {
    const agent = new Agent({ ca: String(webhook.agent.options.ca) });
    const { status, json } = await webhook.post(REVIEW, { agent });
    agent.destroy();
    if (json.response?.patchType !== "JSONPatch") wrong.push(`${status} ${json.response?.status?.reason}`);
  }
  return wrong;
}

/** Returns the first data, or "nothing" after this time. */
async function firstAnswer(socket: NodeJS.EventEmitter, within: number): Promise<string> {
  const [bytes] = await once(socket, "data", { signal: AbortSignal.timeout(within) }).catch(() => ["nothing"]);
  return String(bytes);
}

/** An API server that does not answer reads. */
const silentServer: Pick<KubeClient, "read"> = {
  read: (_resource, _ref, signal) =>
    new Promise<ReadResult<never>>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("no answer")));
    }),
};

describe("a webhook that strangers reach", () => {
  let webhook: ListeningWebhook;
  before(async () => {
    webhook = await startWebhook({ known: [aClass()] });
  });
  after(() => webhook.stop());

  test("S1: counts what has arrived and not what is claimed: connections that announce large bodies hold nobody up", async () => {
    const liars = [
      await strangersThatSay(requestOf(6 * MIB), 8, webhook),
      await strangersThatSay(requestOf(24 * MIB), 2, webhook),
      await strangersThatSay(requestOf(6 * MIB, "{"), 8, { port: webhook.port, from: "127.0.0.1" }),
    ];
    const wrong = await isServed(webhook);
    for (const each of liars) each.end();

    assert.deepEqual(wrong, []);
  });

  test("S1: refuses a length over the limit when it is claimed, before the body has come", async () => {
    const { sockets, end } = await strangersThatSay(requestOf(8 * MIB), 1, webhook);
    const answer = await firstAnswer(sockets[0] ?? process, 5_000);
    end();

    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /connection: close/i);
  });

  test("S1: waits two seconds for a body, however slowly it goes on, and then ends the connection", async () => {
    const slow = await strangersThatSay(requestOf(100), 3, webhook);
    const drip = setInterval(() => void slow.sockets[1]?.write(" "), 100);
    const answer = await firstAnswer(slow.sockets[1] ?? process, 8_000);
    const isOver = await eventually(() => slow.open() === 0, { within: 8_000 }).catch(() => false);
    clearInterval(drip);
    slow.end();

    assert.ok(isOver, "connections whose body does not come are still open after eight seconds");
    assert.match(answer, /^HTTP\/1\.1 408 /);
  });

  test("B-1: ends a connection whose body comes in crumbs, which cost hundreds of times what they hold", async () => {
    const head = "POST /mutate/pods HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    const crumbs = await strangersThatSay(`${head}${"1\r\n \r\n".repeat(2_000)}`, 3, webhook);
    const isEnded = await eventually(() => crumbs.open() === 0, { within: 1_500 }).catch(() => false);
    crumbs.end();
    const body = JSON.stringify(OF_UNKNOWN_CLASS);
    const parts = body.match(/.{1,300}/g) ?? [];
    const chunked = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("");
    const ordinary = await strangersThatSay(`${head}${chunked}0\r\n\r\n`, 1, webhook);
    const answer = await firstAnswer(ordinary.sockets[0] ?? process, 5_000);
    ordinary.end();

    assert.ok(isEnded, `${crumbs.open()} connections are still read from`);
    assert.match(answer, /^HTTP\/1\.1 200 /, "the control: chunks of an ordinary size");
  });

  test("S1: keeps a thousand connections of strangers, and gives up idle ones for those who ask", async () => {
    const idle = await silentStrangers(1_300, webhook);
    const wrong = await isServed(webhook);
    const isBounded = await eventually(() => idle.open() <= 1_000, { within: 5_000 }).catch(() => false);
    const left = idle.open();
    const isOver = await eventually(() => idle.open() === 0, { within: 10_000 }).catch(() => false);
    idle.end();

    assert.deepEqual(wrong, []);
    assert.ok(isBounded, `${left} of 1300 silent connections are kept`);
    assert.ok(isOver, "connections that never begin a handshake are still open after ten seconds");
  });
});

describe("a webhook that waits for the API server", () => {
  test("S1: takes one request of a connection at a time: who sends many in a row is cut off, and takes nobody's place", async (t) => {
    const webhook = await startWebhook({ known: [aClass()], kube: silentServer, namespaces: { get: () => namespace } });
    t.after(() => webhook.stop());
    const many = await strangersThatSay(wholeRequest(OF_UNKNOWN_CLASS).repeat(400), 3, webhook);
    const wrong = await isServed(webhook, 3);
    const isCut = await eventually(() => many.open() === 0, { within: 5_000 }).catch(() => false);
    many.end();

    assert.deepEqual(wrong, []);
    assert.ok(isCut);
  });

  test("S1: gives a place that one address has too many of to another one", async (t) => {
    const gate = createAdmissionGate({ reviews: 100, bytes: 24 * MIB });
    const webhook = await startWebhook({ known: [aClass()], kube: silentServer, namespaces: { get: () => namespace }, gate });
    t.after(() => webhook.stop());
    const flood = await strangersThatSay(wholeRequest(OF_UNKNOWN_CLASS), 150, webhook);
    const wrong = await isServed(webhook, 3);
    flood.end();

    assert.deepEqual(wrong, []);
  });

  test("S1: answers five hundred reviews of one address at once", async (t) => {
    let release: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      release = resolve;
    });
    const kube: Pick<KubeClient, "read"> = {
      read: async () => {
        await opened;
        return { kind: "absent" };
      },
    };
    const webhook = await startWebhook({ known: [aClass()], kube, namespaces: { get: () => namespace } });
    t.after(() => webhook.stop());
    const body = JSON.stringify(OF_UNKNOWN_CLASS);
    const answers = Array.from({ length: 500 }, () => webhook.post(body));
    const inFlight = async (): Promise<boolean> => /admission_in_flight 500$/m.test(await webhook.registry.metrics());
    await eventually(inFlight, { within: 30_000 }).catch(() => undefined);
    release();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);

    assert.deepEqual(
      statuses.filter((status) => status !== 200),
      [],
    );
  });
});

describe("a webhook that is asked for warnings", () => {
  test("B-13: decides about a pod before the classes that came before it from the same address", async (t) => {
    const order: string[] = [];
    const waiting: (() => void)[] = [];
    const recorded = (path: string) => async (review: IncomingReview) => {
      await readBody(review);
      await new Promise<void>((resolve) => waiting.push(resolve));
      await review.turn();
      order.push(path);
      return { status: 200, body: {} };
    };
    const webhook = await startApp({ [PODS_PATH]: recorded(PODS_PATH), [CLASSES_PATH]: recorded(CLASSES_PATH) });
    t.after(() => webhook.server.drain({ delayMs: 0, graceMs: 0 }));
    const asking = await strangersThatSay("", 4, { port: webhook.port, from: "127.0.0.1" });
    for (const [index, socket] of asking.sockets.entries()) {
      socket.write(wholeRequest(OF_UNKNOWN_CLASS).replace(PODS_PATH, index < 3 ? CLASSES_PATH : PODS_PATH));
      await eventually(() => waiting.length === index + 1, { within: 10_000 });
    }
    for (const resolve of waiting) resolve();
    await eventually(() => order.length === 4, { within: 10_000 });
    asking.end();

    assert.deepEqual(order, [PODS_PATH, CLASSES_PATH, CLASSES_PATH, CLASSES_PATH]);
  });
});

/** A webhook with these handlers, and with room for 8 MiB. */
async function startApp(handlers: AppOptions["handlers"]) {
  const turns = createFairTurns();
  const gate = createAdmissionGate({ reviews: 100, bytes: 8 * MIB });
  const app = createApp({ handlers, isDraining: () => false, gate, turns, onShed: () => undefined });
  const certificate = selfSignedCertificate();
  const certificates = { current: () => certificate, onChange: () => undefined };
  const [listen, tls] = [{ address: "::", port: 0 }, { certificates }];
  const server = createAdmissionServer({ app, turns, listen, tls, clock: systemClock, logger: recordingLogger() });
  return { server, port: await server.start(), ca: certificate.cert };
}

/** A webhook whose answers to reviews of pods are too large for the system's buffers. Real answers fit into them. */
async function startWithLargeAnswers() {
  let answered = 0;
  const webhook = await startApp({
    [PODS_PATH]: async (review) => {
      await readBody(review);
      answered += 1;
      return { status: 200, body: { text: "x".repeat(6 * MIB) } };
    },
    [WORKLOADS_PATH]: async () => ({ status: 200, body: {} }),
  });
  return { ...webhook, answered: () => answered };
}

describe("a webhook whose answers nobody reads", () => {
  test("S1: keeps no more of them than there is room for, and ends the connections of the others", async (t) => {
    const webhook = await startWithLargeAnswers();
    t.after(() => webhook.server.drain({ delayMs: 0, graceMs: 0 }));
    const deaf = await strangersThatSay("", 4, webhook);
    // One after the other, so that the room is too small for the answers, but not for the bodies.
    for (const [index, socket] of deaf.sockets.entries()) {
      socket.pause().write(wholeRequest(OF_UNKNOWN_CLASS));
      await eventually(() => webhook.answered() > index, { within: 30_000 });
    }
    // A client that does not read notices the end of its connection only when it writes. Empty lines before a request have no effect.
    const knock = setInterval(() => deaf.sockets.map((socket) => socket.writable && socket.write("\r\n")), 200);
    const isBounded = await eventually(() => deaf.open() < 4, { within: 5_000 }).catch(() => false);
    clearInterval(knock);
    const asking = await strangersThatSay("", 1, { port: webhook.port, from: "127.0.0.1" });
    const [asker] = asking.sockets;
    asker?.write(wholeRequest(OF_UNKNOWN_CLASS).replace(PODS_PATH, WORKLOADS_PATH));
    const answer = await firstAnswer(asker ?? process, 5_000);
    asking.end();
    deaf.end();

    assert.ok(isBounded, "more answers are kept for who does not read them than there is room for");
    assert.match(answer, /^HTTP\/1\.1 200 /);
  });
});

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default", annotations: {} } } as const;
