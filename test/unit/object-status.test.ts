import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { mountedVersions } from "../../src/domain/sync/mounted-versions.ts";
import { type FoundObject, heldObjects, objectStatuses, summarizeObjects } from "../../src/domain/sync/object-status.ts";
import type { ClassStatus, ObjectStatus } from "../../src/domain/sync/status-fields.ts";
import { foundObjects } from "../../src/sync/vault/check-named-objects.ts";
import { historyVersions } from "../../src/sync/vault/version-check.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const MADE = Date.UTC(2026, 0, 1, 11);
const [now, made, earlier] = ["2026-01-01T12:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T09:00:00Z"];
const CHECKED = Date.UTC(2026, 0, 1, 10);
const [VAULT, OTHER] = ["https://one.vault.azure.net", "https://two.vault.azure.net"];

const found = (differs: Partial<FoundObject> = {}): FoundObject => ({
  object: "secret/a",
  vault: VAULT,
  version: "2",
  updated: "2026-01-01T11:30:00Z",
  created: MADE,
  isPinned: false,
  ...differs,
});
const stored = (differs: Partial<ObjectStatus> = {}): ObjectStatus => ({
  object: "secret/a",
  vault: VAULT,
  version: "1",
  since: earlier,
  ...differs,
});

describe("R18-12: of two entries of one object", () => {
  const pinned = found({ isPinned: true, version: "2" });
  const before = [stored({ version: "3", since: made }), stored({ version: "2", since: earlier })];
  const sinces = (objects: readonly FoundObject[]) =>
    objectStatuses(objects, { stored: before, checked: CHECKED, now: NOW }).map(({ version, since }) => [version, since]);

  test("one that is set back to the version of the other has it from now on", () => {
    assert.deepEqual(sinces([pinned, pinned]), [
      ["2", earlier],
      ["2", now],
    ]);
  });

  test("each keeps its past while nothing changes, in any order", () => {
    const latest = found({ version: "3" });
    assert.deepEqual(sinces([latest, pinned]), [
      ["3", made],
      ["2", earlier],
    ]);
    assert.deepEqual(sinces([pinned, latest]), [
      ["2", earlier],
      ["3", made],
    ]);
  });
});

describe("since when a pod gets the version of an object that it mounts", () => {
  const gone: ObjectStatus = { object: "secret/a", vault: VAULT, state: "ObjectNotFound" };
  const rows: readonly (readonly [string, FoundObject, readonly ObjectStatus[] | undefined, string | undefined])[] = [
    ["is when the vault made it, at first sight", found(), undefined, made],
    ["is when it last changed, where the vault says no more", found({ created: undefined }), undefined, "2026-01-01T11:30:00Z"],
    ["is not known of one that the class names, at first sight", found({ isPinned: true }), undefined, undefined],
    ["stays while the version does", found(), [stored({ version: "2" })], earlier],
    ["stays over an edit that leaves vault and version", found({ isPinned: true }), [stored({ version: "2" })], earlier],
    ["is when the vault made it, after a rotation", found(), [stored()], made],
    [
      "is when the vault made it, a little before a check to which it was not shown yet",
      found({ created: CHECKED - 5_000 }),
      [stored()],
      "2026-01-01T09:59:55Z",
    ],
    ["is now where the class names another version", found({ isPinned: true }), [stored()], now],
    ["is now where the class names no version any more", found({ created: CHECKED - 3_600_000 }), [stored({ version: "1" })], now],
    ["R18-3: is now where the class names another vault", found(), [stored({ vault: OTHER })], now],
    ["R18-3: is now where another vault calls its version the same", found(), [stored({ vault: OTHER, version: "2" })], now],
    ["R18-3: is now where that was answered by a refusal first", found(), [stored({ vault: OTHER, state: "Forbidden" })], now],
    ["R18-3: is now where nobody knows of which vault the one before is", found(), [{ object: "secret/a", version: "2" }], now],
    ["R18-5: is now where the one before was made later", found({ created: MADE }), [stored({ since: "2026-01-01T11:30:00Z" })], now],
    [
      "R18-5: is now where it was made well before a check that found another one",
      found({ created: CHECKED - 120_000 }),
      [stored({ since: "2026-01-01T08:00:00Z" })],
      now,
    ],
    [
      "R18-5: is now where the vault says nothing of its time",
      found({ created: undefined, updated: "2026-01-01T08:30:00Z" }),
      [stored()],
      now,
    ],
    ["is now where the object is new in the class", found(), [stored({ object: "secret/b" })], now],
    ["is when the vault made it where it gave none before", found({ created: CHECKED - 120_000 }), [gone], "2026-01-01T09:58:00Z"],
    ["is that of the entry with the version, of two of one name", found(), [stored(), stored({ version: "2", since: made })], made],
  ];
  for (const [what, object, before, since] of rows) {
    test(what, () => {
      const [status] = objectStatuses([object], { stored: before, checked: CHECKED, now: NOW });

      assert.deepEqual([status?.vault, status?.version, status?.since, status?.state], [VAULT, "2", since, undefined]);
    });
  }

  test("R18-5: goes by what was stored alone where nobody knows of a check", () => {
    const since = (created: number) => objectStatuses([found({ created })], { stored: [stored()], now: NOW })[0]?.since;
    assert.deepEqual([since(MADE), since(Date.UTC(2026, 0, 1, 8))], [made, now]);
  });
});

