import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type WideParameter, wideParameters } from "./parameter-objects.ts";

/** The most fields that a parameter object may have. A larger object must be divided into parts with a meaning of their own. */
const MOST = 8;

/** The remaining exceptions: number of fields by type. The list must not get longer, and no number may increase. */
const LEFT: Readonly<Record<string, number>> = {};

const PLANTED = "test/unit/planted/wide-parameters.ts";

function typesOf(found: readonly WideParameter[]): Readonly<Record<string, number>> {
  return Object.fromEntries(found.map(({ type, fields }) => [type, fields]));
}

describe("an object that a function is handed whole", () => {
  const wide = wideParameters(`{src/**/*.ts,${PLANTED}}`, MOST);

  test("has eight fields at most, unless it only says something or is a service", () => {
    const found = wide.filter(({ file }) => file !== PLANTED);
    assert.deepEqual(typesOf(found), LEFT, found.map(({ file, type, fields }) => `${file} is handed ${type}: ${fields} fields`).join("\n"));
  });

  test("is found where it has more (control)", () => {
    const planted = wide.filter(({ file }) => file === PLANTED);
    assert.deepEqual(
      planted.map(({ type, fields }) => `${type.split(/\W/)[0]}: ${fields}`),
      ["Nine: 9", "Tenth: 10", ": 10"],
    );
  });
});
