import assert from "node:assert/strict";
import { describe, test } from "node:test";

import fc from "fast-check";

import { DerivationBudget } from "../../src/domain/derivation-budget.ts";
import { evaluateAll } from "../../src/domain/secret-data/evaluate.ts";
import { FUNCTIONS } from "../../src/domain/secret-data/functions.ts";
import { parseExpression } from "../../src/domain/secret-data/parse-expression.ts";
import { secretDataOf } from "../../src/domain/secret-data/read-secret-data.ts";
import { pki } from "../../src/pki/pki.ts";
import { certificate, key } from "../support/fixtures/expression-files.ts";

/** In every value, in whatever form a message could quote it. */
const CANARY = "kanari7";
const FORMS = [CANARY, Buffer.from(CANARY).toString("base64").slice(0, 8), Buffer.from(CANARY).toString("hex")];

const texts = ["a", "a.b", "[0]", '["x"].y', "x", "Server", "https://npm.example.com/"];
const quotedText = fc
  .oneof({ weight: 9, arbitrary: fc.constantFrom(...texts) }, { weight: 1, arbitrary: fc.string({ maxLength: 8 }) })
  .map((text) => JSON.stringify(text));
const file = fc.constantFrom("db", "yaml", "tls", "binary", "empty", "broken");
const MOST = 6;

const { call } = fc.letrec<{ expression: string; call: string }>((tie) => ({
  expression: fc.oneof({ maxDepth: 4 }, file, quotedText, tie("call")),
  call: fc
    .tuple(
      fc.constantFrom(...FUNCTIONS),
      fc.boolean(),
      fc.array(fc.tuple(tie("expression"), quotedText), { minLength: MOST, maxLength: MOST }),
    )
    .map(([{ name, parameters, repeated = 0 }, isLong, given]) => {
      const wanted = parameters.filter(({ isOptional }) => isLong || isOptional !== true);
      if (isLong) wanted.push(...parameters.slice(parameters.length - repeated));
      return `${name}(${wanted.map(({ isText }, index) => given[index]?.[isText ? 1 : 0] ?? "db").join(", ")})`;
    }),
}));

const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify({ a: CANARY, "a.b": [CANARY], x: value }));
const values = fc.record({
  db: fc.oneof(json, fc.constant(`{"a": {"b": "${CANARY}"}, "x": {"y": ["${CANARY}"]}}`)).map((text) => Buffer.from(text)),
  yaml: fc.string({ maxLength: 30 }).map((text) => Buffer.from(`a: ${CANARY}\nb: ${text}\n`)),
  tls: fc.constant(Buffer.from(`${key}${certificate(CANARY)}${certificate("root")}`)),
  binary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.concat([Buffer.from(CANARY), bytes])),
  empty: fc.constant(Buffer.alloc(0)),
  broken: fc.string({ unit: "binary", maxLength: 40 }).map((text) => Buffer.from(`{"${CANARY}": [${text}`)),
});

describe("expressions, property", () => {
  test("10,000 random values and expressions give a value or an error without a word of a value, and the same again", () => {
    let evaluated = 0;
    let made = 0;
    fc.assert(
      fc.property(call, values, (text, files) => {
        const parsed = parseExpression(text);
        if (!parsed.ok) return;
        const input = { files: new Map(Object.entries(files)), pki, saltKey: new Uint8Array(32) };
        const [value] = evaluateAll([text], { ...input, budget: new DerivationBudget() });
        const [again] = evaluateAll([text], { ...input, budget: new DerivationBudget() });
        assert.ok(value);
        assert.deepEqual(again, value);
        evaluated += 1;
        if (value.ok) made += 1;
        else for (const form of FORMS) assert.ok(!value.error.message.includes(form), value.error.message);
      }),
      { numRuns: 10_000, seed: 19 },
    );
    // Else the errors alone would be looked at, or nothing.
    assert.ok(evaluated > 5_000 && made > 1_000 && evaluated - made > 1_000, `${evaluated} evaluated, ${made} made`);
  });

  test("a message that quoted a value would be found", () => {
    const [value] = evaluateAll([`upper(${CANARY})`], {
      files: new Map(),
      pki,
      budget: new DerivationBudget(),
      saltKey: new Uint8Array(32),
    });
    assert.ok(value !== undefined && !value.ok);
    const reported = `${value.error.message} ${Buffer.from(CANARY).toString("base64")} ${CANARY}`;
    assert.deepEqual(
      FORMS.map((form) => reported.includes(form)),
      [true, true, false],
    );
  });

  test("any text is an expression or a problem with a place in it", () => {
    const piece = fc.oneof(
      fc.constantFrom("(", ")", ",", '"', "\\", "property", "join", "db", " ", "object("),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
        (text) => {
          const parsed = parseExpression(text);
          if (!parsed.ok) assert.ok(parsed.error.at >= 1 && parsed.error.at <= text.length + 1 && parsed.error.hint !== "");
        },
      ),
      { numRuns: 5_000, seed: 20 },
    );
  });

  test("any parameter is read, or refused by a problem that names it", () => {
    const piece = fc.oneof(
      fc.constantFrom("app:", "\n", "  ", "key: ", "upper(db)", "- ", "{", "}", "&a", "*a", "'"),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 10 }).map((pieces) => pieces.join("")),
        (secretData) => {
          const read = secretDataOf({ provider: "azure", parameters: { secretData } });
          if (!read.ok) assert.ok(read.error.field.startsWith("spec.parameters.secretData") && read.error.isLimit === true);
        },
      ),
      { numRuns: 5_000, seed: 21 },
    );
  });
});
