import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOpen } from "../../src/domain/schedule/breaker.ts";
import { isSettled, type ObjectCheck, stillHolds } from "../../src/domain/schedule/object-check.ts";
import {
  admit,
  answeredPressure,
  noPressure,
  rateOf,
  stretchOf,
  throttled,
  unanswered,
  unreported,
  type VaultPressure,
} from "../../src/domain/schedule/vault-pressure.ts";

const NOW = 1_700_000_000_000;

function afterFailures(count: number, pressure = noPressure(), now = NOW): VaultPressure {
  return Array.from({ length: count }).reduce<VaultPressure>((current) => {
    const admission = admit(current, { now, isKey: false });
    assert.ok(admission.kind === "go");
    return unanswered(admission.pressure, { request: admission.request, now });
  }, pressure);
}

describe("a vault that throttles", () => {
  test("without Retry-After is left alone for 1, 2, 4, 8 and 16 seconds", () => {
    let pressure = noPressure();
    let now = NOW;
    const pauses: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      pressure = throttled(pressure, now, undefined);
      pauses.push((pressure.pausedUntil - now) / 1_000);
      now = pressure.pausedUntil;
    }

    assert.deepEqual(pauses, [1, 2, 4, 8, 16, 16]);
  });

  test("with Retry-After is left alone for as long as it says, and for a second where it says at once", () => {
    assert.equal(throttled(noPressure(), NOW, 45_000).pausedUntil, NOW + 45_000);
    assert.equal(throttled(noPressure(), NOW, 0).pausedUntil, NOW + 1_000);
  });

  test("is asked for less and polled less often from then on, and for more after half a minute without a 429", () => {
    const once = throttled(noPressure(), NOW, undefined);
    assert.deepEqual([rateOf(once), stretchOf(once)], [150, 2]);

    const soon = answeredPressure(once, NOW + 5_000);
    assert.equal(rateOf(soon), 150);

    const later = answeredPressure(once, NOW + 30_000);
    assert.deepEqual([rateOf(later), stretchOf(later)], [300, 1]);
  });

  test("is asked as before by its first answer after hours without a 429, however slow it had made us", () => {
    const slowest = Array.from({ length: 5 }).reduce<VaultPressure>(
      (pressure, _, index) => throttled(pressure, NOW + index * 20_000, undefined),
      noPressure(),
    );
    const last = NOW + 4 * 20_000;

    assert.deepEqual([rateOf(slowest), stretchOf(slowest)], [18.75, 8]);
    assert.equal(rateOf(answeredPressure(slowest, last + 59_999)), 37.5);
    assert.equal(rateOf(answeredPressure(slowest, last + 60_000)), 75);
    assert.deepEqual(
      [rateOf(answeredPressure(slowest, last + 3_600_000)), stretchOf(answeredPressure(slowest, last + 3_600_000))],
      [300, 1],
    );
  });

  test("counts one pause for all requests that were under way, and the longest of their Retry-After", () => {
    const many = [undefined, 9_000, undefined].reduce<VaultPressure>(
      (pressure, retryAfter) => throttled(pressure, NOW + 10, retryAfter),
      throttled(noPressure(), NOW, undefined),
    );

    assert.deepEqual([many.pauses, rateOf(many), many.pausedUntil], [1, 150, NOW + 9_010]);
  });

  test("is not asked during the pause, and has nothing saved up after it", () => {
    const pressure = throttled(noPressure(), NOW, undefined);

    assert.deepEqual(admit(pressure, { now: NOW + 400, isKey: false }), { kind: "refused", why: "Throttled", afterMs: 600 });
    const after = admit(pressure, { now: NOW + 1_000, isKey: false });
    assert.equal(after.kind, "go");
    assert.ok(after.kind === "go" && after.waitMs > 0);
  });
});

