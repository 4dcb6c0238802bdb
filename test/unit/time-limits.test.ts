import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile, repositoryFiles } from "../../tools/repository-files.ts";

/** A comparison with the machine's clock, or with the time that has passed by it. */
const COMPARED = /\bDate\.now\(\)(?: - [\w.]+)? [<>]=? | [<>]=? Date\.now\(\)/;
/** Files in which the clock itself is meant, and this one. */
const CLOCK_IS_MEANT = ["test/support/time/wall-clock.ts", "test/unit/time-limits.test.ts"];

/** Returns the lines that compare the machine's clock with something else than a time stamp. */
function limitsByClock(text: string): readonly string[] {
  return text.split("\n").filter((line) => COMPARED.test(line) && !line.includes("Date.parse("));
}

describe("the time limit of a wait", () => {
  test("goes by performance.now(), because a machine's clock can jump", () => {
    const files = repositoryFiles().filter((file) => /^(?:test|tools)\/.*\.(?:ts|mjs)$/.test(file) && !CLOCK_IS_MEANT.includes(file));
    const found = files.flatMap((file) => limitsByClock(readRepositoryFile(file)).map((line) => `${file}: ${line.trim()}`));

    assert.ok(files.length > 1_000, `${files.length} files`);
    assert.deepEqual(found, []);
  });

  for (const line of [
    "while (!isSettled && Date.now() < deadline) await delay(20);",
    "if (used > cpuSeconds || Date.now() - began > seconds * 1_000) kill();",
    "const isOver = () => end <= Date.now();",
    "await eventually(() => Date.now() >= end);",
  ])
    test(`control: is found to go by the clock in ${line}`, () => {
      assert.deepEqual(limitsByClock(`const first = 1;\n${line}\n`), [line]);
    });
});
