/** Each exported name of src has one meaning: if two files export the same name, a reader who searches for it has to distinguish them. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";

const ROOT = path.resolve(import.meta.dirname, "../..");
const DECLARED = /^export (?:abstract |async )*(?:function\*?|const|class|interface|type|enum) (\w+)/gm;

/** Both apps begin in the same way, and main.ts loads one of them. */
const MAY_STAY = new Set(["ProcessOptions", "runProcess"]);

/** Returns one line for each name that several of the texts declare and export, with their files. A re-export is not a declaration. */
function sharedNames(texts: ReadonlyMap<string, string>): readonly string[] {
  const declared = [...texts].flatMap(([file, text]) => [...text.matchAll(DECLARED)].map(([, name = ""]) => ({ name, file })));
  return [...Map.groupBy(declared, ({ name }) => name)]
    .map(([name, all]) => ({ name, files: [...new Set(all.map(({ file }) => file))] }))
    .filter(({ files }) => files.length > 1)
    .map(({ name, files }) => `${name}: ${files.sort().join(" ")}`);
}

const texts = new Map(globSync("src/**/*.ts", { cwd: ROOT }).map((file) => [file, readFileSync(path.join(ROOT, file), "utf8")]));
const nameOf = (line: string): string => line.split(":")[0] ?? "";

describe("the names that src exports", () => {
  test("are each of one file, but for those that may stay", () => {
    assert.deepEqual(
      sharedNames(texts).filter((line) => !MAY_STAY.has(nameOf(line))),
      [],
    );
  });

  test("that may stay are still shared", () => {
    assert.deepEqual(new Set(sharedNames(texts).map(nameOf)), MAY_STAY);
  });

  test("would be told of a planted second one", () => {
    const planted = new Map([...texts, ["src/planted.ts", "export async function objectKey() {}\nexport { keyOf } from './other.ts';\n"]]);
    assert.deepEqual(
      sharedNames(planted).filter((line) => !MAY_STAY.has(nameOf(line))),
      ["objectKey: src/domain/object-key.ts src/planted.ts"],
    );
  });
});
