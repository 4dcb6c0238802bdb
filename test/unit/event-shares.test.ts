import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { createEventSink, type KubeEventSink } from "../../src/kube/events.ts";
import { composeProcess } from "../support/processes/composed-process.ts";
import { sendJson } from "../support/processes/stub-api-server.ts";
import { eventually } from "../support/time/eventually.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

let clock: ManualClock;
let logger: ReturnType<typeof recordingLogger>;
/** `namespace/object`, in the order in which the API server received the events. */
let posted: string[];
/** Answers to the pending requests of the namespace `slow`. */
let held: (() => void)[];
let sink: KubeEventSink;

beforeEach(() => {
  clock = new ManualClock();
  logger = recordingLogger();
  posted = [];
  held = [];
  const apply = (_resource: unknown, body: KubeObject, _options: unknown, signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { involvedObject } = body as unknown as { readonly involvedObject: KubeObject["metadata"] }; // The body is an Event.
      signal.throwIfAborted();
      posted.push(`${body.metadata.namespace}/${involvedObject.name}`);
      if (body.metadata.namespace !== "slow") resolve(body);
      else held.push(() => resolve(body));
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  const client = { apply } as unknown as KubeClient; // The sink makes no other calls.
  sink = createEventSink(client, { component: "c", instance: "i", fieldManager: "f", clock, logger });
});

function emit(namespace: string, name: string): void {
  const metadata = { namespace, name, uid: `${namespace}-${name}` };
  const regarding: KubeObject = { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata };
  sink.emit({ regarding, type: "Warning", reason: "Throttled", message: "m" });
}

function emitMany(namespace: string, count: number): void {
  for (let index = 0; index < count; index += 1) emit(namespace, `${namespace}-${index}`);
}

const of = (namespace: string): readonly string[] => posted.filter((each) => each.startsWith(`${namespace}/`));
const dropped = (namespace: string): number =>
  logger.entries.filter(({ message, fields }) => message === "event not posted" && fields?.["namespace"] === namespace).length;

describe("events of several namespaces", () => {
  test("C-7: are neither delayed nor dropped for one whose events take long to be posted, however many it has", async () => {
    emitMany("slow", 1_000);
    emit("victim", "first");
    await clock.advance(0);
    assert.deepEqual(of("victim"), ["victim/first"]);

    emitMany("slow", 2_000);
    emitMany("victim", 21);
    await clock.advance(0);

    assert.equal(of("victim").length, 22);
    assert.equal(dropped("victim"), 0);
    assert.ok(dropped("slow") > 0 && sink.dropped === dropped("slow"), "the control: those of the other are too many");
    assert.equal(of("slow").length, 1, "the control: the first of the other is under way");
  });

  test("C-7: have room for those of many namespaces while a few have more than they can post", async () => {
    for (let index = 0; index < 6; index += 1) emitMany(`greedy-${index}`, 1_000);
    emitMany("victim", 2);
    await clock.advance(0);

    assert.equal(of("victim").length, 2);
    assert.equal(dropped("victim"), 0);
  });

  test("C-7: come one after the other in each, in the order of their first occurrence", async () => {
    emitMany("slow", 3);
    for (let index = 0; index < 3; index += 1) {
      await clock.advance(0);
      assert.equal(of("slow").length, index + 1);
      held[index]?.();
    }
    await sink.drained();

    assert.deepEqual(of("slow"), ["slow/slow-0", "slow/slow-1", "slow/slow-2"]);
  });
});

describe("events that wait when the worker stops", () => {
  test("C-7: are posted", async () => {
    emitMany("slow", 5);
    await clock.advance(0);
    assert.equal(of("slow").length, 1, "the control: the others wait");

    const closed = sink.close();
    for (let index = 0; index < 5; index += 1) {
      held[index]?.();
      await clock.advance(0);
    }
    await closed;

    assert.equal(of("slow").length, 5);
    assert.equal(sink.dropped, 0);
  });

  test("C-7: are counted and logged where the API server does not take them within a few seconds", async () => {
    emitMany("slow", 5);
    emit("other", "one");
    await clock.advance(0);

    const closed = sink.close();
    await clock.advance(1_000);
    assert.equal(sink.dropped, 0, "the control: there is time");
    await clock.advance(5_000);
    await closed;

    assert.equal(of("other").length, 1);
    assert.equal(sink.dropped, 5);
    assert.equal(dropped("slow"), 5);
  });

  test("C-7: keep nobody waiting where there are none", async () => {
    emit("other", "one");
    await sink.drained();
    await sink.close();

    emit("other", "two");
    assert.equal(sink.dropped, 1, "what comes later is not posted");
  });
});

describe("the worker's process", () => {
  test("C-7: posts the events that wait when it is stopped, after it has given its lease back", async (t) => {
    /** Kinds of the writes, in their order. */
    const written: string[] = [];
    const waiting: (() => void)[] = [];
    const running = await composeProcess("sync", ({ method, url, body }, response) => {
      const [kind = ""] = /leases|events|secrets/.exec(url.pathname) ?? [];
      if (method === "GET" && url.pathname.endsWith("/leases"))
        return sendJson(response, 200, { metadata: { resourceVersion: "1" }, items: [] });
      if (method === "GET" || kind === "") return sendJson(response, 404, { kind: "Status", code: 404 });
      const object = body as KubeObject; // The client sends only such bodies.
      const answer = (): void => {
        written.push(kind);
        const [name = ""] = url.pathname.split("/").slice(-1);
        sendJson(response, 200, { ...object, metadata: { ...object.metadata, name, resourceVersion: String(written.length) } });
      };
      if (kind === "events") waiting.push(answer);
      else answer();
    });
    let isStopped = false;
    t.after(() => (isStopped ? undefined : running.stop()));
    await eventually(() => waiting.length > 0, { what: "an event" });

    isStopped = true;
    const stopped = running.stop();
    const before = written.length;
    await eventually(() => written.length > before, { what: "the lease's end" });
    for (const answer of waiting) answer();
    await stopped;

    assert.equal(await running.ended, "stopped");
    // A renewal of the lease may already have been on its way.
    assert.deepEqual([...new Set(written.slice(before))], ["leases", "events"]);
    assert.deepEqual(
      running.logger.entries.filter(({ message }) => message === "event not posted"),
      [],
    );
  });
});
