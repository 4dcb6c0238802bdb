import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { parseEnv } from "node:util";

import fc from "fast-check";

import { DerivationBudget } from "../../src/domain/derivation-budget.ts";
import { evaluateAll } from "../../src/domain/secret-data/evaluate.ts";
import { pki } from "../../src/pki/pki.ts";

function made(text: string, files: Readonly<Record<string, string>>): string {
  const bytes = new Map(Object.entries(files).map(([name, value]) => [name, Buffer.from(value)]));
  const [value] = evaluateAll([text], { files: bytes, pki, budget: new DerivationBudget(), saltKey: new Uint8Array(32) });
  assert.ok(value);
  return value.ok ? Buffer.from(value.value).toString() : `! ${value.error.message}`;
}

const DIFFERENT =
  "member 1 has quotation marks, backslashes, or dollar signs that shells and other readers of such files interpret differently";

describe("dotenv", () => {
  const folder = mkdtempSync(join(tmpdir(), "dotenv-"));
  after(() => rmSync(folder, { recursive: true }));

  test("writes each member of a mapping, in quotation marks where it needs them", () => {
    const value = JSON.stringify({ HOST: "db.example.com:5432", PASSWORD: "a b$ c", OWNER: "it's", EMPTY: null, PORT: 5432, TAGS: ["a"] });
    assert.equal(
      made("dotenv(app)", { app: value }),
      "HOST=db.example.com:5432\nPASSWORD='a b$ c'\nOWNER=\"it's\"\nEMPTY=\nPORT=5432\nTAGS='[\"a\"]'\n",
    );
    assert.equal(made("dotenv(app)", { app: "A: one\nB: two words\n" }), "A=one\nB='two words'\n");
  });

  for (const [why, value, error] of [
    ["a list", "[1]", "it is not a mapping of names to values"],
    ["a text", "hello", "it is not a mapping of names to values"],
    ["a name with a hyphen", '{"A": "1", "b-c": "2"}', "member 2 has an invalid variable name"],
    ["both kinds of quotation marks", `{"A": "'\\""}`, DIFFERENT],
    ["a variable that some readers put in", '{"A": "a${HOME}b"}', DIFFERENT],
    ["a variable without braces", '{"A": "a$HOME"}', DIFFERENT],
    ["a backslash before a dollar sign", String.raw`{"A": "a\\$ b"}`, DIFFERENT],
    ["a carriage return", String.raw`{"A": "x\r\ny"}`, DIFFERENT],
    ["a null character", '{"A": "\\u0000"}', "member 1 contains a null character"],
  ] as const) {
    test(`refuses ${why}`, () => assert.equal(made("dotenv(app)", { app: value }), `! dotenv at character 1: ${error}`));
  }

  test("is read by a shell, and by Node, as it was meant, or refused", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", " ", "'", '"', "$", "`", "\\", "\n", "#", "=", "!", "é", "~", "*", "&", ";"),
      maxLength: 6,
    });
    const values = fc.sample(text, { numRuns: 200, seed: 7 });
    const lines: string[] = [];
    const expected: string[] = [];
    for (const [index, value] of values.entries()) {
      const line = made("dotenv(app)", { app: JSON.stringify({ [`V${index}`]: value }) });
      if (line.startsWith("!")) continue;
      assert.equal(parseEnv(line)[`V${index}`], value);
      lines.push(line, `printf '%s\\0' "$V${index}"\n`);
      expected.push(value);
    }
    const script = join(folder, "script.sh");
    writeFileSync(script, lines.join(""));
    assert.ok(expected.length > 80, `${expected.length} of 200 could be written`);
    assert.deepEqual(execFileSync("bash", [script]).toString().split("\0").slice(0, -1), expected);
  });
});

describe("npmrc", () => {
  test("names the registry of all packages, or of a scope, and its token", () => {
    assert.equal(
      made('npmrc("https://npm.example.com/shop", token)', { token: "abc_123" }),
      "registry=https://npm.example.com/shop/\n//npm.example.com/shop/:_authToken=abc_123\n",
    );
    assert.equal(
      made('npmrc("https://npm.example.com/", token, "@shop")', { token: "YWJj/+==" }),
      "@shop:registry=https://npm.example.com/\n//npm.example.com/:_authToken=YWJj/+==\n",
    );
  });

  for (const [text, token, error] of [
    ['npmrc("npm.example.com", token)', "abc", "its registry is not an address such as https://registry.example.com/npm/"],
    ['npmrc("https://npm.example.com", token)', "a\nb", "its token has invalid characters"],
    ['npmrc("https://npm.example.com", token)', "${HOME}", "its token has invalid characters"],
    ['npmrc("https://npm.example.com", token)', "abc#def", "its token has invalid characters"],
    ['npmrc("https://npm.example.com", token)', String.raw`a\b`, "its token has invalid characters"],
    ['npmrc("https://npm.example.com", token)', "true", "its token has invalid characters"],
    ['npmrc("https://npm.example.com", token, "shop")', "abc", "its scope is not a name such as @shop"],
  ] as const) {
    test(`refuses ${text} with ${JSON.stringify(token)}`, () => assert.equal(made(text, { token }), `! npmrc at character 1: ${error}`));
  }
});

describe("dockerconfigjson", () => {
  test("holds each registry with its user and password", () => {
    const files = { pull: '{"user": "ci", "password": "p:w"}', other: "x" };
    const text = 'dockerconfigjson("a.example.com", property(pull, "user"), property(pull, "password"), "b.example.com", "bot", other)';
    assert.deepEqual(JSON.parse(made(text, files)), {
      auths: {
        "a.example.com": { username: "ci", password: "p:w", auth: Buffer.from("ci:p:w").toString("base64") },
        "b.example.com": { username: "bot", password: "x", auth: Buffer.from("bot:x").toString("base64") },
      },
    });
  });

  test("refuses a user with a colon, and a registry that is none", () => {
    assert.equal(
      made('dockerconfigjson("a", user, "p")', { user: "a:b" }),
      "! dockerconfigjson at character 1: a user contains a colon, which would end the user's name",
    );
    assert.equal(
      made('dockerconfigjson("a b", user, "p")', { user: "a" }),
      "! dockerconfigjson at character 1: a registry is empty, or has a space",
    );
  });
});

describe("connectionString", () => {
  for (const [value, written] of [
    ["plain", "plain"],
    ["a;b", '"a;b"'],
    ['a"b', `'a"b'`],
    [`a"'b`, `"a""'b"`],
    [" a", '" a"'],
    ["", '""'],
  ] as const) {
    test(`writes ${JSON.stringify(value)} so that it is one value`, () =>
      assert.equal(made('connectionString("Server", "db", "Password", password)', { password: value }), `Server=db;Password=${written}`));
  }

  test("refuses a line break, and a key that is none", () => {
    assert.equal(
      made('connectionString("A", v)', { v: "a\nb" }),
      "! connectionString at character 1: value 1 contains a control character",
    );
    assert.equal(
      made('connectionString("a=b", v)', { v: "a" }),
      "! connectionString at character 1: key 1 is not a name such as Server or User ID",
    );
  });
});

describe("a value of hostile quotation marks", () => {
  for (const [what, text] of [
    ["a text without an end, full of escaped quotation marks", `{"${'\\"'.repeat(500_000)}`],
    ["the same with a backslash at its end", `{"${'\\"'.repeat(500_000)}\\`],
    ["the same, full of escaped backslashes", `{"${"\\\\".repeat(500_000)}`],
  ] as const) {
    test(`AT-6: is read once, not once from each of its marks: ${what}`, { timeout: 60_000 }, () => {
      const started = process.cpuUsage();
      assert.match(made('property(app, "x")', { app: text }), /^! /);
      // Quadratic work on half a million characters would take days.
      assert.ok(process.cpuUsage(started).user < 30_000_000);
    });
  }

  test("line breaks in its texts are kept where it is whole", () => {
    assert.equal(made('property(app, "x")', { app: '{"x": "a\nb \\" c"}' }), 'a\nb " c');
  });
});
