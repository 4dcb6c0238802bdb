import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { nextStatus, withCopies } from "../../src/domain/sync/class-status.ts";
import {
  type CopiesObservation,
  type CopyingClass,
  type CopyStanding,
  copyStatuses,
  planCopies,
} from "../../src/domain/sync/copies/copies-plan.ts";
import { type CopySource, copyMetadata, planCopy } from "../../src/domain/sync/copies/copy-plan.ts";
import { type CopyOutcome, copyStatusOf, newConflicts } from "../../src/domain/sync/copies/copy-status.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import { CopyPace } from "../../src/sync/copies/copy-pace.ts";
import { secretOf, syncedStatus } from "../support/fixtures/class-facts.ts";

const KEY = "team/demo";

const sourceOf = (differs: Partial<ObservedSecret> = {}): CopySource => ({
  classKey: KEY,
  secret: { ...secretOf("app"), ...differs },
  mark: "mark",
});

/** The copy as the worker wrote it. */
function copyIn(namespace: string, differs: Partial<ObservedSecret> = {}): ObservedSecret {
  const { labels, annotations } = copyMetadata(sourceOf());
  return {
    ref: { namespace, name: "app" },
    uid: `copy in ${namespace}`,
    resourceVersion: "5",
    type: "Opaque",
    immutable: false,
    labels,
    annotations: { ...annotations, [SECRET_ANNOTATIONS.content]: "v2:content" },
    owned: { data: ["password"], labels: [COPY_LABEL], annotations: [...Object.keys(annotations), SECRET_ANNOTATIONS.content] },
    isContentIntact: true,
    ...differs,
  };
}

describe("what becomes of one copy", () => {
  const plan = (observed: ObservedSecret | undefined, source = sourceOf(), claims: readonly string[] = []) =>
    planCopy(source, { observed, isClaimedBy: (classKey) => claims.includes(classKey) });
  const onto = { uid: "copy in target", resourceVersion: "5" };
  const nothing = { data: [], labels: [], annotations: [] };
  const annotated = (key: string, value: string) => ({ annotations: { ...copyIn("target").annotations, [key]: value } });

  test("it is made where there is none, and kept where it is right", () => {
    assert.deepEqual(plan(undefined), { kind: "create" });
    assert.deepEqual(plan(copyIn("target")), { kind: "keep" });
  });

  const applied: readonly (readonly [string, Partial<ObservedSecret>])[] = [
    ["the content changed", annotated(COPY_ANNOTATIONS.sourceContent, "former")],
    ["its data was edited", { isContentIntact: false }],
    ["its data was edited", { isContentIntact: false, lacksProof: true }],
    ["its annotations were edited", annotated(SECRET_ANNOTATIONS.objects, "mine")],
    ["its annotations were edited", annotated(COPY_ANNOTATIONS.copiedFrom, "team/another")],
    ["it has owners, or the label of the CSI driver's own sync", { hasOwners: true }],
  ];
  for (const [why, differs] of applied) {
    test(`it is written over, onto the one that was seen, where ${why}: ${JSON.stringify(differs).slice(0, 60)}`, () => {
      assert.deepEqual(plan(copyIn("target", differs)), { kind: "apply", onto, removed: nothing, why });
    });
  }

  test("it loses what the Secret of the class no longer has, and nothing that others gave it", () => {
    const owned = { data: ["password", "former"], labels: [COPY_LABEL, "former"], annotations: [] };
    const observed = copyIn("target", { owned, labels: { ...copyIn("target").labels, former: "x", theirs: "x" } });

    const step = plan(observed);
    assert.deepEqual(step.kind === "apply" && step.removed, { data: ["former"], labels: ["former"], annotations: [] });
  });

  test("it gets the labels that the class gives, not those that others put on its Secret", () => {
    const labels = { [MANAGED_LABEL]: "true", team: "blue", theirs: "x" };
    const source = sourceOf({ labels, owned: { data: ["password"], labels: [MANAGED_LABEL, "team"], annotations: [] } });

    assert.deepEqual(copyMetadata(source).labels, { team: "blue", [COPY_LABEL]: "true" });
  });

  test("SW-1: it has the annotations that make Argo CD leave it alone, if it has the label by which Argo CD finds objects", () => {
    const label = "app.kubernetes.io/instance";
    const owned = { data: ["password"], labels: [MANAGED_LABEL, label], annotations: [] };
    const source = sourceOf({ labels: { [MANAGED_LABEL]: "true", [label]: "shop" }, owned });

    const { labels, annotations } = copyMetadata(source);
    assert.equal(annotations["argocd.argoproj.io/sync-options"], "Prune=false");
    assert.equal(annotations["argocd.argoproj.io/compare-options"], "IgnoreExtraneous");
    assert.equal(plan(copyIn("target", { labels }), source).kind, "apply", "a former release wrote it without them");
    const ownedCopy = { data: ["password"], labels: Object.keys(labels), annotations: Object.keys(annotations) };
    const step = plan(copyIn("target", { labels, annotations, owned: ownedCopy }));
    const removed = ["argocd.argoproj.io/sync-options", "argocd.argoproj.io/compare-options"];
    assert.deepEqual(step.kind === "apply" && step.removed, { data: [], labels: [label], annotations: removed });
  });

  test("it is made anew where the API server lets nobody change it, if this install made it", () => {
    const ofOtherType = copyIn("target", { type: "kubernetes.io/tls" });
    const frozen = copyIn("target", { immutable: true, isContentIntact: false });

    const why = "its type is kubernetes.io/tls instead of Opaque, and a Secret's type cannot be changed";
    assert.deepEqual(plan(ofOtherType), { kind: "replace", onto, why });
    assert.deepEqual(plan(frozen), { kind: "replace", onto, why: "it is immutable and its content must change" });
    assert.equal(plan({ ...ofOtherType, lacksProof: true }).kind, "conflict");
    assert.equal(plan(copyIn("target", { immutable: true, ...annotated("theirs", "x") })).kind, "keep");
  });

  test("it is left alone where another class has it, or where it is a class's own Secret", () => {
    const ofAnother = copyIn("target", annotated(COPY_ANNOTATIONS.copiedFrom, "team/another"));

    assert.deepEqual(plan(ofAnother, sourceOf(), ["team/another"]), { kind: "conflict", why: "it is a copy for the class team/another" });
    assert.equal(plan(copyIn("target", { labels: { ...copyIn("target").labels, [MANAGED_LABEL]: "true" } })).kind, "conflict");
  });
});

