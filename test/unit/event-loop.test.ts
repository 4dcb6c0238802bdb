import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { composeProcess } from "../support/processes/composed-process.ts";
import { sendJson } from "../support/processes/stub-api-server.ts";
import { eventually } from "../support/time/eventually.ts";

for (const role of ["sync", "webhook"] as const) {
  describe(`the liveness of ${role}`, () => {
    test(`C3: fails while the event loop of ${role} stands still for most of a minute, and is well again after`, async (t) => {
      const running = await composeProcess(role, (_request, response) => sendJson(response, 404, { kind: "Status", code: 404 }));
      t.after(() => running.stop());
      const livez = (status: number): Promise<string | false> =>
        eventually(
          async () => {
            const answer = await running.health("/livez");
            return answer?.status === status ? answer.text : undefined;
          },
          { within: 8_000 },
        ).catch(() => false);
      // The control: a process with occasional short blocks is healthy.
      assert.match(String(await livez(200)), /^\[\+\] event-loop$/m);
      running.clock.step(20_000);
      const isCounted = await eventually(async () => /blocked_seconds_total\{[^}]*\} (19|2\d)/.test(await running.metrics()), {
        within: 5_000,
      }).catch(() => false);
      assert.equal(isCounted, true, "the time is not counted");
      assert.match(String(await livez(200)), /^\[\+\] event-loop$/m);

      running.clock.step(15_000);
      const text = await livez(503);

      assert.match(String(text), /^\[-\] event-loop: the event loop was blocked for 3\d s of the last 60 s$/m);
      // Steps too short to count as a block.
      const isWellAgain = await eventually(
        async () => {
          running.clock.step(900);
          return (await running.health("/livez"))?.status === 200;
        },
        { within: 20_000, every: 50 },
      ).catch(() => false);
      assert.equal(isWellAgain, true);
    });
  });
}
