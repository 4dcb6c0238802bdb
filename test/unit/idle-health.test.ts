import "../simulation/time/install.ts";
import "../simulation/network/install.ts";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Machine } from "../simulation/time/machine.ts";

const { startHealthServer } = await import("../../src/runtime/health.ts");
const { createRegistry } = await import("../../src/runtime/metrics.ts");
const { probe } = await import("../simulation/network/https-request.ts");
const { beginWorld, EPOCH, onMachine } = await import("../simulation/time/context.ts");

describe("a health server that nobody is connected to", () => {
  test("wakes its process for nothing, before the first connection and after the last one", async () => {
    const { scheduler, random } = beginWorld(1);
    const machine = new Machine("sync-0", { scheduler, random, epoch: EPOCH });
    const options = { address: "::", port: 1, liveness: [], readiness: [], registry: createRegistry("1.2.3") };
    onMachine(machine, () => void startHealthServer(options));
    /** Number of events of the scheduler in a minute. */
    const minute = async (): Promise<number> => {
      const before = scheduler.events;
      await scheduler.runUntil(scheduler.now + 60_000);
      return scheduler.events - before;
    };
    await minute();
    assert.equal(await minute(), 0);

    let status: number | undefined;
    onMachine(machine, () =>
      probe(machine, "/livez", (answer) => {
        status = answer.status;
      }),
    );
    // The control: a probe causes events.
    assert.ok((await minute()) > 0);
    assert.equal(status, 200);
    assert.equal(await minute(), 0);
  });
});
