import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { auditTail, forbidden } from "../support/cluster/audit.ts";

const line = (username: string): string => `${JSON.stringify({ user: { username }, verb: "get", objectRef: { resource: "secrets" } })}\n`;

describe("the tail of an audit log", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "audit-log-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  test("is empty while there is no log, and has every whole line once, however the log grows", () => {
    const file = path.join(folder, "grows.log");
    const tail = auditTail(file);
    assert.deepEqual(tail(), []);

    const text = Buffer.from(["first", "zweite-ü", "third"].map(line).join(""));
    const lengths: number[] = [];
    // Byte by byte, so that the test also splits the two-byte letter.
    for (const byte of text) {
      appendFileSync(file, Buffer.of(byte));
      lengths.push(tail().length);
    }

    assert.deepEqual(
      tail().map(({ user }) => user),
      ["first", "zweite-ü", "third"],
    );
    assert.deepEqual([...new Set(lengths)], [0, 1, 2, 3]);
  });

  test("has only what is meant, and leaves what was handed out as it is", () => {
    const file = path.join(folder, "meant.log");
    const tail = auditTail(file, ({ user }) => user === "meant");
    appendFileSync(file, line("other") + line("meant"));
    const before = tail();

    appendFileSync(file, line("meant"));

    assert.deepEqual([before.length, tail().length], [1, 2]);
  });

  test("names as refused what lacks a right, not what came to a namespace that was on its way out", () => {
    const file = path.join(folder, "refused.log");
    const refused = (name: string, causes: readonly object[]): string =>
      `${JSON.stringify({ objectRef: { name }, responseStatus: { code: 403, reason: "Forbidden", details: { name, causes } } })}\n`;
    const leaving = [{ reason: "NamespaceTerminating", field: "metadata.namespace" }];
    appendFileSync(file, refused("too-late", leaving) + refused("without-right", []) + line("allowed"));

    assert.deepEqual(
      forbidden(auditTail(file)()).map(({ name }) => name),
      ["without-right"],
    );
  });
});
