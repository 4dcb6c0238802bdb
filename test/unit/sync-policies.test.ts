import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { pollInterval, pollIntervalProblem, syncMode, syncModeProblem } from "../../src/domain/schedule/class-annotations.ts";
import { type ClassOutcome, nextStatus } from "../../src/domain/sync/class-status.ts";
import { credentialsSecretName } from "../../src/domain/sync/identity-names.ts";
import { retryDelay } from "../../src/domain/sync/retry-delay.ts";
import { type ClassState, isContestedUntil, nextState, repairPause } from "../../src/sync/classes/state.ts";
import { seenClass } from "../support/fixtures/class-facts.ts";

const NOW = Date.UTC(2026, 0, 1);

function aClass(annotations: Readonly<Record<string, string>> = {}): SecretProviderClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name: "demo", namespace: "team", annotations },
  };
}

describe("a retry", () => {
  const options = { interval: 120_000, spread: 0 };

  test("doubles from 2 s to a minute", () => {
    const delays = [1, 2, 3, 6, 60].map((failures) => retryDelay({ kind: "backoff" }, failures, options));

    assert.deepEqual(delays, [2_000, 4_000, 8_000, 60_000, 60_000]);
  });

  test("is spread over a quarter", () => {
    assert.equal(retryDelay({ kind: "backoff" }, 1, { ...options, spread: 1 }), 1_500);
  });

  test("waits as long as the vault says, or for the next poll", () => {
    assert.equal(retryDelay({ kind: "after", milliseconds: 7_000 }, 9, options), 7_000);
    assert.equal(retryDelay({ kind: "never" }, 1, options), 120_000);
  });
});

describe("a vault that asks to be called at once", () => {
  test("is not called in a loop", () => {
    assert.equal(retryDelay({ kind: "after", milliseconds: 0 }, 1, { interval: 120_000, spread: 0 }), 2_000);
  });
});

describe("repairs in a row", () => {
  const began = (state: ClassState, now: number): ClassState =>
    nextState(state, { kind: "fetchBegan", trigger: "SecretEdited", now }) ?? state;
  const damaged = (state: ClassState, now: number): ClassState => nextState(state, { kind: "damageSeen", now }) ?? state;
  const repeated = (times: number): ClassState =>
    Array.from({ length: times }).reduce((state: ClassState) => began(state, NOW), seenClass(NOW));

  test("are done at once three times, then with a pause that doubles up to a minute", () => {
    const pauses = [1, 2, 3, 4, 5, 30].map((times) => repairPause(repeated(times), "SecretEdited", NOW));

    assert.deepEqual(pauses, [0, 0, 1_000, 2_000, 4_000, 60_000]);
  });

  test("do not hold up what is no repair, nor a repair a minute later", () => {
    assert.equal(repairPause(repeated(30), "PollDue", NOW), 0);
    assert.equal(repairPause(repeated(30), "SecretMissing", NOW + 60_001), 0);
  });

  test("go on being counted while each damage comes within a minute of the last repair, however long the repair waits", () => {
    const waiting = damaged(repeated(30), NOW + 1);

    assert.equal(repairPause(waiting, "SecretEdited", NOW + 60_000), 0);
    assert.equal(began(damaged(waiting, NOW + 60_000), NOW + 60_000).repairs.inARow, 31);
  });

  test("are a contest from the fourth on, until a minute went by without damage", () => {
    assert.equal(isContestedUntil(repeated(3), NOW), undefined);
    assert.equal(isContestedUntil(repeated(4), NOW), NOW + 60_000);
    assert.equal(isContestedUntil(repeated(4), NOW + 60_000), undefined);
    assert.equal(isContestedUntil(damaged(repeated(4), NOW + 1), NOW + 60_000), Number.POSITIVE_INFINITY);
  });
});

