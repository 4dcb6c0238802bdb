import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { runCli } from "../support/cli/cli.ts";

describe("the program", () => {
  test("prints its version, and its help where nothing is typed", async () => {
    const [{ version }, printed, nothing] = [JSON.parse(readRepositoryFile("package.json")), await runCli(["version"]), await runCli([])];

    assert.deepEqual(printed, { code: 0, stdout: `${version}\n`, stderr: "" });
    assert.deepEqual([nothing.code, nothing.stderr], [0, ""]);
    assert.match(nothing.stdout, /^Deliver Azure Key Vault secrets /);
  });

  test("ends with 2 for a command that it does not know", async () => {
    const { code, stdout, stderr } = await runCli(["rendr"]);

    assert.deepEqual([code, stdout], [2, ""]);
    assert.equal(stderr, 'keyvault-injector: unknown command "rendr"; did you mean render?\n');
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

describe("a file of manifests", () => {
  const text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s-é\n";
  const bytes = (encoding: "utf8" | "utf16le") => Buffer.from(`\ufeff${text}`, encoding);
  for (const [what, contents] of [
    ["UTF-16, as PowerShell writes it", bytes("utf16le")],
    ["UTF-16 with the high byte first", bytes("utf16le").swap16()],
    ["UTF-8 with a byte order mark", bytes("utf8")],
  ] as const) {
    test(`K8: may be ${what}`, async () => {
      const folder = await mkdtemp(path.join(tmpdir(), "manifests-"));
      await writeFile(path.join(folder, "s.yaml"), contents);

      const { code, stdout, stderr } = await runCli(["render", "--offline", "-f", path.join(folder, "s.yaml")]);

      await rm(folder, { recursive: true });
      assert.deepEqual([code, stdout, stderr], [0, text, ""]);
    });
  }
});
