import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { decodePem, encodePem } from "../../src/pki/pem.ts";

const bytes = (text: string) => Buffer.from(text);

/** Shows each block as `type(headers)hex`, followed by the rest of the text. */
function shown(text: string): string {
  const { blocks, rest } = decodePem(bytes(text));
  const each = blocks.map(({ type, headers, der }) => {
    const names = [...headers].map(([name, value]) => `${name}=${value}`).join();
    return `${type}(${names})${Buffer.from(der).toString("hex")}`;
  });
  return [...each, JSON.stringify(Buffer.from(rest).toString())].join(" ");
}

/** The expected results are measured with Go's encoding/pem. */
describe("reading PEM", () => {
  for (const [text, expected] of [
    ["", '""'],
    ["no block at all", '"no block at all"'],
    ["-----BEGIN A-----\naGk=\n-----END A-----\n", 'A()6869 ""'],
    ["before\n-----BEGIN A-----\naGk=\n-----END A-----\nafter", 'A()6869 "after"'],
    ["x-----BEGIN A-----\naGk=\n-----END A-----\n", '"x-----BEGIN A-----\\naGk=\\n-----END A-----\\n"'],
    ["-----BEGIN A-----\r\n aG\tk = \r\n-----END A----- \t\r\n", 'A()6869 ""'],
    ["-----BEGIN A-----\n-----END A-----", 'A() ""'],
    ["-----BEGIN A-----\nb: c\n d :  e \n\naGk=\n-----END A-----\n", 'A(b=c,d=e)6869 ""'],
    ["-----BEGIN A-----\nb: c\n-----END A-----\n", '"-----BEGIN A-----\\nb: c\\n-----END A-----\\n"'],
    ["-----BEGIN A-----\n!!\n-----END A-----\n-----BEGIN B-----\naGk=\n-----END B-----\n", 'B()6869 ""'],
    ["-----BEGIN A-----\naGk=\n-----END B-----\n-----BEGIN B-----\naGk=\n-----END B-----\n", 'B()6869 ""'],
    ["-----BEGIN A-----\n-----BEGIN B-----\naGk=\n-----END B-----\n", 'B()6869 ""'],
    ["-----BEGIN A-----\naGk=\n-----END A----- x\n", '"-----BEGIN A-----\\naGk=\\n-----END A----- x\\n"'],
    ["-----BEGIN A-----\naGk\n-----END A-----\n", '"-----BEGIN A-----\\naGk\\n-----END A-----\\n"'],
  ] as const) {
    test(`of ${JSON.stringify(text)} gives ${expected}`, () => assert.equal(shown(text), expected));
  }
});

describe("writing PEM", () => {
  test("breaks lines after 64 columns and ends each with a line feed", () => {
    const text = Buffer.from(encodePem({ type: "A", headers: new Map(), der: Buffer.alloc(96, 1) })).toString();
    assert.equal(text, `-----BEGIN A-----\n${"AQEB".repeat(16)}\n${"AQEB".repeat(16)}\n-----END A-----\n`);
  });

  test("of nothing is two lines", () => {
    const empty = { type: "PRIVATE KEY", headers: new Map<string, string>(), der: new Uint8Array() };
    assert.equal(Buffer.from(encodePem(empty)).toString(), "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
  });

  test("puts headers in the order of their names, Proc-Type before them", () => {
    const headers = new Map([
      ["localKeyId", "01"],
      ["Proc-Type", "4,ENCRYPTED"],
      ["DEK-Info", "x"],
    ]);
    const [, ...lines] = Buffer.from(encodePem({ type: "A", headers, der: bytes("hi") }))
      .toString()
      .split("\n");
    assert.deepEqual(lines.slice(0, 5), ["Proc-Type: 4,ENCRYPTED", "DEK-Info: x", "localKeyId: 01", "", "aGk="]);
  });
});
