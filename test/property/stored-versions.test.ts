import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { objectIdOf } from "../../src/domain/content/object-file.ts";
import { isMakerOf, makesFile } from "../../src/domain/content/version-history.ts";
import type { ClassObject } from "../../src/domain/provider-class/object-rules.ts";
import { heldKeys } from "../../src/domain/sync/key-status.ts";
import type { KeyStatus, SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { type Known, type KnownVersion, sourcesOf } from "../../src/sync/vault/known-files.ts";
import { StoredVersions } from "../../src/sync/vault/stored-versions.ts";

/** Only a few of each, so that collisions occur. */
const PATHS = ["a", "a.crt", "b", "h", ".", "h/0"];
const FILES = [...PATHS, "a.key", "0", "h/1", "h/0.crt", "1.key", "none"];
const NAMES = ["x", "y"];
const KEYS = ["k", "l"];

const anObject: fc.Arbitrary<ClassObject> = fc
  .record({ name: fc.constantFrom(...NAMES), path: fc.constantFrom(...PATHS), history: fc.constantFrom(0, 2) })
  .map((facts) => ({ ...facts, type: "secret", version: undefined, format: "pem", encoding: "utf-8", filePermission: "" }));

const aKey: fc.Arbitrary<KeyStatus> = fc.record({
  key: fc.constantFrom(...KEYS),
  object: fc.constantFrom(...NAMES.map((name) => `secret/${name}`), "secret/x/0"),
  version: fc.constantFrom("v1", "v2"),
});

const entries = fc.array(fc.record({ key: fc.constantFrom(...KEYS), objectName: fc.constantFrom(...FILES) }), { maxLength: 4 });

const secretObjects = fc.array(fc.record({ secretName: fc.constantFrom("s", "t"), data: entries }), { maxLength: 3 });

const storedSecrets: fc.Arbitrary<SecretStatus[]> = fc.array(
  fc.record({ name: fc.constantFrom("s", "t"), state: fc.constant("Synced" as const), data: fc.array(aKey, { maxLength: 4 }) }),
  { maxLength: 3 },
);

/** The facts about an object: its one version, the versions of its history, a failure, or nothing. */
function knownOf(object: ClassObject, kind: number): Known {
  if (kind === 0) return undefined;
  if (kind === 1) return { kind: "failed", failure: { object, reason: "ObjectNotFound", message: "", retry: { kind: "never" } }, at: 0 };
  const folder = object.path === "." ? "" : `${object.path}/`;
  const paths = object.history > 1 ? [`${folder}0`, `${folder}1`] : [object.path];
  const versions = paths.map((path, index) => ({ path, object: objectIdOf({ ...object, ...(object.history > 1 ? { index } : {}) }) }));
  return { kind: "found", versions: versions.map((version) => ({ ...version, version: "v1", isWhole: false })), at: 0 };
}

/** Searches in the order of a mount: of the objects that make the file, the last one counts. */
function sourceBySearch(known: ReadonlyMap<ClassObject, Known>, file: string, heldObject: string | undefined): KnownVersion | undefined {
  const isHeld = ({ object }: KnownVersion): boolean => heldObject === undefined || object === heldObject;
  for (const [object, state] of [...known].toReversed()) {
    if (!makesFile(object, file)) continue;
    if (state === undefined) return undefined;
    const versions = state.kind === "found" ? state.versions : [];
    const isPart = ({ path }: KnownVersion): boolean => file === `${path}.crt` || file === `${path}.key`;
    const found = versions.find(({ path }) => path === file) ?? versions.find((one) => isPart(one) && isHeld(one));
    if (found !== undefined) return found;
  }
  return undefined;
}

describe("an index over a class finds what a search of all finds", () => {
  test("of the object that a file is made from", () => {
    const facts = fc.array(fc.tuple(anObject, fc.nat(3)), { maxLength: 6 });
    fc.assert(
      fc.property(facts, fc.constantFrom(...FILES), fc.constantFrom(undefined, "secret/x", "secret/y", "secret/x/0"), (all, file, held) => {
        const known = new Map(all.map(([object, kind]) => [object, knownOf(object, kind)]));
        assert.equal(sourcesOf(known)(file, held), sourceBySearch(known, file, held));
      }),
      { numRuns: 2_000 },
    );
  });

  test("of the key that was made from an object", () => {
    fc.assert(
      fc.property(fc.array(anObject, { maxLength: 5 }), secretObjects, storedSecrets, (objects, secrets, stored) => {
        const versions = new StoredVersions({ objects, secretObjects: secrets, stored });
        for (const object of objects) {
          const id = objectIdOf(object);
          const found = secrets.flatMap(({ secretName, data }) => {
            const keys = stored.find(({ name }) => name === secretName)?.data ?? [];
            return data.flatMap(({ key: name, objectName }) => {
              const held = keys.find(({ key }) => key === name);
              const maker = objects.findLast((candidate) => objectIdOf(candidate) === id && makesFile(candidate, objectName));
              return held?.object === id && maker === object ? [held] : [];
            });
          });
          assert.equal(versions.keyMadeFrom(object), found[0]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("of the objects that files need", () => {
    fc.assert(
      fc.property(anObject, fc.array(fc.constantFrom(...FILES), { maxLength: 4 }), (object, files) => {
        assert.equal(
          isMakerOf(files)(object),
          files.some((file) => makesFile(object, file)),
        );
      }),
    );
  });

  test("of the key that a Secret holds, in their order where several are asked for, else the first", () => {
    fc.assert(
      fc.property(fc.array(aKey), fc.array(aKey), fc.boolean(), (found, stored, isNamed) => {
        const wanted = found.map(({ key, object, version }) =>
          isNamed && object !== undefined ? { key, object, version: "v9" } : { key, version: version ?? "" },
        );
        for (const [index, { version }] of heldKeys(wanted, stored).entries()) {
          const one = wanted[index];
          const isSame = (each: (typeof wanted)[number]): boolean =>
            each.key === one?.key && ("object" in each ? each.object : undefined) === ("object" in one ? one.object : undefined);
          const nth = wanted.slice(0, index).filter(isSame).length;
          const same = stored.filter(({ key, object }) => key === one?.key && (!("object" in one) || object === one.object));
          const held = same[nth] ?? same[0];
          assert.equal(version, held?.version);
        }
      }),
    );
  });
});
