import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import {
  type Answered,
  type ClassState,
  type FetchEnded,
  nextState,
  pollFor,
  type Sight,
  type StateEvent,
} from "../../src/sync/classes/state.ts";
import { classOf, INTERVAL, seenClass, syncedStatus } from "../support/fixtures/class-facts.ts";

const NOW = Date.UTC(2026, 0, 1);
const CHECKED = "2025-12-31T23:30:00Z";

function sightOf(differs: Partial<Sight> = {}): Sight {
  const sight = { cluster: "cluster", key: "team/demo", spc: classOf(), interval: INTERVAL, status: undefined };
  return { ...sight, polledUntil: undefined, now: NOW, ...differs };
}

function after(state: ClassState | undefined, ...events: readonly StateEvent[]): ClassState {
  const next = events.reduce((before: ClassState | undefined, event) => nextState(before, event), state);
  assert.ok(next);
  return next;
}

const UNREACHABLE = { reason: "Unreachable", message: "no answer" } as const;
const seen = (differs: Partial<Sight> = {}): StateEvent => ({ kind: "seen", sight: sightOf(differs) });
const answered = (differs: Partial<Answered> = {}): StateEvent => ({
  kind: "answered",
  failure: undefined,
  checkedAt: NOW,
  failing: new Set(),
  retry: { kind: "backoff" },
  now: NOW,
  spread: 0,
  ...differs,
});
const ended = (differs: Partial<FetchEnded> = {}): StateEvent => ({
  kind: "fetchEnded",
  refresh: undefined,
  isAnswered: true,
  polledAt: NOW,
  changeSeen: undefined,
  now: NOW,
  ...differs,
});

describe("a class that is seen", () => {
  test("for the first time, without a status, is polled in its phase", () => {
    const state = after(undefined, seen());

    assert.ok(state.nextPoll > NOW && state.nextPoll <= NOW + INTERVAL);
    assert.deepEqual([state.failures, state.lastSuccess, state.isIdle], [0, undefined, false]);
  });

  test("for the first time, synced long ago, goes on where the leader before left it", () => {
    const status = { ...syncedStatus(), lastSuccessfulCheckTime: CHECKED };
    const [unknown, polled] = [after(undefined, seen({ status })), after(undefined, seen({ status, polledUntil: NOW }))];

    assert.equal(unknown.nextPoll, NOW, "a poll that fell due while nobody led is due now");
    assert.ok(polled.nextPoll > NOW);
    assert.equal(polled.lastSuccess, Date.parse(CHECKED));
  });

  test("for the first time, failed, is tried at once", () => {
    const [secret] = syncedStatus().secrets;
    assert.ok(secret);
    const status = { ...syncedStatus(), secrets: [{ ...secret, state: "Throttled" as const }] };
    const state = after(undefined, seen({ status }));

    assert.deepEqual([state.failures, state.retryAt], [1, NOW]);
  });

  test("again is as it was; with a shorter interval polled sooner, with a longer one no later", () => {
    const first = after(undefined, seen());
    assert.equal(after(first, seen({ now: NOW + 1 })), first);
    const shorter = after(first, seen({ interval: 10_000 }));
    assert.ok(shorter.nextPoll <= NOW + 10_000);
    assert.equal(after(first, seen({ interval: 3_600_000 })).nextPoll <= first.nextPoll, true);
  });

  test("as another object of its name is tried at once: the failure was that of the one before", () => {
    const failed = after(undefined, seen(), answered({ failure: UNREACHABLE, retry: { kind: "never" } }));
    const anew: SecretProviderClass = { ...classOf(), metadata: { ...classOf().metadata, uid: "anew" } };

    assert.ok(failed.retryAt > NOW);
    assert.equal(after(failed, seen({ spc: anew })).retryAt, NOW);
  });

  test("by nobody yet is not known to other events", () => {
    assert.equal(nextState(undefined, { kind: "objectChanged" }), undefined);
    assert.equal(nextState(undefined, { kind: "retryAsked", now: NOW }), undefined);
  });
});

