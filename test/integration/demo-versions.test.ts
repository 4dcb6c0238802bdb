import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { describe, test } from "node:test";
import { API_SERVER_VERSIONS } from "../support/cluster/api-server-versions.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";

const DEMO = path.resolve(import.meta.dirname, "../demo/main.ts");

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function runDemo(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [DEMO, ...args], { maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    });
  });
}

describe("the demo", () => {
  for (const version of API_SERVER_VERSIONS) {
    const refusal = controlPlaneRefusal({ version });
    test(`does all of its steps on API server ${version}`, { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, async () => {
      const { code, output } = await runDemo(`--api-server=${version}`);

      assert.equal(code, 0, output);
      const [, done, all] = /^demo: (\d+)\/(\d+) steps in/m.exec(output) ?? [];
      assert.ok(done !== undefined && done === all && Number(all) >= 7, output);
    });
  }

  test("refuses an API server that it does not know, and names those that it does", async () => {
    const { code, output } = await runDemo("--api-server=1.20");

    assert.notEqual(code, 0);
    assert.match(output, /--api-server is 1\.20; known: 1\.36, 1\.34/);
  });
});
