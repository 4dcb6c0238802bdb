import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { FetchTrigger } from "../../src/domain/sync/fetch-trigger.ts";
import { type FetchStep, type Mirrored, planFetch } from "../../src/sync/classes/plan-fetch.ts";
import { type ClassState, nextState, type StateEvent } from "../../src/sync/classes/state.ts";
import { classOf, INTERVAL, observationOf, SETTINGS, secretOf, seenClass, syncedStatus } from "../support/fixtures/class-facts.ts";

const NOW = Date.UTC(2026, 0, 1);

const mirrored = (differs: Partial<Mirrored> = {}): Mirrored => ({ ...observationOf({}, NOW), spc: classOf(), ...differs });
const atRest = (differs: Partial<ClassState> = {}): ClassState => ({ ...seenClass(NOW), nextPoll: NOW + INTERVAL, ...differs });
const secrets = (...named: readonly ReturnType<typeof secretOf>[]): Mirrored["secrets"] => ({
  named: named.map((secret) => ({ secret, nextOwner: undefined })),
  unread: new Set(),
  isBlind: false,
});

describe("the vault is asked", () => {
  test("not at all for a class at rest", () => {
    const step = planFetch(mirrored(), atRest(), SETTINGS);

    assert.deepEqual([step.fetch, step.actions, step.result], [undefined, [], { kind: "continue" }]);
  });

  const refresh = classOf({ annotations: { [CLASS_ANNOTATIONS.refresh]: "now" } });
  const contested = { ...syncedStatus(), secrets: syncedStatus().secrets.map((secret) => ({ ...secret, state: "Contested" as const })) };
  const anew = { ...syncedStatus(), secrets: syncedStatus().secrets.map((secret) => ({ ...secret, specHash: "of another spec" })) };
  const mounted = { spc: classOf({ names: [] }), secrets: secrets() };
  const followed = { ...syncedStatus([]), objects: [{ object: "secret/password", version: "1" }] };
  const rows: readonly (readonly [FetchTrigger, string, Partial<Mirrored>, Partial<ClassState>])[] = [
    ["NeverSynced", "no status", { status: undefined }, {}],
    ["ClassChanged", "another generation", { status: { ...syncedStatus(), observedClassGeneration: 3 } }, {}],
    ["ClassChanged", "another spec", { status: anew }, {}],
    ["ClassChanged", "W16: another object of the same name and generation", {}, { isMadeAnew: true }],
    ["RetryDue", "a failure long ago", {}, { failures: 1, retryAt: NOW }],
    ["RefreshAsked", "a new annotation", { spc: refresh }, {}],
    ["UseBegan", "nobody used it before", { secrets: secrets() }, { isIdle: true }],
    ["SecretMissing", "a Secret is gone", { secrets: secrets() }, {}],
    ["SecretEdited", "edited data", { secrets: secrets({ ...secretOf("app"), isContentIntact: false }) }, {}],
    ["SecretEdited", "another type", { secrets: secrets({ ...secretOf("app"), type: "kubernetes.io/basic-auth" }) }, {}],
    ["ContestOver", "nobody fights any more", { status: contested }, {}],
    ["PollDue", "its time", {}, { nextPoll: NOW }],
    ["NeverSynced", "a class that mirrors nothing and is followed from now on", { ...mounted, status: syncedStatus([]) }, {}],
    ["ClassChanged", "another object of the name of one that mirrors nothing", { ...mounted, status: followed }, { isMadeAnew: true }],
    ["PollDue", "its time, where it mirrors nothing", { ...mounted, status: followed }, { nextPoll: NOW }],
    ["PollDue", "a change that another class saw", {}, { changeSeen: 1 }],
    [
      "ContestOver",
      "W10: damage that was taken back before its repair, long after the last one",
      { status: contested },
      { repairs: { inARow: 5, last: NOW - 120_000, seen: NOW - 110_000 } },
    ],
  ];
  for (const [trigger, what, differs, state] of rows) {
    test(`because of ${trigger}: ${what}`, () => {
      assert.equal(planFetch(mirrored(differs), atRest(state), SETTINGS).fetch?.trigger, trigger);
    });
  }

  const still: readonly (readonly [string, Partial<Mirrored>, Partial<ClassState>])[] = [
    ["a Secret that failed and waits for its next attempt", { secrets: secrets() }, { failing: new Set(["app"]) }],
    ["one that nobody may read", { secrets: { ...secrets(), unread: new Set(["app"]), isBlind: true } }, {}],
    ["a failure whose time has not come", {}, { failures: 1, retryAt: NOW + 1 }],
    [
      "a class that mirrors nothing and was never answered, before its next attempt",
      { ...mounted, status: syncedStatus([]) },
      { failures: 1, retryAt: NOW + 1 },
    ],
    ["a class that mirrors nothing, at rest", { ...mounted, status: followed }, {}],
  ];
  for (const [what, differs, state] of still) {
    test(`not because of ${what}`, () => assert.equal(planFetch(mirrored(differs), atRest(state), SETTINGS).fetch, undefined));
  }
});

