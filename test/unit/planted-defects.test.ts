import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { FOUND } from "../simulation/found/found.ts";
import { DEFECTS } from "../simulation/planted/defects.ts";
import { type Edit, edited, makeEdits } from "../simulation/planted/edits.ts";
import { copyWorkspace, ROOT } from "../simulation/planted/workspace.ts";

describe("planted defects", () => {
  for (const { id, edits } of DEFECTS)
    test(`${id} stands in the sources as they are`, () => {
      const texts = new Map(edits.map(({ file }) => [file, readFileSync(path.join(ROOT, file), "utf8")]));
      for (const edit of edits) texts.set(edit.file, edited(texts.get(edit.file) ?? "", edit));
      assert.ok(edits.every(({ file }) => file.startsWith("src/")));
    });

  test("pass the compiler, all together", () => {
    const workspace = copyWorkspace();
    try {
      for (const planted of DEFECTS) makeEdits(workspace.folder, planted);
      const config = path.join(workspace.folder, "tsconfig.json");
      writeFileSync(config, readFileSync(config, "utf8").replace(/"include": .*/, `"include": ["src"]`));
      const tsc = path.join(ROOT, "node_modules/.bin/tsc");
      const { stdout } = spawnSync(tsc, ["--noEmit", "-p", "."], { cwd: workspace.folder, encoding: "utf8" });
      assert.equal(stdout, "");
    } finally {
      workspace.remove();
    }
  });

  test("fail with the file and the text where that does not stand there once", () => {
    const edit: Edit = { file: "src/a.ts", find: "const a = 1;", replace: "const a = 2;" };
    assert.equal(edited("const a = 1;\n", edit), "const a = 2;\n");
    assert.throws(() => edited("const b = 1;\n", edit), /^Error: src\/a\.ts: .*0 times[^]*const a = 1;$/);
    assert.throws(() => edited("const a = 1;\nconst a = 1;\n", edit), /2 times/);
  });

  test("are shown by invariants that there are", () => {
    const folder = path.join(ROOT, "test/simulation/invariants");
    const texts = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), "utf8"));
    const known = new Set(texts.flatMap((text) => [...text.matchAll(/^ {2}name: "(.*)",$/gm)].map(([, name = ""]) => name)));
    assert.ok(known.size >= 25, `${known.size} invariants`);
    const named = DEFECTS.flatMap(({ shownBy = [] }) => shownBy);
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    );
  });

  test("are there for all that the simulation has found", () => {
    const known = new Set(DEFECTS.map(({ id }) => id));
    assert.deepEqual(
      FOUND.filter(({ planted }) => !known.has(planted)),
      [],
    );
  });
});
