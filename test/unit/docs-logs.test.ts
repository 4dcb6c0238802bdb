import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callsIn, logCalls } from "../../tools/reference/log-calls.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/reference-page.ts";

describe("the page of log messages", () => {
  const page = readRepositoryFile("docs/reference/logs.md");
  const read: Reader = (markdown) =>
    tablesOf(markdown, "Level").flatMap(({ rows }) =>
      rows.map(
        ([level = "", message = "", , fields = ""]) =>
          `${codeSpans(level).join()} ${codeSpans(message).join()}: ${codeSpans(fields).join()}`,
      ),
    );
  const fields = new Map<string, Set<string>>();
  for (const { level, message, fields: own } of logCalls()) {
    const known = fields.get(`${level} ${message}`) ?? new Set();
    fields.set(`${level} ${message}`, new Set([...known, ...own]));
  }
  const fromCode = [...fields].map(([line, names]) => `${line}: ${[...names].join()}`);

  test("has every message of the code with its level and its fields, and no other", () => {
    assert.ok(fromCode.length > 60);
    assertSame(read(page), fromCode, "logs.md");
  });

  test("is compared in earnest", () => assertNotices(page, read, fromCode));

  test("says of each who logs it and what it means", () => {
    for (const row of tablesOf(page, "Level").flatMap(({ rows }) => rows)) {
      assert.match(row[2] ?? "", /^(both|sync|webhook)$/, row[1]);
      assert.ok((row[4] ?? "").length > 10, row[1]);
    }
  });
});

describe("the walk through the sources", () => {
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
