import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans, tables } from "../support/docs/markdown.ts";
import { namedTestProblem, namedTests } from "../support/docs/named-tests.ts";
import { EXTENSION_DOCUMENT, extensionDocument, ITEM_KINDS, type ItemKind, itemsOf } from "./extension-document.ts";

const page = readRepositoryFile("docs/evidence/extension-parity.md");
const inventory = readInventory(readRepositoryFile("test/unit/extension-items.txt"));
const document = extensionDocument();
const skip = document === undefined ? "SKIPPED: the extension's documentation does not lie beside this checkout" : false;

const STATES = ["works", "differs", "cannot"] as const;

interface Row {
  readonly id: string;
  readonly here: string;
  readonly state: string;
}

/** A part of the extension's documentation, and the row of the page for it. */
interface Listed {
  readonly kind: string;
  readonly hash: string;
  readonly row: string;
}

function readInventory(text: string): readonly Listed[] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [kind = "", hash = "", row = ""] = line.split(" ");
    return { kind, hash, row };
  });
}

function rowsOf(markdown: string): readonly Row[] {
  return tables(markdown)
    .filter(({ header }) => header[0] === "Id")
    .flatMap(({ rows }) => rows.map(([id = "", , here = "", state = ""]) => ({ id: codeSpans(id)[0] ?? "", here, state })));
}

/** Returns the problems of the last column of a row. */
function stateProblems({ id, state }: Row): readonly string[] {
  const [, word = "", rest = ""] = /^(\w+) (.*)$/.exec(state) ?? [];
  if (word === "works") {
    const named = namedTests(rest);
    const problems = named.flatMap((each) => namedTestProblem(each) ?? []);
    return named.length === 0 ? [`${id} works by no test`] : problems.map((problem) => `${id}: ${problem}`);
  }
  if (word !== "differs" && word !== "cannot") return [`${id} is neither of ${STATES.join(", ")}: ${state}`];
  return /^\([^()].{8,}\)$/.test(rest) ? [] : [`${id} ${word} without a reason`];
}

/** Returns parts without a row, rows without a part, and duplicate rows. */
function pairingProblems(rows: readonly Row[], listed: readonly Listed[]): readonly string[] {
  const ids = rows.map(({ id }) => id);
  const used = new Set(listed.map(({ row }) => row));
  return [
    ...listed.filter(({ row }) => !ids.includes(row)).map(({ kind, hash, row }) => `${kind} ${hash}: no row ${row}`),
    ...ids.filter((id) => !used.has(id)).map((id) => `row ${id}: of no part`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `row ${id}: twice`),
  ];
}

function documentProblems(text: string, listed: readonly Listed[]): readonly string[] {
  const known = listed.map(({ kind, hash }) => `${kind} ${hash}`);
  const found = itemsOf(text).map(({ kind, hash }) => `${kind} ${hash}`);
  return [
    ...itemsOf(text)
      .filter(({ kind, hash }) => !known.includes(`${kind} ${hash}`))
      .map(({ kind, hash, text: part }) => `${kind} ${hash} is not listed: ${part.slice(0, 80)}`),
    ...known.filter((part) => !found.includes(part)).map((part) => `${part} is listed, and not there`),
    ...(found.join() === known.join() ? [] : ["the order or the number is another"]),
  ];
}

describe("the page for users of the Azure extension", () => {
  test("has a row for every part of its documentation, and no other", () => {
    assert.deepEqual(pairingProblems(rowsOf(page), inventory), []);
    const kinds = new Set(inventory.map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), [...ITEM_KINDS].sort());
  });

  test("says of each row that it works, by tests that exist, or why it does not", () => {
    assert.deepEqual(rowsOf(page).flatMap(stateProblems), []);
  });

  test("would be told of a row that is gone, that claims a test which is none, or that gives no reason", () => {
    const [row, ...others] = rowsOf(page);
    assert.ok(row);
    assert.notDeepEqual(pairingProblems(others, inventory), []);
    assert.notDeepEqual(pairingProblems([row, row, ...others], inventory), []);
    assert.notDeepEqual(pairingProblems([...others, row, { ...row, id: "more" }], inventory), []);
    const states = [
      "works",
      "works (it does)",
      "works `test/unit/config.test.ts` `have the documented default`",
      "differs",
      "cannot ()",
      "is so",
    ];
    for (const state of states) assert.equal(stateProblems({ ...row, state }).length, 1, state);
    assert.deepEqual(stateProblems({ ...row, state: "works `test/unit/config.test.ts` `have the documented defaults`" }), []);
  });

  test("is counted", (context) => {
    const rows = rowsOf(page);
    const stateOf = new Map(rows.map(({ id, state }) => [id, state.split(" ")[0]]));
    for (const state of STATES) {
      const parts = inventory.filter(({ row }) => stateOf.get(row) === state);
      const kinds = ITEM_KINDS.map((kind: ItemKind) => `${parts.filter((part) => part.kind === kind).length} ${kind}`).join(", ");
      context.diagnostic(`${state}: ${rows.filter(({ id }) => stateOf.get(id) === state).length} rows, ${parts.length} parts (${kinds})`);
    }
    assert.equal(rows.filter(({ id }) => STATES.some((state) => state === stateOf.get(id))).length, rows.length);
  });
});

describe("the extension's documentation", { skip }, () => {
  const text = document ?? "";

  test("has exactly the parts that are listed, in this order", () => {
    assert.deepEqual(documentProblems(text, inventory), [], EXTENSION_DOCUMENT);
  });

  test("would be found to have one more, one less, or another", () => {
    assert.notDeepEqual(documentProblems(`${text}\n  • Supports teleportation\n`, inventory), []);
    assert.notDeepEqual(documentProblems(text.replace(/^az keyvault create .*$/m, ""), inventory), []);
    assert.notDeepEqual(documentProblems(text.replaceAll("rotationPollInterval=3m", "rotationPollInterval=4m"), inventory), []);
    assert.notDeepEqual(documentProblems(text.replace('usePodIdentity: "false"', 'usePodIdentity: "true"'), inventory), []);
  });
});
