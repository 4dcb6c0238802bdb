import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type WideParameter, wideParameters } from "./parameter-objects.ts";

/** Fields that a function is handed whole: what has more is parts, each by its meaning. */
const MOST = 8;

/** By the type, the fields of those that are left: none may come, and none may grow. */
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
