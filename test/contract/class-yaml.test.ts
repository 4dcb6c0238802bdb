/**
 * Checks with the Azure provider's own types and library which texts of `objects` we accept, and how we read them. Run with
 * KEYVAULT_INJECTOR_JUDGE_SEED=<number> for other texts.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { trimSpace } from "../../src/domain/provider-class/go-text.ts";
import { parseObjectEntry, parseObjectsArray, type RawObject } from "../../src/domain/provider-class/objects-yaml.ts";
import { builtProgram, programRefusal } from "../e2e/support/binaries.ts";
import { randomFrom } from "../support/fixtures/random.ts";
import { type LineProcess, startLineProcess } from "../support/processes/line-process.ts";
import { generatedObjects } from "./judge/generated-objects.ts";

const refusal = programRefusal(["objects-judge"]);
const SEED = Number(process.env["KEYVAULT_INJECTOR_JUDGE_SEED"] ?? "20261127");
const TEXTS_OF_A_KIND = 10_000;
const MIN_ACCEPTED = 9_000;
const MIN_REFUSED = 5_000;

type Reading = { readonly kind: "read"; readonly objects: readonly RawObject[] } | { readonly kind: "refused"; readonly message: string };

interface Answer {
  readonly objects: readonly RawObject[];
  readonly error?: string;
}

function ourReading(text: string): Reading {
  const entries = parseObjectsArray(trimSpace(text));
  if (!entries.ok) return { kind: "refused", message: entries.error };
  const objects: RawObject[] = [];
  for (const entry of entries.value) {
    const read = parseObjectEntry(entry);
    if (!read.ok) return { kind: "refused", message: read.error };
    objects.push(read.value);
  }
  return { kind: "read", objects };
}

const isOfTypes = (message: string): boolean => message.startsWith("yaml: unmarshal errors:");

/**
 * Compares the two readings. A reader of syntax alone may differ in two ways: both reject the text with different messages, or only the
 * provider rejects its syntax.
 */
function verdictOf(ours: Reading, theirs: Reading): "alike" | "refused alike" | "beyond" | "other words" | "unexplained" {
  if (ours.kind === "read" && theirs.kind === "read") {
    return JSON.stringify(sorted(ours.objects)) === JSON.stringify(sorted(theirs.objects)) ? "alike" : "unexplained";
  }
  if (theirs.kind === "read") return "unexplained";
  if (ours.kind === "read") return isOfTypes(theirs.message) ? "unexplained" : "beyond";
  if (ours.message === theirs.message) return "refused alike";
  const areOfTypes = isOfTypes(ours.message) && isOfTypes(theirs.message);
  return areOfTypes && withoutTexts(ours.message) !== withoutTexts(theirs.message) ? "unexplained" : "other words";
}

/** js-yaml reports another line for a pair in brackets, and another end for a text that is not a mapping. */
function withoutTexts(message: string): string {
  return message.replaceAll(/line \d+/g, "line").replaceAll(/`[^`]*`/g, "``");
}

function sorted(objects: readonly RawObject[]): readonly unknown[] {
  return objects.map((object) => Object.entries(object).sort(([left], [right]) => (left < right ? -1 : 1)));
}

describe("the Azure provider", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let judge: LineProcess<{ readonly objects: string }, Answer>;
  const counts = new Map<string, number>();
  const unexplained: string[] = [];

  const theirReading = async (objects: string): Promise<Reading> => {
    const answer = await judge.ask({ objects });
    return answer.error === undefined ? { kind: "read", objects: answer.objects } : { kind: "refused", message: answer.error };
  };

  before(async () => {
    judge = startLineProcess({ command: await builtProgram("objects-judge") });
    const random = randomFrom(SEED);
    const texts = [false, true].flatMap((isUntidy) => generatedObjects(random, TEXTS_OF_A_KIND, isUntidy));
    for (const text of texts) {
      const [ours, theirs] = [ourReading(text), await theirReading(text)];
      const verdict = verdictOf(ours, theirs);
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      if (verdict === "unexplained") unexplained.push([text, ours, theirs].map((each) => JSON.stringify(each)).join("\n    "));
    }
    const count = (verdict: string): number => counts.get(verdict) ?? 0;
    console.log(`seed ${SEED}; ${texts.length} texts of objects, half of them untidy`);
    console.log(`${count("alike")} accepted alike, ${count("refused alike")} refused alike, ${count("other words")} in other words`);
    console.log(`${count("beyond")} accepted here alone, ${unexplained.length} unexplained`);
  });

  after(() => judge.stop());

  test("reads no text of objects that we refuse, and none as something else", () => {
    assert.deepEqual(unexplained.slice(0, 10), []);
    assert.equal(unexplained.length, 0);
  });

  test("is asked enough, and much of it works and much fails", () => {
    assert.ok((counts.get("alike") ?? 0) >= MIN_ACCEPTED);
    assert.ok((counts.get("refused alike") ?? 0) + (counts.get("other words") ?? 0) >= MIN_REFUSED);
  });

  test("would show one changed value, and a text that we refuse", async () => {
    const text = "array:\n- |\n  objectName: a\n";
    const theirs = await theirReading(text);

    assert.equal(verdictOf(ourReading(text), theirs), "alike");
    assert.equal(verdictOf(ourReading(text.replace("a\n", "b\n")), theirs), "unexplained");
    assert.equal(verdictOf(ourReading("array: ["), theirs), "unexplained");
    assert.equal(verdictOf(ourReading(text), await theirReading("array: [{a: b}]")), "unexplained");
    assert.equal(verdictOf(ourReading(text), await theirReading("%YAML 1.2\n---\narray: []")), "beyond");
  });
});