describe("since when a pod gets the versions of a history", () => {
  const DAY = 86_400_000;
  const day = (of: number): number => Date.UTC(2026, 0, of);
  const HISTORY: ClassObject = {
    path: "db",
    type: "secret",
    name: "db",
    version: undefined,
    history: 2,
    format: "pem",
    encoding: "utf-8",
    filePermission: "",
  };
  const MADE_ON = { v1: 1, v2: 2, v3: 10, v4: 20 };

  /** What a check on that day finds, where the vault has these versions enabled. */
  function check(enabled: readonly (keyof typeof MADE_ON)[], on: number, before?: readonly ObjectStatus[]): readonly ObjectStatus[] {
    const listed = enabled.map((version) => ({ version, isEnabled: true, created: day(MADE_ON[version]) }));
    const versions = historyVersions(HISTORY, listed);
    const objects = foundObjects(VAULT, [HISTORY], () => ({ kind: "found", versions, at: day(on) }));
    return objectStatuses(objects, { stored: before, checked: before && day(on) - DAY, now: day(on) });
  }
  const reported = (objects: readonly ObjectStatus[]) => objects.map(({ version, since }) => `${version} ${since?.slice(8, 10)}`);

  test("R18-5: is now where the newest one was disabled, and once more where it is enabled again", () => {
    const whole = check(["v1", "v2", "v3"], 11);
    assert.deepEqual(reported(whole), ["v3 10", "v2 10", "v1 10"]);
    const disabled = check(["v1", "v2"], 15, whole);
    assert.deepEqual(reported(disabled), ["v2 15", "v1 15"]);
    const enabled = check(["v1", "v2", "v3"], 18, disabled);
    assert.deepEqual(reported(enabled).slice(0, 2), ["v3 18", "v2 18"]);
  });

  test("R18-5: is now where one in its middle was disabled, of those behind it", () => {
    assert.deepEqual(reported(check(["v1", "v3"], 15, check(["v1", "v2", "v3"], 11))), ["v3 10", "v1 15"]);
  });

  test("R18-5: is now where one was made disabled, and enabled after a check", () => {
    assert.deepEqual(reported(check(["v1", "v2", "v3"], 15, check(["v1", "v2"], 11))).slice(0, 1), ["v3 15"]);
  });

  test("is when the vault made the newest one, which moved the others on", () => {
    assert.deepEqual(reported(check(["v1", "v2", "v3", "v4"], 20, check(["v1", "v2", "v3"], 11))), ["v4 20", "v3 20", "v2 20"]);
  });
});

describe("an object that the vault does not give", () => {
  const missing = { object: "secret/a", vault: VAULT, isPinned: false, state: "ObjectNotFound", message: "not there" } as const;

  test("keeps what is known of it, and says why", () => {
    const held = stored({ vault: OTHER });
    const statuses = objectStatuses([missing], { stored: [held], now: NOW });
    assert.deepEqual(statuses, [{ ...held, state: "ObjectNotFound", message: "not there" }]);
    assert.deepEqual(heldObjects(statuses, { reason: "Unreachable" }), [{ ...held, state: "Unreachable" }]);
    assert.equal(heldObjects(undefined, { reason: "Unreachable" }), undefined, "nothing was ever known");
  });

  test("makes the class's reason, alone or with the others", () => {
    const failing = objectStatuses([missing], { stored: undefined, now: NOW });
    assert.equal(summarizeObjects(failing).reason, "ObjectNotFound");
    const reported = summarizeObjects([...failing, stored()]);
    assert.deepEqual(reported, { reason: "PartialSync", message: "1 of its 2 objects are not available; secret/a: not there" });
    assert.equal(summarizeObjects([stored()]).reason, "Synced");
  });

  test("leaves room in the status, however many there are", () => {
    const many = Array.from({ length: 2_000 }, (_, index) => ({ ...missing, object: `secret/${index}`, message: "m".repeat(4_000) }));
    const statuses = objectStatuses(many, { stored: undefined, now: NOW });
    assert.equal(statuses.length, 2_000);
    assert.ok(JSON.stringify(statuses).length < 400_000);
    const [one, ...others] = objectStatuses([...many, missing], { stored: undefined, now: NOW });
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
  const of = (reported: ClassStatus | undefined) => mountedVersions("files", { generation: 1, status: reported });

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
  for (const [what, reported] of open) test(`are not known ${what}`, () => assert.equal(of(reported).kind, "unknown"));

  test("are none where it names no objects", () => assert.equal(of(status([])).kind, "none"));
});
