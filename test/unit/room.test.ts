import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KubeObject, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { type HeldClass, heldClass, MAX_CLASS_PARTS, wholeClass } from "../../src/domain/provider-class/held-class.ts";
import { ALL_CLASSES_BYTES, NAMESPACE_BYTES, Room } from "../../src/sync/room.ts";

const MIB = 1_048_576;

/** A class with this number of additional parameters, each of which is also in its managedFields. */
function classWith(keys: number): KubeObject {
  const names = Array.from({ length: keys }, (_, index) => `p${index}`);
  const fields = Object.fromEntries(names.map((name) => [`f:${name}`, {}]));
  const provider: SecretProviderClass = {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "team", name: "app", managedFields: [{ manager: "kubectl", fieldsV1: fields }] },
    spec: { provider: "azure", parameters: Object.fromEntries(names.map((name) => [name, ""])) },
  };
  return provider;
}

const held = (object: KubeObject): HeldClass => heldClass(object, () => true);

describe("a class as the worker holds it", () => {
  test("B-15: has its managedFields as one text, and is whole again from it", () => {
    const provider = classWith(100);
    assert.equal(held(provider).metadata.managedFields, undefined);
    assert.deepEqual(wholeClass(held(provider)), provider);
  });

  test("B-15: is not held with so many values that they take many times their characters", () => {
    assert.equal(held(classWith(26_000)).excess, "parts");
    assert.equal(held(classWith(MAX_CLASS_PARTS - 100)).excess, undefined);
  });

  test("B-15: counts for each of its values, and twice where its text is not Latin-1", () => {
    const bytesOf = (object: KubeObject): number => {
      let asked = 0;
      heldClass(object, (bytes) => {
        asked = bytes;
        return true;
      });
      return asked;
    };
    const [one, more] = [classWith(1), classWith(1_001)];
    assert.ok(bytesOf(more) - JSON.stringify(more).length > 64_000);
    const wide = { ...one, metadata: { ...one.metadata, annotations: { note: "€".repeat(100_000) } } };
    const narrow = { ...one, metadata: { ...one.metadata, annotations: { note: "e".repeat(100_000) } } };
    assert.ok(bytesOf(wide) > bytesOf(narrow) + 100_000);
  });
});

describe("room for large classes", () => {
  const roomOf = (onRoom: (key: string) => void): Room => new Room({ allBytes: ALL_CLASSES_BYTES, onRoom });
  const take = (room: Room, classKey: string, bytes: number, uid = classKey): boolean => room.take(classKey, { uid, bytes });
  const fill = (room: Room, namespace: string, count: number): number =>
    Array.from({ length: count }, (_, index) => take(room, `${namespace}/c${index}`, MIB)).filter(Boolean).length;

  test("B-15: is bounded for a namespace, whose small classes need none", () => {
    const room = roomOf(() => undefined);
    assert.equal(fill(room, "team", 63), NAMESPACE_BYTES / MIB);
    assert.equal(take(room, "team/small", 32_768), true);
    assert.equal(take(room, "other/large", MIB), true);
  });

  test("B-15: is left to a further namespace by however many that fill theirs", () => {
    const room = roomOf(() => undefined);
    let all = 0;
    for (let index = 0; index < 20; index++) all += fill(room, `many-${index}`, 63);
    assert.ok(all > 64 && all < 96, `${all} MiB`);
    assert.equal(take(room, "other/large", 500_000), true);
    for (let index = 0; index < 100; index++) take(room, `another-${index}/large`, 500_000);
    assert.equal(take(room, "last/large", 500_000), true, "also where nothing is left");
    assert.equal(take(room, "last/more", 500_000), false);
  });

  test("B-15: stays with those that have it, and what becomes free goes to the first that waits and fits", () => {
    const heard: string[] = [];
    const room = roomOf((key) => heard.push(key));
    fill(room, "team", 18);
    assert.equal(take(room, "team/c3", MIB), true, "as it is listed anew");
    assert.equal(take(room, "team/c16", MIB), false);

    room.leave("team/c5");

    assert.deepEqual(heard, ["team/c16"]);
    assert.equal(room.has("team/c16"), true);
    assert.equal(take(room, "team/c3", 20_000), true);
    assert.deepEqual(heard, ["team/c16", "team/c17"], "also where a class becomes smaller");
  });

  test("B-15: is not kept for a class that is gone", () => {
    const heard: string[] = [];
    const room = roomOf((key) => heard.push(key));
    fill(room, "team", 18);
    for (let index = 0; index < 18; index++) room.leave(`team/c${index}`);
    assert.equal(fill(room, "other-name", 16), 16);
    assert.equal(fill(room, "team", 16), 16);
  });

  test("C-1: is kept however often a class is listed again, and whatever others have taken since", () => {
    const heard: string[] = [];
    const room = roomOf((key) => heard.push(key));
    const keys = ["a", "b", "c", "d", "e", "f", "g"].flatMap((namespace) =>
      Array.from({ length: 16 }, (_, index) => `${namespace}/c${index}`),
    );
    const first = keys.filter((key) => take(room, key, MIB));
    assert.ok(first.length > 64 && first.length < keys.length, `${first.length} MiB`);

    for (let list = 0; list < 3; list++)
      assert.deepEqual(
        keys.filter((key) => take(room, key, MIB)),
        first,
      );

    assert.deepEqual(heard, []);
  });

  test("C-1: is kept by a class that has an annotation more, and not by one that grows and grows", () => {
    const room = roomOf(() => undefined);
    for (const namespace of ["team", "b", "c", "d", "e", "f", "g"]) fill(room, namespace, 16);
    assert.equal(take(room, "team/c3", MIB + 2_000), true);
    assert.equal(take(room, "team/c3", MIB), true, "and without it");

    const sizes = Array.from({ length: 10 }, (_, index) => MIB + (index + 1) * 16_384);
    assert.deepEqual(
      sizes.map((bytes) => take(room, "team/c4", bytes)),
      sizes.map((bytes) => bytes <= (MIB * 17) / 16),
    );
  });

  test("C-2: is that of a name, whose object of before may be reported gone when the next one has it", () => {
    const heard: string[] = [];
    const room = roomOf((key) => heard.push(key));
    fill(room, "team", 18);
    assert.equal(take(room, "team/c5", MIB, "anew"), true);
    assert.equal(take(room, "team/c16", MIB, "anew"), false);

    room.leave("team/c5", "team/c5");
    room.leave("team/c16", "team/c16");

    assert.equal(room.has("team/c5"), true);
    assert.deepEqual(heard, []);
    room.leave("team/c5", "anew");
    assert.deepEqual(heard, ["team/c16"]);
  });
});
