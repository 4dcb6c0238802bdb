import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CHECKS } from "../../src/cli/doctor/checks/check.ts";
import { runChecks } from "../../src/cli/doctor/checks/run-checks.ts";
import { createProgress } from "../../src/cli/shared/terminal.ts";
import { runCli } from "../support/cli/cli.ts";
import { eventually } from "../support/time/eventually.ts";

const CLEAR = "\r\u001b[K";

function onTerminal(quietMs: number, columns = 80) {
  const written: string[] = [];
  return { written, progress: createProgress({ write: (text) => written.push(text), columns, quietMs }) };
}

describe("progress", () => {
  test("is silent where the command is done soon, to the end", () => {
    const { written, progress } = onTerminal(60_000);
    progress.report("check api");
    progress.end();
    progress.report("check crds");

    assert.deepEqual(written, []);
  });

  test("shows what is under way once it takes long, writes over it, and leaves nothing behind", async () => {
    const { written, progress } = onTerminal(1);
    progress.report("check api");
    await eventually(() => written.length > 0);
    progress.report("check crds");
    progress.end();
    progress.report("check webhook");

    assert.deepEqual(written, [`${CLEAR}… check api`, `${CLEAR}… check crds`, CLEAR]);
  });

  test("fits on one line of the terminal", async () => {
    const { written, progress } = onTerminal(1, 10);
    progress.report("class team-a/a-long-name");
    await eventually(() => written.length > 0);
    progress.end();

    assert.equal(written[0], `${CLEAR}… class t`);
  });

  test("names each check of doctor", async () => {
    const reported: string[] = [];
    const stopped = new Error("stopped here");
    const kube = { create: () => Promise.reject(stopped) };
    const context = { cluster: { kube } } as unknown as Parameters<typeof runChecks>[0];
    const reportProgress = (what: string) => reported.push(what);

    await assert.rejects(runChecks(context, reportProgress), stopped);
    assert.deepEqual(reported, [`check api (1 of ${CHECKS.length})`]);
  });

  test("is not written where standard error is no terminal", async () => {
    const { stderr } = await runCli(["doctor"], { kubeconfig: "/nowhere" });

    assert.ok(!stderr.includes(CLEAR) && !stderr.includes("…"), stderr);
  });
});