describe("the status of a class", () => {
  const outcome: ClassOutcome = {
    generation: 2,
    reason: "Synced",
    message: "1 of 1 Secrets are up to date",
    isFresh: true,
    secrets: [{ name: "app", state: "Synced", data: [] }],
  };

  test("is written once and then left alone for an hour", () => {
    const first = nextStatus(outcome, undefined, NOW);
    assert.ok(first !== undefined);

    assert.equal(nextStatus(outcome, first, NOW + 3_599_000), undefined);
    assert.equal(nextStatus(outcome, first, NOW + 3_600_000)?.lastSuccessfulCheckTime, "2026-01-01T01:00:00Z");
  });

  test("does not depend on the order in which the API server returns fields", () => {
    const first = nextStatus(outcome, undefined, NOW);
    assert.ok(first !== undefined);
    const reversed = Object.fromEntries(Object.entries(first).toReversed()) as typeof first;

    assert.equal(nextStatus(outcome, reversed, NOW), undefined);
  });

  test("keeps the time of the last success through a failure, and the time of the change", () => {
    const first = nextStatus(outcome, undefined, NOW);
    const failed = nextStatus({ ...outcome, reason: "Unreachable", message: "no answer", isFresh: false }, first, NOW + 60_000);
    const still = nextStatus({ ...outcome, reason: "Throttled", message: "429", isFresh: false }, failed, NOW + 120_000);

    assert.equal(failed?.lastSuccessfulCheckTime, "2026-01-01T00:00:00Z");
    assert.equal(failed?.conditions[0]?.lastTransitionTime, "2026-01-01T00:01:00Z");
    assert.equal(still?.conditions[0]?.lastTransitionTime, "2026-01-01T00:01:00Z");
    assert.equal(still?.conditions[0]?.reason, "Throttled");
  });

  test("counts the Secrets that are as they should be", () => {
    const secrets = [...outcome.secrets, { name: "other", state: "Conflict" as const, data: [] }];

    assert.equal(nextStatus({ ...outcome, secrets }, undefined, NOW)?.syncedSecrets, 1);
  });
});

describe("the credentials of a class", () => {
  const allowedNames = ["secrets-store-creds", "team-creds"];

  test("are those that the class names, else those that all its pods use, else the default", () => {
    const stated = aClass({ [CLASS_ANNOTATIONS.credentialsSecret]: "team-creds" });

    assert.deepEqual(credentialsSecretName({ provider: stated, consumerNames: ["x"], allowedNames }), { ok: true, value: "team-creds" });
    assert.deepEqual(credentialsSecretName({ provider: aClass(), consumerNames: ["team-creds"], allowedNames }), {
      ok: true,
      value: "team-creds",
    });
    assert.deepEqual(credentialsSecretName({ provider: aClass(), consumerNames: ["a", "b"], allowedNames }), {
      ok: true,
      value: "secrets-store-creds",
    });
  });

  test("under a name that the worker may not read are refused with the setting to change", () => {
    const provider = aClass({ [CLASS_ANNOTATIONS.credentialsSecret]: "other" });

    const result = credentialsSecretName({ provider, consumerNames: [], allowedNames });

    assert.match(result.ok ? "" : result.error, /other.*--credentials-secret-names/);
  });
});

describe("annotations of a class", () => {
  test("set its poll interval, and a bad one leaves the default and says why", () => {
    const key = CLASS_ANNOTATIONS.rotationPollInterval;

    assert.equal(pollInterval(aClass({ [key]: "90s" }), 120_000), 90_000);
    assert.equal(pollInterval(aClass({ [key]: "5s" }), 120_000), 120_000);
    assert.match(pollIntervalProblem(aClass({ [key]: "5s" })) ?? "", /below 10s/);
    assert.match(pollIntervalProblem(aClass({ [key]: "soon" })) ?? "", /not a duration/);
    assert.equal(pollIntervalProblem(aClass()), undefined);
  });

  test("set whether it is mirrored, and a bad one leaves the setting and says why", () => {
    assert.equal(syncMode(aClass({ [CLASS_ANNOTATIONS.sync]: "never" }), "always"), "never");
    assert.equal(syncMode(aClass({ [CLASS_ANNOTATIONS.sync]: "sometimes" }), "always"), "always");
    assert.match(syncModeProblem(aClass({ [CLASS_ANNOTATIONS.sync]: "sometimes" })) ?? "", /write always, while-used or never/);
    assert.equal(syncMode(aClass({ [CLASS_ANNOTATIONS.sync]: "while-used" }), "always"), "while-used");
    assert.equal(syncModeProblem(aClass({ [CLASS_ANNOTATIONS.sync]: "while-used" })), undefined);
  });
});
