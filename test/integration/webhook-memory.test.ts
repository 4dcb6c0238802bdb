import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { type RunningProcess, startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";
import { serveManyClasses } from "./many-classes.ts";

/** Number of classes of one mebibyte each: much more than the container's memory. */
const CLASSES = 400;
const LIMIT_MIB = 256;
/** Heap size that Node chooses in a container with this limit. */
const HEAP_MIB = LIMIT_MIB / 2;

interface Measured {
  /** Exit code. Undefined while the process runs. */
  readonly ended: number | undefined;
  /** Largest resident set, in MiB. */
  readonly peak: number;
}

describe("the webhook's copy of classes", { skip: process.platform === "linux" ? false : "SKIPPED: reads /proc" }, () => {
  /** Measures a process with the container's heap, as soon as it has listed the classes or has ended. */
  async function measure(argsFor: (kubeconfig: string) => readonly string[]): Promise<Measured> {
    const cluster = await serveManyClasses(CLASSES);
    const heap = ["--max-semi-space-size=2", `--max-old-space-size=${HEAP_MIB}`];
    const child = spawn(process.execPath, [...heap, ...argsFor(cluster.kubeconfig)], {
      stdio: "ignore",
      env: { PATH: process.env["PATH"] ?? "" },
    });
    const running: RunningProcess = startProcess(child, "measured");
    let ended: number | undefined;
    const end = (async () => {
      ended = await running.exited;
    })();
    let peak = 0;
    await eventually(
      () => {
        peak = Math.max(peak, peakOf(child.pid ?? 0));
        return ended !== undefined || cluster.isListed();
      },
      { within: 120_000, every: 100, what: "a list of all classes, or the end of the process" },
    );
    if (ended === undefined) peak = Math.max(peak, peakOf(child.pid ?? 0));
    const result = { ended, peak };
    await running.stop();
    await end;
    await cluster.stop();
    return result;
  }

  test("S11: is small: hundreds of classes of 1 MiB do not end a container of 256 MiB, and whole classes would", async (context) => {
    const control = await measure((kubeconfig) => [pathOf("test/integration/whole-classes.ts"), kubeconfig]);
    const flags = ["--bind-address=127.0.0.1", "--admission-port=0", "--health-port=0"];
    const webhook = await measure((kubeconfig) => [pathOf("src/main.ts"), "webhook", ...flags, `--kubeconfig=${kubeconfig}`]);

    context.diagnostic(`${CLASSES} classes of 1 MiB: ${webhook.peak} MiB at most; whole, ended after ${control.peak} MiB`);
    assert.notEqual(control.ended, undefined, "the control holds what it should not be able to");
    assert.equal(webhook.ended, undefined, "the webhook ended while it listed the classes");
    assert.ok(webhook.peak < LIMIT_MIB, `${webhook.peak} MiB`);
  });
});

const pathOf = (file: string): string => path.join(REPOSITORY, file);

/** Largest resident set in MiB. 0 for a process that has ended. */
function peakOf(pid: number): number {
  try {
    const [, kib = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Math.round(Number(kib) / 1024);
  } catch {
    return 0;
  }
}
