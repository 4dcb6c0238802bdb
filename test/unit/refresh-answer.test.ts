import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClassStatus, SyncCondition } from "../../src/domain/sync/status-fields.ts";
import { isReportedUnused, UNUSED_MESSAGE } from "../../src/domain/sync/summarize.ts";
import { workerAnswer } from "../../src/domain/sync/worker-answer.ts";

type Word = readonly [SyncCondition["status"], SyncCondition["reason"]];

const WELL: Word = ["True", "Synced"];

interface Given {
  readonly synced?: Word | undefined;
  readonly fresh?: Word;
  readonly more?: Partial<ClassStatus>;
  readonly generation?: number;
  readonly annotation?: string | undefined;
}

/** The answer to request `ours`, which came after `before`. */
function answerTo({ synced = WELL, fresh = WELL, more = {}, generation = 3, annotation = "ours" }: Given) {
  const conditions = (["Synced", "Fresh"] as const).map((type): SyncCondition => {
    const [status, reason] = type === "Synced" ? synced : fresh;
    return { type, status, reason, message: `${type} says so`, lastTransitionTime: "2026-01-01T00:00:00Z" };
  });
  const said = { observedClassGeneration: 3, observedRefresh: "ours", conditions, syncedSecrets: 0, desiredSecrets: 0, secrets: [] };
  const status = { ...said, ...more };
  return workerAnswer({ request: { value: "ours", earlier: ["before", undefined] }, generation, annotation, status });
}

describe("N2: the worker's answer to a request", () => {
  for (const [name, given, kind] of [
    ["is well where Secrets and vault are", {}, "synced"],
    ["is open before it names the request", { more: { observedRefresh: "before" } }, "open"],
    ["is open while it is about the class before its edit", { generation: 4 }, "open"],
    ["is open where the status has no conditions", { more: { conditions: [] } }, "open"],
    ["is open while the worker does not query the vault at the moment", { fresh: ["Unknown", "Synced"] }, "open"],
    ["is none where a Secret failed", { synced: ["False", "PartialSync"] }, "failed"],
    ["is none where the vault refused", { synced: ["False", "Forbidden"], fresh: ["False", "Forbidden"] }, "failed"],
    ["is none where only the last check failed", { fresh: ["False", "Unreachable"] }, "failed"],
    ["is none where the class was switched off", { synced: ["Unknown", "SwitchedOff"] }, "failed"],
  ] as const satisfies readonly (readonly [string, Given, string])[]) {
    test(name, () => assert.equal(answerTo(given).kind, kind));
  }

  for (const [reason, isTriedAgain] of [
    ["Unreachable", true],
    ["Throttled", true],
    ["CredentialsMissing", true],
    ["Forbidden", false],
    ["ObjectNotFound", false],
    ["Conflict", false],
  ] as const) {
    test(`${isTriedAgain ? "is tried again" : "waits for somebody"} after ${reason}`, () => {
      const answer = answerTo({ synced: ["False", reason] });
      assert.deepEqual(answer, { kind: "failed", why: { reason, message: "Synced says so" }, isTriedAgain });
    });
  }
});

describe("N11: the answer to somebody else's request", () => {
  for (const [name, observedRefresh, annotation, kind] of [
    ["that came later is ours", "later", "later", "synced"],
    ["that came before is not", "before", "ours", "open"],
    ["that is not the latest any more is not known to be", "later", "latest", "open"],
    ["that somebody put back is not", "before", "before", "open"],
    ["of more characters than the status has is ours", "x".repeat(256), "x".repeat(300), "synced"],
  ] as const) {
    test(name, () => {
      const answer = answerTo({ annotation, more: { observedRefresh } });
      assert.equal(answer.kind, kind);
      assert.equal(answer.kind === "open" && answer.isTakenBack, annotation === "before");
    });
  }
});

test("that a class waits for a pod is read from the worker's own sentence, and from none like it", () => {
  const saying = (message: string): ClassStatus => {
    const synced: SyncCondition = { type: "Synced", status: "True", reason: "Synced", message, lastTransitionTime: "2026-01-01T00:00:00Z" };
    return { observedClassGeneration: 1, conditions: [synced], syncedSecrets: 0, desiredSecrets: 0, secrets: [] };
  };
  assert.equal(isReportedUnused(saying(UNUSED_MESSAGE)), true);
  for (const other of ["0 of 0 Secrets are up to date", `${UNUSED_MESSAGE}.`, "no pod mounts the class"]) {
    assert.equal(isReportedUnused(saying(other)), false, other);
  }
  assert.equal(isReportedUnused(undefined), false);
});
