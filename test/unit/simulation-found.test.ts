import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, test } from "node:test";
import { FOUND } from "../simulation/found/found.ts";

/** A process of its own: the simulation takes the place of time and sockets. */
const SCRIPT = path.resolve(import.meta.dirname, "../simulation/found/main.ts");

describe("what the simulation has found", () => {
  test("holds", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], { encoding: "utf8" });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.equal(stdout.match(/^holds /gm)?.length, FOUND.length);
  });
});
