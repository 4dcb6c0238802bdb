import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClassStatus } from "../../src/domain/sync/class-status.ts";
import { mountedVersions } from "../../src/domain/sync/mounted-versions.ts";
import { type FoundObject, heldObjects, type ObjectStatus, objectStatuses, summarizeObjects } from "../../src/domain/sync/object-status.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const MADE = Date.UTC(2026, 0, 1, 11);
const [now, made, earlier] = ["2026-01-01T12:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T09:00:00Z"];

const found = (differs: Partial<FoundObject> = {}): FoundObject => ({
  object: "secret/a",
  version: "2",
  updated: "2026-01-01T11:30:00Z",
  created: MADE,
  isPinned: false,
  ...differs,
});
const stored = (differs: Partial<ObjectStatus> = {}): ObjectStatus => ({ object: "secret/a", version: "1", since: earlier, ...differs });

describe("since when a pod gets the version of an object that it mounts", () => {
  const rows: readonly (readonly [string, FoundObject, readonly ObjectStatus[] | undefined, boolean, string | undefined])[] = [
    ["is when the vault made it, at first sight", found(), undefined, false, made],
    ["is when it last changed, where the vault says no more", found({ created: undefined }), undefined, false, "2026-01-01T11:30:00Z"],
    ["is not known of one that the class names, at first sight", found({ isPinned: true }), undefined, false, undefined],
    ["stays while the version does", found(), [stored({ version: "2" })], false, earlier],
    ["stays over an edit that leaves the version", found({ isPinned: true }), [stored({ version: "2" })], true, earlier],
    ["is when the vault made it, after a rotation", found(), [stored()], false, made],
    ["is now where the class names another version", found({ isPinned: true }), [stored()], true, now],
    ["is now where the class was edited, which may name another vault", found(), [stored()], true, now],
    ["is now where the edit was answered by a refusal first", found(), [stored({ ofOlderClass: true, state: "Forbidden" })], false, now],
    ["is now where the object is new in the class", found(), [stored({ object: "secret/b" })], false, now],
    ["is when the vault made it where it gave none before", found(), [{ object: "secret/a", state: "ObjectNotFound" }], false, made],
    ["is that of the entry with the version, of two of one name", found(), [stored(), stored({ version: "2", since: made })], false, made],
  ];
  for (const [what, object, before, isEdited, since] of rows) {
    test(what, () => {
      const [status] = objectStatuses([object], { stored: before, isEdited, now: NOW });

      assert.deepEqual([status?.version, status?.since, status?.state], ["2", since, undefined]);
    });
  }
});

describe("an object that the vault does not give", () => {
  const missing = { object: "secret/a", isPinned: false, state: "ObjectNotFound", message: "not there" } as const;

  test("keeps what is known of it, and says why", () => {
    const statuses = objectStatuses([missing], { stored: [stored()], isEdited: true, now: NOW });
    assert.deepEqual(statuses, [{ ...stored(), ofOlderClass: true, state: "ObjectNotFound", message: "not there" }]);
    assert.deepEqual(heldObjects({ stored: [stored()], isEdited: false }, { reason: "Unreachable" }), [
      { ...stored(), state: "Unreachable" },
    ]);
    assert.equal(heldObjects({ stored: undefined, isEdited: false }, { reason: "Unreachable" }), undefined, "nothing was ever known");
  });

  test("makes the class's reason, alone or with the others", () => {
    const failing = objectStatuses([missing], { stored: undefined, isEdited: false, now: NOW });
    assert.equal(summarizeObjects(failing).reason, "ObjectNotFound");
    const told = summarizeObjects([...failing, stored()]);
    assert.deepEqual(told, { reason: "PartialSync", message: "1 of its 2 objects cannot be had; secret/a: not there" });
    assert.equal(summarizeObjects([stored()]).reason, "Synced");
  });

  test("leaves room in the status, however many there are", () => {
    const many = Array.from({ length: 2_000 }, (_, index) => ({ ...missing, object: `secret/${index}`, message: "m".repeat(4_000) }));
    const statuses = objectStatuses(many, { stored: undefined, isEdited: false, now: NOW });
    assert.equal(statuses.length, 2_000);
    assert.ok(JSON.stringify(statuses).length < 400_000);
    const [one, ...others] = objectStatuses([...many, missing], { stored: undefined, isEdited: false, now: NOW });
    assert.deepEqual([one?.state, others], ["TooLarge", []], "of a part of them nothing is concluded");
  });
});

describe("the versions of a class that mirrors nothing", () => {
  const status = (objects: readonly ObjectStatus[] | undefined, generation = 1): ClassStatus => ({
    observedClassGeneration: generation,
    conditions: [],
    syncedSecrets: 0,
    desiredSecrets: 0,
    secrets: [],
    ...(objects === undefined ? {} : { objects }),
  });
  const of = (told: ClassStatus | undefined) => mountedVersions("files", { generation: 1, status: told });

  test("are all that its status says, each with its version, since the youngest came", () => {
    const versions = of(status([stored(), stored({ object: "secret/b", since: made }), stored({ object: "secret/c", version: "3" })]));
    assert.ok(versions.kind === "known");
    assert.equal(versions.mounted.since, MADE);
    assert.deepEqual(versions.mounted.objects, ["secret/a@1", "secret/b@1", "secret/c@3"]);
  });

  const open: readonly (readonly [string, ClassStatus | undefined])[] = [
    ["without a status", undefined],
    ["before its objects were looked at", status(undefined)],
    ["of the class before an edit", status([stored()], 2)],
    ["while the vault does not give one of them", status([stored(), stored({ object: "secret/b", state: "Unreachable" })])],
    ["while one was never known", status([{ object: "secret/a" }])],
  ];
  for (const [what, told] of open) test(`are not known ${what}`, () => assert.equal(of(told).kind, "unknown"));

  test("are none where it names no objects", () => assert.equal(of(status([])).kind, "none"));
});
