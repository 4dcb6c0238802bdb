/** Imports between the folders of src. oxlint checks the layers and forbids cycles of files, but does not notice cycles of folders. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";

const ROOT = path.resolve(import.meta.dirname, "../..");
const IMPORT = /(?:from|import) ?\(?"(\.{1,2}\/[^"]+)"/g;

/** Returns `importer -> imported` pairs of paths from the root, from the texts of the files. */
function importsOf(texts: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(IMPORT)].map(([, to = ""]) => [file, path.posix.join(path.posix.dirname(file), to)] as const),
  );
}

type Imports = ReturnType<typeof importsOf>;

/** Returns for each folder its imports from other folders. A folder owns its subfolders, so that imports from them do not count. */
function importsByFolder(imports: Imports): ReadonlyMap<string, Imports> {
  const outward = imports.filter(([from, to]) => !`${path.posix.dirname(to)}/`.startsWith(`${path.posix.dirname(from)}/`));
  return Map.groupBy(outward, ([from]) => path.posix.dirname(from));
}

/** Returns all folders that the folder imports from, directly or through other folders. */
function reachedFrom(folder: string, byFolder: ReadonlyMap<string, Imports>, reached = new Set<string>()): ReadonlySet<string> {
  for (const [, to] of byFolder.get(folder) ?? []) {
    const next = path.posix.dirname(to);
    if (reached.has(next)) continue;
    reached.add(next);
    reachedFrom(next, byFolder, reached);
  }
  return reached;
}

/** Returns a line for each folder that imports from itself through other folders, with the imports that lead there. */
function foldersInCircles(texts: ReadonlyMap<string, string>): readonly string[] {
  const byFolder = importsByFolder(importsOf(texts));
  const reached = new Map([...byFolder.keys()].map((folder) => [folder, reachedFrom(folder, byFolder)]));
  return [...byFolder].flatMap(([folder, imports]) => {
    const back = imports.filter(([, to]) => reached.get(path.posix.dirname(to))?.has(folder) === true);
    return back.length === 0 ? [] : [`${folder}: ${back.map((each) => each.join(" imports ")).join(", ")}`];
  });
}

function sources(): Map<string, string> {
  const files = globSync("src/**/*.ts", { cwd: ROOT });
  return new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), "utf8")]));
}

describe("the folders of src", () => {
  test("import from each other in one direction only, in circles of any length, but for a folder and its own", () => {
    const texts = sources();
    assert.ok(importsOf(texts).length > 2_000, "the imports were read");
    assert.deepEqual(foldersInCircles(texts), []);
  });

  test("would be told of a planted import back, of a type too, and of one that goes round by a third folder", () => {
    const texts = sources();
    texts.set("src/domain/provider-class/planted.ts", 'import type { RenderOptions } from "../content/render.ts";\n');
    assert.match(
      foldersInCircles(texts).join("\n"),
      /^src\/domain\/provider-class: .*planted\.ts imports src\/domain\/content\/render\.ts/m,
    );

    const round = new Map([
      ["src/a/one.ts", 'import "../b/two.ts";'],
      ["src/b/two.ts", 'import "../c/three.ts";'],
      ["src/c/three.ts", 'import type { One } from "../a/one.ts";'],
      ["src/four.ts", 'import "./a/one.ts";'],
      ["src/c/five.ts", 'import "../four.ts";'],
    ]);
    assert.deepEqual(foldersInCircles(round), [
      "src/a: src/a/one.ts imports src/b/two.ts",
      "src/b: src/b/two.ts imports src/c/three.ts",
      "src/c: src/c/three.ts imports src/a/one.ts",
    ]);
  });
});
