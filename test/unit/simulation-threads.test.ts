import "../simulation/time/install.ts";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ThreadFate } from "../simulation/machines/worker-thread.ts";
import { beginWorld, EPOCH, onMachine } from "../simulation/time/context.ts";
import { Machine } from "../simulation/time/machine.ts";
import { startThreads, type Threads } from "../simulation/world/threads.ts";

await import("../../src/pki/threads/thread.ts");
const { DecodingThreads } = await import("../../src/pki/threads/decoding-threads.ts");
const { createSteadyClock } = await import("../../src/runtime/steady-clock.ts");

const TASK = { kind: "objects", text: "array:\n  - |\n    objectName: db\n    objectType: secret\n" } as const;
const TERMS = { namespace: "team", milliseconds: 1_000 };

interface Outcome {
  readonly text: string;
  readonly at: number;
  readonly troubles: number;
}

/** Decodes tasks one after the other on a machine of a new world. Returns the outcome of each. */
async function decode(seed: number, prepare: (threads: Threads) => void, tasks = 1): Promise<readonly Outcome[]> {
  const { scheduler, random } = beginWorld(seed);
  const threads = startThreads(random.fork("threads"));
  let troubles = 0;
  threads.onTrouble(() => {
    troubles += 1;
  });
  prepare(threads);
  const machine = new Machine("sync-0/1", { scheduler, random: random.fork("machine"), epoch: EPOCH });
  const outcomes: Outcome[] = [];
  onMachine(machine, () => {
    const decoder = new DecodingThreads(createSteadyClock());
    const next = async (): Promise<void> => {
      const text = await decoder.decode(TASK, TERMS, new AbortController().signal).then(
        ({ outcome, ran }) => JSON.stringify(outcome.kind === "ended" ? outcome : { kind: outcome.kind, ran }),
        (error: unknown) => String(error),
      );
      outcomes.push({ text, at: scheduler.now, troubles });
      if (outcomes.length < tasks) await next();
    };
    void next();
  });
  await scheduler.runUntil(20_000);
  return outcomes;
}

function ill(fate: ThreadFate): (threads: Threads) => void {
  return ({ ills }) => {
    const once = (): ThreadFate => {
      ills.delete(once);
      return fate;
    };
    ills.add(once);
  };
}

describe("the simulation's threads", () => {
  test("run the program of the real ones, after the time that was drawn, and again for the same seed", async () => {
    const first = await decode(1, () => undefined, 2);
    assert.equal(first.length, 2);
    for (const { text, troubles } of first) {
      assert.match(text, /^\{"kind":"objects","ran":\d/);
      assert.equal(troubles, 0);
    }
    assert.ok((first[0]?.at ?? 0) > 0);
    assert.deepEqual(await decode(1, () => undefined, 2), first);
    assert.notDeepEqual(await decode(2, () => undefined, 2), first);
  });

  test("may go on until they are ended, and the next task has another one", async () => {
    const [hung, next] = await decode(1, ill({ kind: "hangs" }), 2);
    assert.equal(hung?.text, '{"kind":"ended","limit":"time"}');
    assert.ok((hung?.at ?? 0) >= TERMS.milliseconds);
    assert.equal(hung?.troubles, 1);
    assert.match(next?.text ?? "", /"kind":"objects"/);
  });

  test("C-10: say nothing of a task for which they have had no processor: it is given up, and the next one has another thread", async () => {
    const [starved, next] = await decode(1, ill({ kind: "hangs", isStarved: true }), 2);
    assert.equal(starved?.text, "Error: a decoding thread had less than 1000 ms of a processor in 10 times as long");
    assert.match(next?.text ?? "", /"kind":"objects"/);
  });

  test("may run out of memory, and the next task has another one", async () => {
    const [died, next] = await decode(1, ill({ kind: "outOfMemory", after: 20 }), 2);
    assert.deepEqual(died, { text: '{"kind":"ended","limit":"memory"}', at: 20, troubles: 1 });
    assert.match(next?.text ?? "", /"kind":"objects"/);
  });

  test("may be refused", async () => {
    const [refused] = await decode(1, (threads) => {
      threads.isRefused = true;
    });
    assert.equal(refused?.text, "Error: Worker initialization failure: EAGAIN");
    assert.equal(refused.troubles, 1);
  });
});