describe("an answer of the vault", () => {
  const failed = { failure: UNREACHABLE, failing: new Set(["app"]) };

  test("of every object ends a failure", () => {
    const state = after(seenClass(NOW), answered(failed), answered({ checkedAt: NOW + 1 }));

    assert.deepEqual([state.failures, state.failing.size, state.lastSuccess], [0, 0, NOW + 1]);
  });

  test("that is none is asked for again after a pause that grows", () => {
    const delays = [1, 2, 3].map((times) => {
      const state = after(seenClass(NOW), ...Array.from({ length: times }, () => answered(failed)));
      return state.retryAt - NOW;
    });

    assert.deepEqual(delays, [2_000, 4_000, 8_000]);
  });

  test("that another attempt would end with, too, waits for no longer than the retry that is awaited", () => {
    const waiting = after(seenClass(NOW), answered(failed));
    const state = after(waiting, answered({ ...failed, retry: { kind: "never" }, now: NOW + 1 }));

    assert.deepEqual([state.failures, state.retryAt], [2, waiting.retryAt]);
  });

  test("does not count as a check where nobody looked at all objects", () => {
    assert.equal(after(seenClass(NOW), answered({ checkedAt: undefined })).lastSuccess, undefined);
  });
});

describe("a fetch that has ended", () => {
  const state = seenClass(NOW);

  test("was the poll that was due, or none where it repaired alone", () => {
    assert.equal(after(state, ended()).lastPoll, NOW);
    const repaired = after(state, ended({ polledAt: undefined }));
    assert.deepEqual([repaired.lastPoll, repaired.nextPoll], [undefined, state.nextPoll]);
  });

  test("S11: leaves to its retries the poll that was due, however late they come, and however many were missed", () => {
    const { nextPoll: due } = state;
    const [late, missed] = [due + INTERVAL / 2, due + 3.5 * INTERVAL];
    const first = after(state, ended({ polledAt: late, now: late }));
    const again = after(first, ended({ polledAt: late + 1_000, now: late + 1_000 }));

    assert.deepEqual(pollFor(state, due - 1), { due: due - INTERVAL, interval: INTERVAL });
    assert.deepEqual([pollFor(first, late), again.duePoll], [first.duePoll, { due, interval: INTERVAL }]);
    assert.deepEqual(pollFor(again, due + INTERVAL), { due: due + INTERVAL, interval: INTERVAL / 2 - 1_000 });
    const afterOutage = after(state, ended({ polledAt: missed, now: missed }));
    assert.deepEqual(afterOutage.duePoll, { due: due + 3 * INTERVAL, interval: INTERVAL });
  });

  test("S11: counts as the poll that fell due meanwhile", () => {
    const { nextPoll: due } = state;
    const long = after(state, ended({ polledAt: due - 1_000 }), ended({ polledAt: due - 500, now: due + 500 }));

    assert.deepEqual([long.nextPoll, long.duePoll], [due + INTERVAL, { due, interval: 1_000 }]);
  });

  test("has answered a request to refresh only where the vault has", () => {
    const spc = classOf({ annotations: { [CLASS_ANNOTATIONS.refresh]: "now" } });
    const asked = seenClass(NOW, spc);

    assert.deepEqual([after(asked, ended({ refresh: "now" })).lastRefresh, asked.lastRefresh], ["now", undefined]);
    const open = after(asked, ended({ refresh: "now", isAnswered: false }));
    assert.deepEqual([open.triedRefresh, open.lastRefresh], ["now", undefined]);
  });

  test("W16: is another object where it was deleted and made anew, until its fetch has ended", () => {
    const anew = after(state, seen({ spc: { ...classOf(), metadata: { ...classOf().metadata, uid: "another" } } }));

    assert.deepEqual([state.isMadeAnew, anew.isMadeAnew, after(anew, ended()).isMadeAnew], [undefined, true, false]);
  });

  test("W8: leaves a change open that another class has seen meanwhile", () => {
    const before = after(state, { kind: "objectChanged" });
    const { changeSeen } = before;

    assert.equal(after(before, ended({ changeSeen })).changeSeen, undefined);
    // W8: two changes in the same millisecond count as two.
    const meanwhile = after(before, { kind: "objectChanged" }, ended({ changeSeen }));
    assert.equal(meanwhile.changeSeen, 2);
  });
});
