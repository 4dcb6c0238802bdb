import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { itemsOf } from "../../src/cli/manifest/items.ts";
import { convertObjects } from "../../src/domain/convert/convert.ts";
import type { ConvertOptions } from "../../src/domain/convert/options.ts";
import type { PeerObject } from "../../src/domain/convert/peer-object.ts";
import { isJsonObject, type JsonObject } from "../../src/domain/json-object.ts";

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/convert");
const OPTIONS: ConvertOptions = {
  tenantId: "0b0b0b0b-1111-2222-3333-444444444444",
  clientId: undefined,
  serviceAccount: undefined,
  identityId: undefined,
  isPartial: false,
  isAdopting: false,
};

/** The objects of each file of manifests. */
const FILES = globSync("*/*.yaml", { cwd: FOLDER })
  .sort()
  .map((file) => readManifests(file, readFileSync(path.join(FOLDER, file), "utf8")).documents.flatMap(itemsOf));

const peer = ({ object, kind, name, namespace }: PeerObject): PeerObject => ({ object, kind, name, namespace });

type Step = string | number;

/** Returns the path to each value of an object. */
function pathsIn(value: unknown): readonly (readonly Step[])[] {
  const members: readonly (readonly [Step, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : isJsonObject(value)
      ? Object.entries(value)
      : [];
  return members.flatMap(([step, inner]) => [[step], ...pathsIn(inner).map((rest) => [step, ...rest])]);
}

function withValue(value: unknown, [step, ...rest]: readonly Step[], put: unknown): unknown {
  if (step === undefined) return put;
  if (Array.isArray(value)) return value.map((inner: unknown, index) => (index === step ? withValue(inner, rest, put) : inner));
  return isJsonObject(value) ? { ...value, [step]: withValue(value[step], rest, put) } : value;
}

/** A file of manifests with one value of one object replaced. */
const edited = fc
  .tuple(
    fc.constantFrom(...FILES),
    fc.nat(),
    fc.nat(),
    fc.oneof(fc.jsonValue(), fc.constantFrom("constructor", "__proto__", -1, 1e12, "{{", "a/b/c")),
  )
  .map(([items, which, where, put]) => {
    const at = which % items.length;
    return items.map((item, index) => {
      if (index !== at) return peer(item);
      const paths = pathsIn(item.object).filter(([first]) => first === "spec");
      const found = paths[where % Math.max(1, paths.length)];
      return { ...peer(item), object: found === undefined ? item.object : (withValue(item.object, found, put) as JsonObject) };
    });
  });

describe("objects of peers, whatever their authors wrote", () => {
  test("are converted or named, never both and never neither", () => {
    fc.assert(
      fc.property(edited, (objects) => {
        const { outcomes, remarks } = convertObjects(objects, OPTIONS);
        for (const { from, isConverted } of outcomes.filter(
          ({ from }) => from.kind !== "SecretSync" && from.kind !== "SecretProviderClass",
        )) {
          const isNamed = remarks.some(({ on, severity }) => on === from && severity === "error");
          assert.notEqual(isConverted, isNamed, `${from.kind}/${from.name}`);
        }
      }),
    );
  });

  test("become classes that are converted to themselves", () => {
    fc.assert(
      fc.property(edited, (objects) => {
        const { classes } = convertObjects(objects, OPTIONS);
        const again = convertObjects(
          classes.map((object) => ({
            object,
            kind: "SecretProviderClass",
            ...(object["metadata"] as { name: string; namespace: string | undefined }),
          })),
          OPTIONS,
        );

        assert.deepEqual(again.classes, classes);
        assert.deepEqual(again.remarks, []);
      }),
    );
  });
});
