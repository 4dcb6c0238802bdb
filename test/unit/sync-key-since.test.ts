import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ClassOutcome, nextStatus } from "../../src/domain/sync/class-status.ts";
import type { ClassStatus, KeyStatus } from "../../src/domain/sync/status-fields.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

function outcomeWith(key: Partial<KeyStatus>): ClassOutcome {
  const data = [{ key: "password", object: "secret/db", ...key }];
  return {
    generation: 1,
    reason: "Synced",
    message: "",
    isFresh: true,
    lastSuccess: START,
    secrets: [{ name: "db", state: "Synced", data }],
  };
}

function statusAt(seconds: number, key: Partial<KeyStatus>, stored?: ClassStatus): ClassStatus {
  return nextStatus(outcomeWith(key), stored, START + seconds * 1_000) ?? (stored as ClassStatus); // Undefined means that nothing changed: the stored status remains.
}

const sinceIn = (status: ClassStatus): string | undefined => status.secrets[0]?.data[0]?.since;

describe("since when a key has its version", () => {
  test("is not said of the first one, which is as old as the Secret", () => {
    assert.equal(sinceIn(statusAt(0, { version: "a" })), undefined);
  });

  test("is when it took the place of another one, and stays while it does", () => {
    const rotated = statusAt(60, { version: "b" }, statusAt(0, { version: "a" }));
    assert.equal(sinceIn(rotated), "2026-01-01T00:01:00Z");
    assert.equal(sinceIn(statusAt(120, { version: "b", state: "Unreachable" }, rotated)), "2026-01-01T00:01:00Z");
    assert.equal(sinceIn(statusAt(180, { version: "c" }, rotated)), "2026-01-01T00:03:00Z");
  });

  test("is anew where the key is made from another object", () => {
    const before = statusAt(60, { version: "b" }, statusAt(0, { version: "a" }));
    assert.equal(sinceIn(statusAt(90, { version: "b", object: "secret/other" }, before)), "2026-01-01T00:01:30Z");
  });

  test("is not said where the status was lost: an old version must not seem new", () => {
    assert.equal(sinceIn(statusAt(500, { version: "b" })), undefined);
  });

  test("writes nothing while nothing changes, and what it is told by a stored status is not taken for an outcome", () => {
    const rotated = statusAt(60, { version: "b" }, statusAt(0, { version: "a" }));
    assert.equal(nextStatus(outcomeWith({ version: "b", since: "1999-01-01T00:00:00Z" }), rotated, START + 61_000), undefined);
  });
});
