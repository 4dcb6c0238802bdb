import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Action, Guarded, Precondition, Step } from "../../src/sync/classes/action.ts";
import type { Observation } from "../../src/sync/classes/observe.ts";
import { planClass } from "../../src/sync/classes/plan.ts";
import { classOf, observationOf, SETTINGS, secretOf, snapshotOfClass, syncedStatus } from "../support/fixtures/class-facts.ts";

const FROZEN = { kind: "frozen", why: "the CRD is absent" } as const;
const UNSETTLED = { kind: "requeueAfter", milliseconds: 500 } as const;
const DONE = { kind: "done" } as const;
const CONTINUE = { kind: "continue" } as const;

const named = (...names: readonly string[]): Observation["secrets"] => ({
  named: names.map((name) => ({ secret: secretOf(name), nextOwner: undefined })),
  unread: new Set(),
  isBlind: false,
});
const none = named();

const planned = (differs: Partial<Observation>, settings = SETTINGS): Step => planClass(observationOf(differs), settings);

/** Returns the kinds of the actions in their order. Guarded actions are in brackets. */
function kindsOf({ actions }: Step): readonly string[] {
  return actions.map((action) => (action.kind === "guarded" ? `[${action.actions.map(({ kind }) => kind).join(" ")}]` : action.kind));
}

function guardsOf({ actions }: Step): readonly (readonly Precondition[])[] {
  return actions.filter((action): action is Guarded => action.kind === "guarded").map(({ preconditions }) => preconditions);
}

const firstOf = <K extends Action["kind"]>(step: Step, kind: K): Extract<Action, { readonly kind: K }> | undefined =>
  step.actions.find((action): action is Extract<Action, { readonly kind: K }> => action.kind === kind);

describe("a class that is gone", () => {
  const gone = { spc: undefined, snapshot: { isCurrent: false, taken: snapshotOfClass() } };
  const rows: readonly (readonly [string, Partial<Observation>, readonly string[], Step["result"]])[] = [
    ["with nothing left of it is forgotten", { ...gone, snapshot: noSnapshot(), secrets: none, status: undefined }, ["forget"], DONE],
    ["with a status alone loses that, too", { ...gone, snapshot: noSnapshot(), secrets: none }, ["forget", "[dropStatus]"], DONE],
    ["says nothing while its CRD is not healthy", { ...gone, crd: FROZEN }, ["reportFrozen"], UNSETTLED],
    ["without a snapshot keeps its Secrets", { ...gone, snapshot: noSnapshot() }, ["[leaveUnexplained]"], DONE],
    [
      "under the CRD of its snapshot was deleted, and the snapshot goes last",
      gone,
      ["[removeSecret dropStatus removeSnapshot forget]"],
      DONE,
    ],
    [
      "under another CRD was lost, and is made again",
      { ...gone, snapshot: { isCurrent: false, taken: snapshotOfClass(classOf(), "before") } },
      ["[restoreClass]"],
      DONE,
    ],
  ];
  for (const [what, differs, kinds, result] of rows) {
    test(what, () => {
      const step = planned(differs);

      assert.deepEqual([kindsOf(step), step.result], [kinds, result]);
    });
  }

  test("is judged by the class first, and by the same CRD after it", () => {
    assert.deepEqual(guardsOf(planned(gone)), [
      [{ kind: "classAbsent" }, { kind: "crdHealthy", uid: "crd" }, { kind: "sameSecrets", named: [secretOf("app")] }],
    ]);
    const guard = firstOf(planned(gone), "guarded");
    assert.deepEqual(guard?.otherwise, UNSETTLED);
  });

  test("W2: has the Secrets asked for that its snapshot and status name and nobody has shown", () => {
    const [guards = []] = guardsOf(planned({ ...gone, secrets: none }));
    assert.deepEqual(
      guards.map(({ kind }) => kind),
      ["classAbsent", "crdHealthy", "noUnseenSecrets", "sameSecrets"],
    );
    assert.deepEqual(guards[2], { kind: "noUnseenSecrets", names: ["app"] });
    const blind = planned({ ...gone, secrets: { ...none, isBlind: true } });
    assert.ok(
      !guardsOf(blind)
        .flat()
        .some(({ kind }) => kind === "noUnseenSecrets"),
      "nobody may read them",
    );
  });

  test("is neither restored nor cleaned up after where the operator said so", () => {
    const lost = { ...gone, snapshot: { isCurrent: false, taken: snapshotOfClass(classOf(), "before") } };
    assert.deepEqual(kindsOf(planned(lost, { ...SETTINGS, heal: [] })), ["[leaveUnrestored]"]);
    assert.deepEqual(kindsOf(planned(gone, { ...SETTINGS, syncSecret: false })), ["[]"]);
  });
});