describe("a look before the next poll", () => {
  /** The poll of half an interval ago, which followed a late poll. */
  const poll = { due: NOW - INTERVAL / 2, interval: INTERVAL - 5_000 };
  const state = atRest({ failures: 1, retryAt: NOW + 1, duePoll: poll });
  const news = { object: "secret/password", change: "NewVersionCreated", objects: 1, version: "2", happenedAt: NOW } as const;
  const hint = { ...news, receivedAt: NOW, unseenSince: NOW, dueAt: NOW, checks: 0 };
  const rows: readonly (readonly [FetchTrigger, Partial<Mirrored>, Partial<ClassState>])[] = [
    ["RetryDue", {}, { retryAt: NOW }],
    ["PollDue", {}, { changeSeen: 1 }],
    ["EventReceived", { hints: [hint] }, {}],
  ];
  for (const [trigger, observed, differs] of rows)
    test(`S11: is served by no more than what served the last one: because of ${trigger}`, () => {
      const { fetch } = planFetch(mirrored(observed), { ...state, ...differs }, SETTINGS);

      assert.equal(fetch?.trigger, trigger);
      assert.deepEqual({ due: fetch.fetchRequest.due, interval: fetch.fetchRequest.interval }, poll);
    });
});

describe("a repair", () => {
  const edited = { secrets: secrets({ ...secretOf("app"), isContentIntact: false }) };
  const fought = Array.from({ length: 4 }).reduce(
    (state: ClassState) => nextState(state, { kind: "fetchBegan", trigger: "SecretEdited", now: NOW }) ?? state,
    atRest(),
  );

  test("asks for the objects of damaged Secrets alone, and stands for no poll", () => {
    const { fetch } = planFetch(mirrored(edited), atRest(), SETTINGS);

    assert.deepEqual([fetch?.fetchRequest.kind, fetch?.isPoll], ["repair", false]);
  });

  test("CW-1: stands for no poll after a contest either, since it asks for the damaged Secrets alone", () => {
    const contested = syncedStatus().secrets.map((secret) => ({ ...secret, state: "Contested" as const }));
    const { fetch } = planFetch(mirrored({ status: { ...syncedStatus(), secrets: contested } }), atRest(), SETTINGS);

    assert.deepEqual([fetch?.trigger, fetch?.fetchRequest.kind, fetch?.isPoll], ["ContestOver", "repair", false]);
  });

  test("waits where somebody undoes each, but never longer than the poll", () => {
    const waiting = planFetch(mirrored(edited), fought, SETTINGS);
    assert.deepEqual([waiting.fetch, waiting.result], [undefined, { kind: "requeueAfter", milliseconds: 2_000 }]);
    const sooner = planFetch(mirrored(edited), { ...fought, nextPoll: NOW + 700 }, SETTINGS);
    assert.deepEqual(sooner.result, { kind: "requeueAfter", milliseconds: 700 });
    const due = planFetch(mirrored(edited), { ...fought, nextPoll: NOW }, SETTINGS);
    assert.deepEqual([due.fetch?.trigger, due.fetch?.fetchRequest.kind, due.fetch?.isPoll], ["SecretEdited", "changes", true]);
  });
});

describe("SW-1: a Secret with Argo CD's label that release 0.4.0 wrote", () => {
  const label = "app.kubernetes.io/instance";
  const spec = classOf();
  const [secretObject] = spec.spec?.secretObjects ?? [];
  const labelled = { ...secretObject, secretName: "app", labels: { [label]: "shop" } };
  const spc = { ...spec, spec: { ...spec.spec, secretObjects: [labelled] } };
  const written = (annotations: Readonly<Record<string, string>> = {}) => {
    const { labels, ...secret } = secretOf("app", annotations);
    return { ...secret, labels: { ...labels, [label]: "shop" } };
  };
  const complete = { "argocd.argoproj.io/sync-options": "Prune=false", "argocd.argoproj.io/compare-options": "IgnoreExtraneous" };
  const polled = (secret: ReturnType<typeof secretOf>) => {
    const { fetch } = planFetch(mirrored({ spc, secrets: secrets(secret) }), atRest({ nextPoll: NOW }), SETTINGS);
    return fetch?.fetchRequest.kind === "changes" ? [fetch.trigger, ...fetch.fetchRequest.intact] : fetch?.fetchRequest.kind;
  };

  test("SW-1: was not edited by anyone, so nothing repairs it before its poll", () => {
    assert.equal(planFetch(mirrored({ spc, secrets: secrets(written()) }), atRest(), SETTINGS).fetch, undefined);
  });

  test("SW-1: is written again at the next poll, and then no more", () => {
    assert.deepEqual(polled(written()), ["PollDue"]);
    assert.deepEqual(polled(written(complete)), ["PollDue", "app"]);
  });

  test("SW-1: is judged by the live Secret if the worker holds a part of it", () => {
    assert.deepEqual(polled({ ...written(), isPartial: true }), ["PollDue", "app"]);
  });
});

