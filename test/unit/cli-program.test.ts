import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { runCli } from "../support/cli.ts";

describe("the program", () => {
  test("lists its commands and the processes' settings with --help", async () => {
    const { code, stdout } = await runCli(["--help"]);

    assert.equal(code, 0);
    for (const { name, summary } of COMMANDS) assert.ok(stdout.includes(summary), name);
    assert.match(stdout, /webhook\|sync/);
  });

  test("ends with 2 and names what it knows for a command that it does not", async () => {
    const { code, stdout, stderr } = await runCli(["rendr"]);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(
      stderr,
      `unknown command "rendr"; write one of webhook, sync, ${COMMANDS.map(({ name }) => name).join(", ")}, or --help\n`,
    );
  });

  test("renders standard input without a cluster, warnings apart from the output", async () => {
    const input = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\n";
    const { code, stdout, stderr } = await runCli(["render", "--offline", "-f", "-", "-o", "diff"], { input });
    const printed = await runCli(["render", "--offline", "-f", "-"], { input });

    assert.deepEqual([code, stdout, stderr], [0, "", ""]);
    assert.deepEqual([printed.code, printed.stdout, printed.stderr], [0, input, ""]);
  });

  test("names a file that is not there, and a kubeconfig that is not there", async () => {
    const file = await runCli(["render", "--offline", "-f", "nowhere.yaml"]);
    const kubeconfig = await runCli(["doctor", "--kubeconfig", "nowhere.json"]);

    assert.deepEqual(
      [file.code, file.stderr],
      [2, "keyvault-injector render: nowhere.yaml cannot be read (ENOENT); name a file, or - for standard input\n"],
    );
    assert.equal(kubeconfig.code, 2);
    assert.match(kubeconfig.stderr, /^keyvault-injector doctor: nowhere\.json cannot be read as a kubeconfig/);
  });
});
