import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Judged } from "../../src/domain/rollout/namespace-plan.ts";
import type { Standing } from "../../src/domain/rollout/standing.ts";
import { rotatedOf, withRotated } from "../../src/domain/sync/rotated-condition.ts";
import type { ClassStatus } from "../../src/domain/sync/status-fields.ts";
import { NEW, workload } from "../support/worker/observed-workload.ts";

describe("the condition Rotated of a class", () => {
  const at = (name: string, standingOfIt: Standing): Judged => ({ workload: workload({ name }), standing: standingOfIt });
  const due: Standing = { kind: "due", stamp: NEW, since: 0, turn: "ready" };
  const failed: Standing = { kind: "failed", why: "0 of 1 pods" };

  test("is False with the failure, also where it is another class's", () => {
    assert.deepEqual(rotatedOf([at("a", failed), at("b", due)], undefined)?.message, "Deployment a: 0 of 1 pods");
    assert.deepEqual(rotatedOf([at("b", due)], at("a", failed)), {
      status: "False",
      reason: "RolloutFailed",
      message: "Deployment b is not restarted: Deployment a: 0 of 1 pods",
    });
  });

  test("is False while restarts are under way or waited for, and names them", () => {
    const rotatedNow = rotatedOf([at("a", { kind: "restarting" }), at("b", due)], undefined);

    assert.deepEqual(rotatedNow?.reason, "Restarting");
    assert.equal(rotatedNow?.message, "being restarted: Deployment a; waiting for a restart: Deployment b");
  });

  test("RC-3: names beside those that are held those of which nothing is known yet", () => {
    const held: Standing = { kind: "held", stamp: NEW, since: 0, turn: "ready", hold: { kind: "dryRun" } };
    const reported = rotatedOf([at("a", held), at("b", { kind: "unknown", why: "w" })], undefined);
    assert.match(reported?.message ?? "", /^Deployment a is not restarted yet: .*; versions unknown: Deployment b$/);
  });

  test("S20-11: is made of parts, whatever the first of them ends with", () => {
    const held: Standing = { kind: "held", stamp: NEW, since: 0, turn: "ready", hold: { kind: "blocked", why: "no; " } };
    const messageOf = (...users: readonly Judged[]) => rotatedOf(users, undefined)?.message ?? "";
    assert.equal(messageOf(at("a", held), at("b", due)), "waiting for a restart: Deployment b; held back: Deployment a");
    assert.match(
      messageOf(at("a", held), at("b", held), at("c", { kind: "unknown", why: "w" })),
      /no; ; also waiting: Deployment b; versions unknown: Deployment c$/,
    );
  });

  test("is True when all have the versions, and not there without workloads", () => {
    assert.equal(rotatedOf([at("a", { kind: "current" })], undefined)?.status, "True");
    assert.equal(rotatedOf([], undefined), undefined);
  });

  const unknown: readonly (readonly [Standing, string])[] = [
    [{ kind: "unknown", why: "w" }, "VersionsUnknown: Deployment b: w"],
    [{ kind: "settling", isUnfinished: false }, "VersionsUnknown: Deployment b: its object versions have just changed"],
    [{ kind: "rolling" }, "VersionsUnknown: Deployment b: someone else is replacing its pods"],
    [{ kind: "noVersions", why: "none" }, "NoVersions: Deployment b: none"],
  ];
  for (const [standing, words] of unknown) {
    test(`R18-7: is Unknown, with the first reason, where one is ${standing.kind}`, () => {
      const reported = rotatedOf([at("a", { kind: "current" }), at("b", standing)], undefined);
      assert.deepEqual([reported?.status, `${reported?.reason}: ${reported?.message}`], ["Unknown", words]);
      assert.equal(rotatedOf([at("a", due), at("b", standing)], undefined)?.status, "False", "known not to have them");
    });
  }

  test("is written once, and keeps the time of its change", () => {
    const stored: ClassStatus = { observedClassGeneration: 1, conditions: [], syncedSecrets: 1, desiredSecrets: 1, secrets: [] };
    const verdict = rotatedOf([at("a", { kind: "current" })], undefined);
    assert.ok(verdict);

    const first = withRotated(stored, verdict, "2026-01-01T00:00:00Z");
    assert.ok(first);
    assert.equal(withRotated(first, verdict, "2026-01-01T01:00:00Z"), undefined);
    const later = withRotated(first, { ...verdict, message: "other" }, "2026-01-01T01:00:00Z");
    assert.equal(later?.conditions.length, 1);
    assert.equal(later?.conditions[0]?.lastTransitionTime, "2026-01-01T00:00:00Z");
  });
});