function noSnapshot(): Observation["snapshot"] {
  return { isCurrent: false, taken: undefined };
}

describe("the snapshot of a class", () => {
  const edited = { ...classOf(), metadata: { ...classOf().metadata, generation: 2 } };
  const rows: readonly (readonly [string, Partial<Observation>, string | undefined, Step["result"]])[] = [
    ["is left where it is current", {}, "warn", CONTINUE],
    ["is taken before anything is mirrored", { snapshot: noSnapshot() }, "saveSnapshot", CONTINUE],
    ["is taken anew after an edit", { spc: edited, snapshot: { isCurrent: false, taken: snapshotOfClass() } }, "saveSnapshot", CONTINUE],
    [
      "completes a class that was cut at the same generation",
      { spc: { ...classOf(), spec: { provider: "azure" } }, snapshot: { isCurrent: false, taken: snapshotOfClass() } },
      "completeClass",
      UNSETTLED,
    ],
    ["says nothing while the CRD is not healthy", { crd: FROZEN }, "reportFrozen", UNSETTLED],
  ];
  for (const [what, differs, first, result] of rows) {
    test(what, () => {
      const step = planned(differs);

      assert.deepEqual([step.actions[0]?.kind, step.result], [first, result]);
    });
  }

  test("goes with a class that is too large to be held, which is read once it has room", () => {
    const step = planned({ spc: { ...classOf(), excess: "namespace" } });

    assert.deepEqual([kindsOf(step), step.result], [["admit", "removeSnapshot", "reset", "setStatus"], DONE]);
    assert.match(firstOf(step, "setStatus")?.outcome.message ?? "", /^the class is waiting for memory/);
  });
});

describe("a class that is not mirrored", () => {
  const off = classOf({ annotations: { [CLASS_ANNOTATIONS.sync]: "never" } });
  const foreign = classOf({ provider: "vault" });
  const rows: readonly (readonly [string, Partial<Observation>, readonly string[]])[] = [
    ["by its author keeps its Secrets and says so", { spc: off }, ["reset", "setStatus"]],
    ["by its author says nothing where it never had a status", { spc: off, status: undefined }, ["reset"]],
    ["because it is another provider's keeps the Secrets that it had", { spc: foreign }, ["forget", "setStatus"]],
    ["because it is another provider's, and had none, has no status", { spc: foreign, secrets: none }, ["forget", "dropStatus"]],
    ["because it names no Secret has no status", { spc: classOf({ names: [] }), secrets: none }, ["reportThawed", "forget", "dropStatus"]],
    [
      "because it names no Secret loses a status that is too large to be held, too",
      { spc: classOf({ names: [] }), secrets: none, status: undefined, hasStatus: true },
      ["reportThawed", "forget", "dropStatus"],
    ],
  ];
  for (const [what, differs, kinds] of rows) {
    test(what, () => {
      const step = planned(differs);

      assert.deepEqual([kindsOf(step), step.result], [["warn", ...kinds], DONE]);
    });
  }

  const mounted = { spc: classOf({ names: [] }), secrets: none };
  const followed: readonly (readonly [string, Partial<Observation>, readonly string[], Step["result"]])[] = [
    ["is looked at while a workload asks for restarts", { isFollowed: true }, [], CONTINUE],
    ["keeps its status until it is known that none asks", { isFollowed: "unknown" }, [], { kind: "requeueAfter", milliseconds: 5_000 }],
    ["loses its status when none asks", { isFollowed: false }, ["forget", "dropStatus"], DONE],
    ["without a status waits for nobody to ask", { isFollowed: "unknown", status: undefined, hasStatus: false }, ["forget"], DONE],
  ];
  for (const [what, differs, kinds, result] of followed) {
    test(`because it names no Secret ${what}`, () => {
      const step = planned({ ...mounted, ...differs });

      assert.deepEqual([kindsOf(step), step.result], [["warn", "reportThawed", ...kinds], result]);
    });
  }
});

