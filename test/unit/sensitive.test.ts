import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { createLogger } from "../../src/runtime/logger.ts";

const source = path.resolve(import.meta.dirname, "../../src");

describe("a sensitive value", () => {
  const value = Sensitive.ofText("canary-value");

  test("shows nothing of itself in text, JSON, inspection or a log", () => {
    const lines: string[] = [];
    const logger = createLogger({ level: "debug", format: "json", name: "test" }, { write: (line) => void lines.push(line) });
    logger.info("value", { value, nested: { value } });

    for (const shown of [
      String(value),
      String(value.map((bytes) => bytes)),
      inspect(value.transform((bytes) => ({ ok: true, value: bytes }))),
      JSON.stringify({ value }),
      inspect(value),
      inspect({ value }, { depth: 5, showHidden: true }),
      ...lines,
    ]) {
      assert.doesNotMatch(shown, /canary/);
      assert.match(shown, /\[redacted\]/);
    }
  });

  test("is revealed in at most three files", () => {
    const files = globSync("**/*.ts", { cwd: source }).filter((file) => /\.reveal\(\)/.test(readFileSync(path.join(source, file), "utf8")));

    assert.ok(files.length > 0, "the search found nothing at all");
    assert.ok(files.filter((file) => !file.endsWith("sensitive.ts")).length <= 3, files.join(", "));
  });
});

describe("a log", () => {
  test("keeps fields that are named like credentials to itself", () => {
    const lines: string[] = [];
    const logger = createLogger({ level: "info", format: "json", name: "test" }, { write: (line) => void lines.push(line) });

    logger.info("by mistake", { token: "canary", secret: { data: "canary" } });

    assert.doesNotMatch(lines.join(""), /canary/);
  });

  test("shows of an error its name, message, code and causes, and no other property", () => {
    const lines: string[] = [];
    const logger = createLogger({ level: "info", format: "json", name: "test" }, { write: (line) => void lines.push(line) });
    const error = Object.assign(new Error("read failed", { cause: new Error("reset") }), {
      code: "ECONNRESET",
      body: "canary",
      headers: { a: "canary" },
    });

    logger.warn("failed", { error });

    assert.doesNotMatch(lines.join(""), /canary/);
    assert.match(lines.join(""), /"message":"read failed".*"code":"ECONNRESET".*"message":"reset"/);
  });
});
