import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { type DecodingTask, performDecoding } from "../../src/domain/decoding.ts";
import type { Clock } from "../../src/domain/ports/clock.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { pki } from "../../src/pki/pki.ts";
import { DecodingThreads } from "../../src/pki/threads/decoding-threads.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { ClassContent } from "../../src/sync/vault/class-content.ts";
import { heavyPkcs12 } from "../support/fixtures/heavy-pkcs12.ts";

const LONG = 20_000;
const signal = new AbortController().signal;

const tls = (rounds: number): DecodingTask => ({ kind: "tls", value: Uint8Array.from(heavyPkcs12({ rounds })), rounds: 2_000_000 });

describe("decoding threads", () => {
  let threads: DecodingThreads;
  before(() => {
    threads = new DecodingThreads(systemClock);
  });
  after(() => threads.close());

  test("decode beside the process's own thread, which goes on meanwhile", async () => {
    const turnsDuring = async (work: () => unknown): Promise<number> => {
      let turns = 0;
      const timer = setInterval(() => {
        turns += 1;
      }, 5);
      await work();
      clearInterval(timer);
      return turns;
    };

    const beside = await turnsDuring(() => threads.decode(tls(200_000), { namespace: "a", milliseconds: LONG }, signal));
    // The control: decoding on the main thread blocks the event loop.
    const inPlace = await turnsDuring(() => performDecoding(tls(200_000), pki));

    assert.equal(inPlace, 0);
    assert.ok(beside > 5, `${beside} turns of the timer`);
  });

  test("take what they are given, and keep no copy of it here", async () => {
    const task = tls(1);
    assert.ok(task.kind === "tls" && task.value.byteLength > 0);

    await threads.decode(task, { namespace: "a", milliseconds: LONG }, signal);

    assert.equal(task.value.byteLength, 0);
  });

  test("end a task that takes longer than it may, and go on with the next", async () => {
    const { outcome } = await threads.decode(tls(999_999), { namespace: "a", milliseconds: 50 }, signal);
    assert.deepEqual(outcome, { kind: "ended", limit: "time" });

    const next = await threads.decode(tls(1), { namespace: "a", milliseconds: LONG }, signal);
    assert.equal(next.outcome.kind, "parts");
  });

  test("C-10: do not take time in which the machine stood still for the task's, and still end a task that takes longer than it may", async () => {
    let waits = 0;
    /** A clock that ends the first wait of each task immediately, like a pause of the whole process. */
    const clock: Clock = {
      now: () => systemClock.now(),
      sleep: (milliseconds, aborting) => {
        waits += 1;
        return waits === 1 ? Promise.resolve() : systemClock.sleep(milliseconds, aborting);
      },
    };
    const stopped = new DecodingThreads(clock);
    const first = await stopped.decode(tls(200_000), { namespace: "a", milliseconds: LONG }, signal);
    waits = 0;
    const second = await stopped.decode(tls(999_999), { namespace: "a", milliseconds: 50 }, signal);
    await stopped.close();

    assert.equal(first.outcome.kind, "parts");
    assert.deepEqual(second.outcome, { kind: "ended", limit: "time" });
    assert.equal(second.ran, 50);
  });

  test("end a task that takes more memory than it may, and go on with the next", async () => {
    // 1.5 million blocks of PEM become 1.5 million objects.
    const value = Uint8Array.from(Buffer.from("-----BEGIN A-----\n-----END A-----\n".repeat(1_500_000)));
    const steps = { isPkcs12: false, constructPemChain: true, isSeparated: true };
    const hungry: DecodingTask = { kind: "certificate", value, steps, rounds: 1 };
    const { outcome } = await threads.decode(hungry, { namespace: "a", milliseconds: 60_000 }, signal);
    assert.deepEqual(outcome, { kind: "ended", limit: "memory" });

    const next = await threads.decode(tls(1), { namespace: "a", milliseconds: LONG }, signal);
    assert.equal(next.outcome.kind, "parts");
  });

  test("let one namespace's work wait for none of another's, however much of that there is", async () => {
    const stop = new AbortController();
    const hostile = Array.from({ length: 20 }, () =>
      threads.decode(tls(999_999), { namespace: "hostile", milliseconds: LONG }, stop.signal),
    );
    const stopped = Promise.allSettled(hostile);

    const { outcome } = await threads.decode(tls(1), { namespace: "victim", milliseconds: LONG }, signal);

    assert.equal(outcome.kind, "parts");
    stop.abort();
    const ended = (await stopped).filter(({ status }) => status === "fulfilled");
    // The first one may have ended by then. Without turns, the queue would run all of them first.
    assert.ok(ended.length <= 2, `${ended.length} of the others were done before`);
  });

  test("give up what waits when its signal aborts", async () => {
    const stop = new AbortController();
    const running = threads.decode(tls(50_000), { namespace: "a", milliseconds: LONG }, signal);
    const waiting = threads.decode(tls(1), { namespace: "a", milliseconds: LONG }, stop.signal);

    stop.abort(new Error("stopped"));

    await assert.rejects(waiting, /stopped/);
    assert.equal((await running).outcome.kind, "parts");
  });

  test("say nothing of a value where decoding it throws", async () => {
    const broken = { kind: "none of ours", value: Uint8Array.from(Buffer.from("canary-value")) } as unknown as DecodingTask; // No caller can make such a task.
    const refused = threads.decode(broken, { namespace: "a", milliseconds: LONG }, signal);

    await assert.rejects(refused, (error: Error) => {
      assert.match(error.message, /^decoding threw /);
      assert.doesNotMatch(`${error.message} ${error.stack}`, /canary/);
      return true;
    });
  });
});

test("a thread that the system refuses to start costs its task alone, and the next of the namespace is tried", () => {
  const script = path.resolve(import.meta.dirname, "./decode-without-threads.ts");
  // Node's permission model allows no threads unless an option allows them.
  const ended = spawnSync(process.execPath, ["--permission", "--allow-fs-read=*", script], { encoding: "utf8", timeout: 30_000 });

  assert.deepEqual(ended.stdout.split("\n"), ["rejected: ERR_ACCESS_DENIED", "rejected: ERR_ACCESS_DENIED", "closed", ""], ended.stderr);
  assert.equal(ended.status, 0);
});

describe("what a class may have decoded in one reconcile", () => {
  const decoderThat = (ran: number) => {
    const asked: number[] = [];
    return {
      asked,
      decode: async (_task: DecodingTask, { milliseconds }: { readonly milliseconds: number }) => {
        asked.push(milliseconds);
        return { outcome: { kind: "parts" as const, parts: [], rounds: 1 }, ran };
      },
    };
  };
  const files = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      path: `f${index}`,
      contents: Sensitive.ofText(`x${index}`),
      objectId: `secret/f${index}`,
      version: "v1",
      updated: undefined,
      expires: undefined,
    }));

  test("is fifteen seconds of a processor in all, and ten for one file", async () => {
    const decoder = decoderThat(7_000);
    const content = new ClassContent(decoder, { namespace: "team", saltKey: () => new Uint8Array(32) });
    const secretObjects = [
      { secretName: "s", type: "kubernetes.io/tls", data: files(4).map(({ path }) => ({ objectName: path, key: "tls.crt" })) },
    ];

    const [outcome] = await content.buildSecrets(secretObjects, files(4), signal);

    assert.deepEqual(decoder.asked, [10_000, 8_000, 1_000]);
    assert.ok(outcome?.kind === "refused");
    assert.match(outcome.problem.message, /^failed to get cert data from file f0, err: the file could not be decoded$/);
  });
});
