import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { after, before, describe } from "node:test";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { type RunningProcess, startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";
import { realNodeRefusal } from "./support/node.ts";
import { scenarios, skipUnless } from "./support/scenarios.ts";
import { isAsShown, outputsOf, readSteps, scriptOf } from "./support/tutorial.ts";

const scenario = scenarios();
const PAGES = ["docs/tutorial/first-secret.md", "docs/tutorial/secrets-in-git.md"];

describe("the tutorial", { skip: skipUnless(await realNodeRefusal()) }, () => {
  let demo: RunningProcess | undefined;
  let printed = "";

  /** Runs the command for the page's first terminal. */
  before(async () => {
    const child = spawn(process.execPath, ["test/demo/main.ts", "--node", "--keep"], {
      cwd: REPOSITORY,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.on("data", (chunk) => {
      printed += String(chunk);
    });
    const running = startProcess(child, "demo");
    demo = running;
    await Promise.race([
      eventually(() => printed.includes("It keeps running until Ctrl-C"), { within: 300_000, every: 200, what: "the demo" }),
      running.exited.then((code) => assert.fail(`the demo ended with ${code}:\n${printed.slice(-2_000)}`)),
    ]);
  });

  after(async () => {
    await demo?.stop(60_000);
  });

  scenario.run("prints, command by command, what its pages show", async () => {
    const steps = PAGES.flatMap(readSteps);
    const exports = printed.split("\n").filter((line) => line.startsWith("  export "));
    assert.equal(exports.length, 3);
    const shell = spawn("bash", ["-c", [...exports, scriptOf(steps)].join("\n")], { cwd: REPOSITORY, stdio: ["ignore", "pipe", "pipe"] });
    const running = startProcess(shell, "second terminal");
    const [out, errors, code] = await Promise.all([text(shell.stdout), text(shell.stderr), running.exited]);

    const outputs = outputsOf(out);
    const reached = steps[outputs.length - 1];
    assert.equal(code, 0, `${reached?.page}, ${reached?.heading}: ended with ${code}\n${errors.slice(-2_000)}\n${outputs.at(-1)}`);
    for (const [index, { page, heading, commands, prints }] of steps.entries()) {
      const output = outputs[index] ?? "";
      const shown = prints === undefined || isAsShown(output, prints);
      assert.ok(shown, `${page}, ${heading}:\n${commands}printed\n${output}instead of\n${prints}`);
    }
    const commands = steps.reduce((sum, step) => sum + step.commands.trim().split("\n").length, 0);
    console.log(
      `tutorial: ${steps.length} blocks, ${commands} lines of commands, ${steps.filter(({ prints }) => prints !== undefined).length} outputs compared`,
    );
    assert.ok(commands > 40);
  });

  scenario.run("would be found to print something else", async () => {
    assert.ok(isAsShown("a\nb 12 c\n", "…\nb … c\n"));
    assert.ok(!isAsShown("a\nb 12 d\n", "…\nb … c\n"));
    assert.ok(!isAsShown("b 12 c\nmore\n", "b … c\n"));
  });
});
