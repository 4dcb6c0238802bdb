import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";

const contributing = readRepositoryFile("CONTRIBUTING.md");
const section = contributing.split(/^## /m).find((text) => text.startsWith("A first change\n")) ?? "";
/** In the page, the steps of the list are indented by three spaces. */
const blocks = fencedBlocks(section.replaceAll(/^ {3}/gm, ""));

describe("the first change of CONTRIBUTING", () => {
  test("can be made as it is written: the test fails, and passes with the mending", () => {
    const copy = mkdtempSync(path.join(tmpdir(), "first-change-"));
    try {
      for (const name of ["src", "test/unit", "test/support", "tools", "package.json"])
        cpSync(path.join(REPOSITORY, name), path.join(copy, name), { recursive: true });
      symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(copy, "node_modules"));
      const outcomes = blocks.flatMap(({ language, text }) => run(copy, language, text));

      assert.deepEqual(outcomes, ["npm ci: left out", "applied", "1 failed", "applied", "0 failed", "npm run check: left out"]);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  test("comes with a page whose layers are those of src", () => {
    const line = /^`domain` <- .*$/m.exec(contributing)?.[0] ?? "";
    const folders = readdirSync(path.join(REPOSITORY, "src"), { withFileTypes: true }).filter((entry) => entry.isDirectory());

    assert.deepEqual([...line.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name).sort(), folders.map(({ name }) => name).sort());
  });
});

function run(cwd: string, language: string, text: string): string {
  const [command = "", ...args] = text.trim().split(" ");
  if (command === "npm") return `${text.trim()}: left out`;
  // Removes the variable of this test run: otherwise the command would write to its reporter.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  if (language === "diff") {
    const applied = spawnSync("git", ["apply", "-"], { cwd, env, input: text, encoding: "utf8" });
    return applied.status === 0 ? "applied" : applied.stderr;
  }
  assert.equal(command, "node");
  const { stdout } = spawnSync(process.execPath, args, { cwd, env, encoding: "utf8" });
  return `${/^. fail (\d+)$/m.exec(stdout)?.[1]} failed`;
}
