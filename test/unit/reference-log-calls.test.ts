import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callsIn, logCalls } from "../../tools/reference/log-calls.ts";

describe("the walk through the sources", () => {
  test("finds the calls of the product", () => {
    assert.ok(logCalls().length > 60);
  });

  test("reads messages, levels and fields as they are written", () => {
    const text = `
      logger.info("a", { one, two: f(x, "y"), ...(z === undefined ? {} : { three: z }) });
      this.#options.logger[isBad ? "warn" : "info"]("b");
      this.#logger.error(isGone ? "c" : "d", { four });
      logger.debug("not this");
    `;
    assert.deepEqual(
      callsIn("src/x.ts", text).map(({ level, message, fields }) => `${level} ${message} ${fields.join()}`),
      ["info a one,two,three", "warn b ", "info b ", "error c four", "error d four"],
    );
  });

  test("stops at a message or fields that cannot be looked up", () => {
    assert.throws(() => callsIn("src/x.ts", "logger.info(text);"), /text is no literal/);
    assert.throws(() => callsIn("src/x.ts", 'logger.info("a", fields);'), /the fields fields do not stand in the call/);
    assert.throws(() => callsIn("src/x.ts", 'logger.info("a", { ...more });'), /more does not say its fields/);
  });
});