describe("a while-used class that no pod mounts", () => {
  const settings = { ...SETTINGS, syncMode: "while-used" } as const;
  const events = (step: FetchStep): readonly StateEvent["kind"][] =>
    step.actions.flatMap((action) => (action.kind === "note" ? [action.event.kind] : []));

  const grace = settings.unusedGrace;
  const minute = 60_000;
  /**
   * Expected: the stored time of the absence, and then the wait in milliseconds, or `removed`. If the worker cannot be certain, the
   * wait is the time to the next reconcile.
   */
  const rows: readonly (readonly [string, Partial<Mirrored["pods"]>, number | undefined, number | undefined, number | "removed"])[] = [
    ["keep for the grace, from when the absence was first seen", {}, undefined, NOW, grace],
    ["keep for what is left of it", {}, NOW - 4 * minute, NOW - 4 * minute, grace - 4 * minute],
    ["lose when it is over", {}, NOW - grace, NOW - grace, "removed"],
    ["keep while pods cannot be seen, however long ago the last one was", { lastActivity: NOW - 90_001 }, 0, undefined, 5_000],
    ["lose where the silence is short", { lastActivity: NOW - 90_000 }, 0, 0, "removed"],
    ["keep for the whole grace after a gap in what was seen", { unbrokenSince: NOW - minute }, 0, NOW - minute, grace - minute],
    ["keep where the clock of the gap is ahead", { unbrokenSince: NOW + minute }, 0, NOW, grace],
    ["keep while the watch is broken, and the grace goes on", { isFollowed: false }, NOW - 6 * minute, NOW - 6 * minute, 5_000],
  ];
  for (const [what, pods, unusedSince, since, follows] of rows) {
    test(`its Secrets are what we ${what}`, () => {
      const step = planFetch(mirrored({ pods: { ...mirrored().pods, ...pods } }), atRest({ unusedSince }), settings);
      const isRemoved = step.actions.some(({ kind }) => kind === "guarded");

      assert.deepEqual(step.actions[0], { kind: "note", event: { kind: "unused", since } });
      assert.equal(isRemoved ? "removed" : step.result.kind === "requeueAfter" && step.result.milliseconds, follows);
    });
  }

  test("loses them after it, once pods, class and CRD have been asked for, and the watch has still seen no pod", () => {
    const step = planFetch(mirrored(), atRest({ unusedSince: NOW - settings.unusedGrace }), settings);
    const guarded = step.actions.find((action) => action.kind === "guarded");

    assert.deepEqual(guarded?.preconditions, [
      { kind: "noLiveConsumer" },
      { kind: "classUnchanged", resourceVersion: "7" },
      { kind: "crdHealthy" },
      { kind: "unused" },
    ]);
    assert.deepEqual(
      guarded.actions.map(({ kind }) => kind),
      ["removeSecret"],
    );
    assert.deepEqual(guarded.otherwise, { kind: "requeueAfter", milliseconds: 5_000 });
    assert.deepEqual(
      step.actions.map(({ kind }) => kind),
      ["note", "guarded", "note", "setStatus", "storeStatus"],
    );
  });

  test("without Secrets rests, and says so", () => {
    const step = planFetch(mirrored({ secrets: secrets() }), atRest(), settings);

    assert.deepEqual([events(step), step.fetch, step.result], [["unused", "rested"], undefined, { kind: "done" }]);
  });

  test("is mirrored as any other as soon as one does", () => {
    const used = { pods: { ...mirrored().pods, isUsed: true } };
    const step = planFetch(mirrored(used), atRest({ nextPoll: NOW }), settings);

    assert.deepEqual([events(step), step.fetch?.trigger], [["used", "fetchBegan"], "PollDue"]);
  });
});