describe("a vault that does not answer", () => {
  test("is left alone after five requests in a row without an answer, and not before", () => {
    assert.equal(admit(afterFailures(4), { now: NOW, isKey: false }).kind, "go");
    assert.deepEqual(admit(afterFailures(5), { now: NOW, isKey: false }), { kind: "refused", why: "Unreachable", afterMs: 5_000 });
    assert.ok(isOpen(afterFailures(5).breaker));
  });

  test("is not held to be away because of failures with an answer between them", () => {
    assert.equal(isOpen(afterFailures(4, answeredPressure(afterFailures(4), NOW)).breaker), false);
  });

  test("is tried by one request after the pause; its failure doubles the pause, up to a minute", () => {
    let pressure = afterFailures(5);
    const pauses: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const now = pressure.breaker.openUntil;
      const probe = admit(pressure, { now, isKey: false });
      assert.ok(probe.kind === "go");
      assert.equal(admit(probe.pressure, { now, isKey: false }).kind, "refused", "one probe at a time");
      pressure = unanswered(probe.pressure, { request: probe.request, now });
      pauses.push((pressure.breaker.openUntil - now) / 1_000);
    }

    assert.deepEqual(pauses, [10, 20, 40, 60, 60]);
  });

  test("is asked as before once the probe was answered, be it with a refusal", () => {
    const pressure = afterFailures(5);
    const probe = admit(pressure, { now: pressure.breaker.openUntil, isKey: false });
    assert.ok(probe.kind === "go");

    assert.equal(isOpen(answeredPressure(probe.pressure, pressure.breaker.openUntil).breaker), false);
  });

  test("is tried by the next where a probe was given up", () => {
    const pressure = afterFailures(5);
    const probe = admit(pressure, { now: pressure.breaker.openUntil, isKey: false });
    assert.ok(probe.kind === "go");

    assert.equal(admit(unreported(probe.pressure, probe.request), { now: pressure.breaker.openUntil, isKey: false }).kind, "go");
  });
});

describe("what was seen of an object", () => {
  const SECOND = 1_700_000_000_000;
  const seen = (changes: Partial<Extract<ObjectCheck, { kind: "found" }>> = {}): ObjectCheck => ({
    kind: "found",
    version: "v1",
    updated: SECOND,
    expires: undefined,
    isEnabled: true,
    queriedAt: SECOND + 60_000,
    isSettled: true,
    ...changes,
  });
  const listing = (updated: number | undefined, isEnabled = true) => ({
    takenAt: SECOND + 120_000,
    objects: new Map(updated === undefined ? [] : [["db", { name: "DB", isEnabled, updated }]]),
  });

  test("holds while the list shows the same second, whatever the spelling of the name", () => {
    assert.equal(stillHolds(seen(), listing(SECOND), "Db"), true);
  });

  test("does not hold where the list shows another second, an earlier one too, or no such object", () => {
    for (const updated of [SECOND + 1_000, SECOND - 1_000, undefined]) assert.equal(stillHolds(seen(), listing(updated), "db"), false);
  });

  test("does not hold for an unchanged second that was not over when the vault answered", () => {
    assert.equal(stillHolds(seen({ isSettled: false }), listing(SECOND), "db"), false);
  });

  test("V5: does not hold where the list shows that it was disabled, or enabled, within the same second", () => {
    assert.equal(stillHolds(seen(), listing(SECOND, false), "db"), false);
    assert.equal(stillHolds(seen({ isEnabled: false }), listing(SECOND, true), "db"), false);
  });

  test("holds for a key that was handed out although it is disabled", () => {
    assert.equal(stillHolds(seen({ isEnabled: false }), listing(SECOND, false), "db"), true);
  });

  test("is newer than a list that was taken before", () => {
    assert.equal(stillHolds(seen({ queriedAt: SECOND + 130_000, isSettled: false }), listing(SECOND - 60_000), "db"), true);
  });

  test("holds for a disabled and a missing object as long as the list shows that, and no longer", () => {
    const refused = (code: "Disabled" | "NotFound"): ObjectCheck => ({ kind: "refused", code, queriedAt: SECOND });
    assert.equal(stillHolds(refused("Disabled"), listing(SECOND, false), "db"), true);
    assert.equal(stillHolds(refused("Disabled"), listing(SECOND, true), "db"), false);
    assert.equal(stillHolds(refused("NotFound"), listing(undefined), "db"), true);
    assert.equal(stillHolds(refused("NotFound"), listing(SECOND), "db"), false);
  });

  test("is settled by the vault's own clock where it tells the time, else by ours with room for its error", () => {
    assert.equal(isSettled({ updated: SECOND, answered: SECOND + 4_000 }, SECOND + 3_600_000), false);
    assert.equal(isSettled({ updated: SECOND, answered: SECOND + 5_000 }, SECOND - 3_600_000), true);
    assert.equal(isSettled({ updated: SECOND }, SECOND + 304_000), false);
    assert.equal(isSettled({ updated: SECOND }, SECOND + 305_000), true);
    assert.equal(isSettled({ updated: undefined, answered: SECOND }, SECOND), false);
  });
});
