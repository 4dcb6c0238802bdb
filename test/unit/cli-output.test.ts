/** Results of commands whose output cannot be written, or has no reader. Each case runs the program as a process, on a real file or pipe. */
import assert from "node:assert/strict";
import { type SpawnOptions, spawn } from "node:child_process";
import { access, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { baseEnvironment } from "../support/processes/base-environment.ts";
import { program } from "../support/processes/program.ts";

/** A device on which every write fails, as on a full disk. Linux has it, macOS does not. */
const FULL = "/dev/full";
const hasFull = (await Promise.allSettled([access(FULL)])).every(({ status }) => status === "fulfilled");

const services = Array.from({ length: 60 }, (_, index) => `apiVersion: v1\nkind: Service\nmetadata:\n  name: service-${index}\n`);
const MANIFESTS = services.join("---\n");

type Ended = { readonly code: number | null; readonly stderr: string };

/** Runs a program with the standard output of `stdio`, or with a pipe without a reader. */
function ended(command: readonly [string, ...string[]], stdout: number | "closed"): Promise<Ended> {
  const [file, ...args] = command;
  const options: SpawnOptions = { env: baseEnvironment(), stdio: ["pipe", stdout === "closed" ? "pipe" : stdout, "pipe"] };
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, options);
    let stderr = "";
    child.stdout?.destroy();
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stderr }));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(MANIFESTS);
  });
}

const typed = (...args: string[]): readonly [string, ...string[]] => [process.execPath, program(), ...args];

const COMMANDS = [
  ["render", "--offline", "-f", "-"],
  ["explain", "--offline", "-f", "-"],
  ["completion", "bash"],
  ["help"],
  ["render", "--help"],
  ["webhook", "--help"],
];

describe("ST2: standard output that cannot be written", { skip: hasFull ? false : `${FULL} is missing` }, () => {
  for (const args of COMMANDS) {
    test(`is a failure that names the reason: ${args.join(" ")}`, async () => {
      await using full = await open(FULL, "w");
      const { code, stderr } = await ended(typed(...args), full.fd);

      assert.match(stderr, /^keyvault-injector[a-z ]*: standard output cannot be written \(ENOSPC\), so the output is incomplete\n$/m);
      assert.equal(code, 2);
    });
  }
});

describe("ST2: a file that takes only part of the output", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "output-"));
  });
  after(() => rm(folder, { recursive: true }));

  test("is a failure, too", async () => {
    const file = path.join(folder, "out.yaml");
    await using out = await open(file, "w");
    // The shell limits the size of files to one block.
    const limited = ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", ...typed("render", "--offline", "-f", "-")] as const;
    const { code, stderr } = await ended(limited, out.fd);

    assert.ok((await readFile(file, "utf8")).length < MANIFESTS.length);
    assert.match(stderr, /standard output cannot be written \(EFBIG\)/);
    assert.equal(code, 2);
  });

  test("and one that takes everything has everything", async () => {
    const file = path.join(folder, "all.yaml");
    await using out = await open(file, "w");
    const { code, stderr } = await ended(typed("render", "--offline", "-f", "-"), out.fd);

    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal((await readFile(file, "utf8")).match(/name: service-/g)?.length, services.length);
  });
});

describe("ST2: a reader that goes away, such as head", () => {
  test("ends the command without a word", async () => {
    for (const args of [
      ["render", "--offline", "-f", "-"],
      ["webhook", "--help"],
    ]) {
      assert.deepEqual(await ended(typed(...args), "closed"), { code: 0, stderr: "" });
    }
  });
});