const PRESENT: Extract<CopyingClass, { readonly kind: "present" }> = {
  kind: "present",
  namespaces: ["one", "two"],
  isListUnclear: false,
  secretNames: ["app"],
  isMirrored: true,
};

interface Facts extends Partial<Omit<CopiesObservation, "spc">> {
  readonly spc?: Partial<Omit<typeof PRESENT, "kind">> | Exclude<CopyingClass, { readonly kind: "present" }>;
  readonly standings?: Readonly<Record<string, CopyStanding>>;
}

/** By default, a class with one Secret, two namespaces that consent, and the copies in both. */
function copiesOf({ spc = {}, standings = {}, ...differs }: Facts = {}): CopiesObservation {
  const copies = differs.copies ?? [copyIn("one"), copyIn("two")];
  return {
    key: KEY,
    resourceVersion: "7",
    spc: "kind" in spc ? spc : { ...PRESENT, ...spc },
    sources: [sourceOf()],
    copies,
    standingOf: (namespace) => standings[namespace] ?? "granted",
    copyAt: (ref) => copies.find((copy) => copy.ref.namespace === ref.namespace && copy.ref.name === ref.name),
    isClaimedBy: () => false,
    ...differs,
  };
}

describe("what becomes of the copies of a class", () => {
  const removed = (facts: Facts): readonly string[] =>
    planCopies(copiesOf(facts)).removals.map(({ secret, reason }) => `${secret.ref.namespace} ${reason}`);

  test("at rest nothing is done, and each namespace is Synced", () => {
    const plan = planCopies(copiesOf());

    assert.deepEqual(plan.removals, []);
    assert.deepEqual(
      plan.copies.map(({ namespace, step }) => `${namespace} ${step.kind}`),
      ["one keep", "two keep"],
    );
    const results = plan.copies.map(({ namespace }) => ({ namespace, name: "app", state: "Synced" as const }));
    assert.deepEqual(copyStatuses(plan, results), [
      { namespace: "one", state: "Synced" },
      { namespace: "two", state: "Synced" },
    ]);
  });

  const reasons: readonly (readonly [string, Facts, readonly string[]])[] = [
    ["the class names a namespace no more", { spc: { namespaces: ["two"] } }, ["one notNamed"]],
    ["the class names no namespace any more", { spc: { namespaces: [] } }, ["one notNamed", "two notNamed"]],
    ["the class names the Secret no more", { spc: { secretNames: [] } }, ["one notNamed", "two notNamed"]],
    ["a Namespace agrees no more", { standings: { one: "notGranted" } }, ["one notGranted"]],
    [
      "a class that waits for a pod has no Secret any more",
      { spc: { isMirrored: false }, sources: [] },
      ["one sourceGone", "two sourceGone"],
    ],
    ["the class is missing, and so is its Secret", { spc: { kind: "absent" }, sources: [] }, ["one sourceGone", "two sourceGone"]],
  ];
  for (const [when, facts, expected] of reasons) {
    test(`they go where ${when}`, () => {
      assert.deepEqual(removed(facts), expected);
    });
  }

  const kept: readonly (readonly [string, Facts])[] = [
    ["the class is missing and its Secret is there: it may be lost", { spc: { kind: "absent" } }],
    ["the class is switched off", { spc: { kind: "switchedOff", namespaces: [] }, sources: [] }],
    [
      "the class is switched off and the Namespace agrees no more",
      { spc: { kind: "switchedOff", namespaces: ["one"] }, standings: { one: "notGranted" } },
    ],
    ["the class's Secret was deleted and is about to be back", { sources: [] }],
    ["the list of namespaces cannot be read as a whole", { spc: { namespaces: [], isListUnclear: true } }],
    ["the namespace goes away itself", { spc: { namespaces: [] }, standings: { one: "terminating", two: "terminating" } }],
    ["nothing proves that this install made it", { spc: { namespaces: [] }, copies: [copyIn("one", { lacksProof: true })] }],
    [
      "somebody else put the label on it",
      { spc: { namespaces: [] }, copies: [copyIn("one", { owned: { data: [], labels: [], annotations: [] } })] },
    ],
  ];
  for (const [when, facts] of kept) {
    test(`they stay where ${when}`, () => {
      assert.deepEqual(removed(facts), []);
    });
  }

  test("nothing is written where a namespace does not agree, is not served or goes away, and the status says which", () => {
    const namespaces = ["one", "two", "three", "four"];
    const standings = { two: "notGranted", three: "notServed", four: "terminating" } as const;

    const plan = planCopies(copiesOf({ spc: { namespaces }, standings, copies: [] }));

    assert.deepEqual(
      plan.copies.map(({ namespace, step }) => `${namespace} ${step.kind}`),
      ["one create"],
    );
    assert.deepEqual(copyStatuses(plan, [{ namespace: "one", name: "app", state: "Failed" }]), [
      { namespace: "four", state: "Terminating" },
      { namespace: "one", state: "Failed", secrets: ["app"] },
      { namespace: "three", state: "NotServed" },
      { namespace: "two", state: "NotGranted" },
    ]);
  });

  test("they wait for a Secret that the class has not written yet", () => {
    const plan = planCopies(copiesOf({ spc: { secretNames: ["app", "other"], namespaces: ["one"] } }));

    assert.deepEqual(copyStatuses(plan, [{ namespace: "one", name: "app", state: "Synced" }]), [
      { namespace: "one", state: "Waiting", secrets: ["other"] },
    ]);
  });

  test("a Secret that the class does not name is not copied", () => {
    const other = { ...sourceOf(), secret: secretOf("former") };

    assert.deepEqual(
      planCopies(copiesOf({ sources: [sourceOf(), other] })).copies.map(({ source }) => source.secret.ref.name),
      ["app", "app"],
    );
  });
});

