import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { type ClassSnapshot, classSnapshotOf } from "../../src/domain/healing/snapshot.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { keyOf, objectKey } from "../../src/domain/object-key.ts";
import { LostClasses } from "../../src/sync/classes/lost-classes.ts";
import type { GateState } from "../../src/sync/healing/crd-health.ts";
import { classOf } from "../support/simulation/world.ts";

let classes: Map<string, SecretProviderClass>;
let snapshots: Map<string, ClassSnapshot>;
let state: GateState;
/** Number of searches in the snapshots. */
let searches: number;

const whole = (crdUid: string): GateState => ({ kind: "whole", crdUid, crdGeneration: 1 });

function lostClasses(...heal: readonly ("classes" | "components")[]): LostClasses {
  return new LostClasses({ heal }, () => ({
    classes: { get: (ref) => classes.get(objectKey(ref)) },
    snapshots: {
      keys: () => {
        searches += 1;
        return [...snapshots.keys()];
      },
      get: (key) => snapshots.get(key),
    },
    crdHealth: {
      get state() {
        return state;
      },
    },
  }));
}

/** A class with a snapshot under the first CRD. */
function given(name: string): SecretProviderClass {
  const spc = classOf({ namespace: "team", name, objects: ["db"] });
  classes.set(keyOf(spc), spc);
  snapshots.set(keyOf(spc), classSnapshotOf(spc, { crdUid: "first", crdGeneration: 1 }));
  return spc;
}

const names = (lost: LostClasses): readonly string[] => Array.from(lost.list(), ({ metadata }) => metadata.name);

describe("S20: a class that was lost with its CRD", () => {
  beforeEach(() => {
    [classes, snapshots, state, searches] = [new Map(), new Map(), whole("first"), 0];
  });

  test("is known until it is restored, with the spec of its snapshot", () => {
    const lost = lostClasses("classes");
    const one = given("one");
    given("two");
    assert.deepEqual(names(lost), []);
    classes.delete("team/one");
    lost.note({ previous: one, current: undefined });
    assert.deepEqual(names(lost), [], "under the same CRD, its owner deleted it");
    state = { kind: "frozen", why: "the CRD is absent" };
    assert.deepEqual(names(lost), []);
    state = whole("second");
    assert.deepEqual(
      Array.from(lost.list(), ({ spec }) => spec),
      [one.spec],
    );
    classes.set("team/one", one);
    assert.deepEqual(names(lost), []);
  });

  test("is known to a leader that began after the loss", () => {
    given("one");
    classes.clear();
    state = whole("second");
    assert.deepEqual(names(lostClasses("classes")), ["one"]);
  });

  test("is not looked for if the worker does not restore classes", () => {
    given("one");
    classes.clear();
    state = whole("second");
    assert.deepEqual(names(lostClasses("components")), []);
    assert.equal(searches, 0);
  });

  test("is looked for again only after a class has disappeared", () => {
    const lost = lostClasses("classes");
    const one = given("one");
    for (let times = 0; times < 3; times += 1) assert.deepEqual(names(lost), []);
    assert.equal(searches, 1);
    lost.note({ previous: undefined, current: one });
    assert.deepEqual(names(lost), []);
    assert.equal(searches, 1);
    classes.clear();
    state = whole("second");
    lost.note({ previous: one, current: undefined });
    for (let times = 0; times < 2; times += 1) assert.deepEqual(names(lost), ["one"]);
  });

  test("is not yielded if it is restored during the search", () => {
    const [one, two] = [given("one"), given("two")];
    classes.clear();
    state = whole("second");
    const found = lostClasses("classes").list();
    assert.equal(found.next().value?.metadata.name, one.metadata.name);
    classes.set("team/two", two);
    assert.equal(found.next().done, true);
  });
});
