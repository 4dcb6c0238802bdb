import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, test } from "node:test";
import { REPOSITORY } from "../../tools/repository-files.ts";

const run = (script: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(REPOSITORY, script), ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
};

describe("N24: arguments of the scripts that people type", () => {
  for (const [script, usage] of [
    ["test/demo/main.ts", "usage: npm run demo -- [--keep] [--node] "],
    ["test/control-plane/main.ts", "usage: npm run control-plane"],
    ["tools/release/main.ts", "usage: npm run release -- VERSION "],
  ] as const) {
    test(`ask for help, or are told with the usage, and nothing starts: ${script}`, () => {
      const [help, unknown] = [run(script, "--help"), run(script, "--kep")];

      assert.deepEqual([help.status, help.stderr], [0, ""]);
      assert.ok(help.stdout.startsWith(usage), help.stdout);
      assert.deepEqual([unknown.status, unknown.stdout], [2, ""]);
      assert.match(unknown.stderr, /^Unknown option '--kep'; usage: [^\n]+\n$/);
    });
  }

  test("have a version without v, which is told with the command to write", () => {
    const { status, stderr } = run("tools/release/main.ts", "v0.4.0");

    assert.notEqual(status, 0);
    assert.match(stderr, /write the version without v: npm run release -- 0\.4\.0/);
  });
});