describe("the status of a namespace", () => {
  const result = (name: string, state: CopyOutcome) => ({ namespace: "one", name, state });

  test("is that of the copy that stands worst, with the names of three that are not Synced", () => {
    const results = [result("d", "Waiting"), result("b", "Conflict"), result("a", "Synced"), result("c", "Failed"), result("e", "Waiting")];

    assert.deepEqual(copyStatusOf("one", results), { namespace: "one", state: "Conflict", secrets: ["b", "c", "d"] });
  });

  test("CS: is the worse one of any two states that single copies have", () => {
    const worsening = ["Synced", "Waiting", "Contested", "Failed", "Conflict", "Terminating"] as const;
    worsening.forEach((worse, index) => {
      for (const better of worsening.slice(0, index + 1)) {
        for (const states of [[worse, better] as const, [better, worse] as const])
          assert.equal(
            copyStatusOf(
              "one",
              states.map((state) => result(state, state)),
            ).state,
            worse,
          );
      }
    });
  });

  test("outlives what a reconcile of the class stores, but where nobody writes copies any more", () => {
    const copies = [{ namespace: "one", state: "Synced" } as const];
    const stored = withCopies(syncedStatus(), copies);
    assert.ok(stored !== undefined);
    const outcome = { generation: 2, reason: "Synced", message: "", isFresh: true, secrets: stored.secrets } as const;

    assert.deepEqual(nextStatus(outcome, stored, 0)?.copies, copies);
    assert.equal("copies" in (nextStatus({ ...outcome, isWithoutCopies: true }, stored, 0) ?? {}), false);
    assert.equal(withCopies(stored, copies), undefined);
    assert.deepEqual(withCopies(stored, []), syncedStatus());
  });

  test("is told by an event where somebody else has the name, once", () => {
    const now = [
      { namespace: "one", state: "Conflict", secrets: ["app", "b"] } as const,
      { namespace: "two", state: "NotGranted" } as const,
    ];

    assert.equal(
      newConflicts(now, []),
      "Secret one/app, one/b exists but is not a copy for this class, so the worker leaves it unchanged. Delete the Secret, or choose another secretName",
    );
    assert.equal(newConflicts(now, now), undefined);
  });
});

describe("writes of a copy that somebody undoes", () => {
  const copy = { source: sourceOf(), namespace: "one", step: { kind: "create" } } as const;

  test("are made at once three times in a row, and then with growing pauses; new content never waits", () => {
    const pace = new CopyPace();
    const pauses = [0, 1, 2, 3, 4].map((second) => {
      const pause = pace.pauseBefore(copy, second);
      if (pause === 0) pace.noteWrite(copy, second);
      return pause;
    });

    assert.deepEqual(pauses, [0, 0, 0, 0, 999]);
    assert.equal(pace.pauseBefore({ ...copy, source: { ...copy.source, mark: "new" } }, 5), 0);
  });
});