describe("a Secret that its class no longer names", () => {
  test("goes only while the class is unchanged under a healthy CRD, and the class is mirrored all the same", () => {
    const step = planned({ secrets: named("app", "old") });

    assert.deepEqual(kindsOf(step), ["warn", "reportThawed", "[removeSecret]"]);
    assert.deepEqual(guardsOf(step), [[{ kind: "classUnchanged", resourceVersion: "7" }, { kind: "crdHealthy" }]]);
    assert.deepEqual([firstOf(step, "guarded")?.otherwise, step.result], [CONTINUE, CONTINUE]);
  });

  test("goes to the class that names it now", () => {
    const secrets = { ...none, named: [{ secret: secretOf("old"), nextOwner: "younger" }] };
    const [removed] = firstOf(planned({ secrets }), "guarded")?.actions ?? [];

    assert.equal(removed?.kind === "removeSecret" ? removed.nextOwner : undefined, "younger");
  });

  const adopted = { [SECRET_ANNOTATIONS.adopted]: "true", [SECRET_ANNOTATIONS.adoptableBy]: "demo" };
  const of = (secret: ReturnType<typeof secretOf>) => ({ ...none, named: [{ secret, nextOwner: undefined }] });
  const rows: readonly (readonly [string, Partial<Observation>, readonly string[]])[] = [
    ["stays where it is another class's", { secrets: of(secretOf("old", { [SECRET_ANNOTATIONS.class]: "other" })) }, []],
    ["stays where somebody copied one", { secrets: of({ ...secretOf("old"), owned: { data: [], labels: [], annotations: [] } }) }, []],
    ["stays where nothing proves that we wrote it", { secrets: of({ ...secretOf("old"), lacksProof: true }) }, []],
    ["is given back where it was there before the class", { secrets: of(secretOf("old", adopted)) }, ["releaseSecret"]],
    [
      "is given back, not deleted, where its owner agreed once",
      { secrets: of(secretOf("old", { [SECRET_ANNOTATIONS.adoptableBy]: "x" })) },
      ["[releaseSecret]"],
    ],
  ];
  for (const [what, differs, kinds] of rows) {
    test(what, () => assert.deepEqual(kindsOf(planned(differs)), ["warn", "reportThawed", ...kinds]));
  }
});

describe("what can't be taken back", () => {
  /** The class is wrong or missing, in a different way each time. */
  const worlds: readonly Partial<Observation>[] = [
    {},
    { secrets: named("app", "old") },
    { spc: undefined, snapshot: { isCurrent: false, taken: snapshotOfClass() } },
    { spc: undefined, snapshot: { isCurrent: false, taken: snapshotOfClass(classOf(), "before") } },
    { spc: undefined, snapshot: noSnapshot() },
    { spc: undefined, snapshot: noSnapshot(), secrets: none },
    { spc: classOf({ names: [] }), status: syncedStatus() },
  ];

  test("is planned for no class whose CRD is not healthy", () => {
    const isSafe = ({ kind }: Action): boolean => ["reportFrozen", "forget", "guarded"].includes(kind);
    for (const world of worlds) {
      const { actions } = planned({ ...world, crd: FROZEN });
      assert.ok(actions.every(isSafe), JSON.stringify(actions));
      const guarded = actions.filter((action): action is Guarded => action.kind === "guarded");
      assert.deepEqual(
        guarded.flatMap((action) => action.actions.map(({ kind }) => kind)),
        guarded.map(() => "dropStatus"),
      );
    }
  });

  test("has a healthy CRD as a precondition, read after the class", () => {
    const guards = worlds.flatMap((world) => guardsOf(planned(world)));

    assert.ok(guards.length >= 5, String(guards.length));
    for (const guard of guards) {
      assert.match(guard.at(0)?.kind ?? "", /^class(?:Absent|Unchanged)$/);
      assert.equal(guard.at(1)?.kind, "crdHealthy");
    }
  });
});
