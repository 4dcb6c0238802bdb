import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { access, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { runCommand } from "../../src/cli/program.ts";
import { type Command, type CommandContext, CommandFailure } from "../../src/cli/shared/command.ts";
import { programName } from "../../src/runtime/program-name.ts";
import { krewManifest } from "../../tools/release/krew.ts";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";

const MAIN = path.resolve(import.meta.dirname, "../../src/main.ts");
const PATH = "/usr/bin:/usr/local/bin:/bin";
const hasKubectl = await Promise.any(PATH.split(":").map((folder) => access(path.join(folder, "kubectl")))).then(
  () => true,
  () => false,
);

describe("the program's name", () => {
  for (const [startedBy, name] of [
    [["node", "/opt/app/dist/main.js"], "keyvault-injector"],
    [["/usr/local/bin/keyvault-injector", "/usr/local/bin/keyvault-injector"], "keyvault-injector"],
    [["node", "/home/a/.krew/bin/kubectl-keyvault"], "kubectl keyvault"],
    [["/home/a/.krew/bin/kubectl-keyvault", undefined], "kubectl keyvault"],
    [["C:\\Users\\a\\.krew\\bin\\kubectl-keyvault.exe", undefined], "kubectl keyvault"],
    [["node", "/opt/kubectl-keyvault/main.js"], "keyvault-injector"],
  ] as const) {
    test(`is ${name} where it is started by ${startedBy.join(" ")}`, () => assert.equal(programName(startedBy), name));
  }
});

describe("kubectl keyvault", { skip: hasKubectl ? false : "there is no kubectl" }, () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "plugin-"));
    await symlink(MAIN, path.join(folder, "kubectl-keyvault.ts"));
    // Like the link that krew makes, for a program that does not look for Node itself.
    const script = `#!/bin/sh\nexec "${process.execPath}" "${folder}/kubectl-keyvault.ts" "$@"\n`;
    await writeFile(path.join(folder, "kubectl-keyvault"), script, { mode: 0o755 });
  });
  after(() => rm(folder, { recursive: true }));
  const kubectl = (...args: readonly string[]) =>
    promisify(execFile)("kubectl", [...args], { env: { PATH: `${folder}:${PATH}`, HOME: folder } });

  test("is found and run by kubectl, and names itself so", async () => {
    const { version } = JSON.parse(readRepositoryFile("package.json"));

    assert.equal((await kubectl("keyvault", "version")).stdout, `${version}\n`);
    assert.match((await kubectl("keyvault", "help", "render")).stdout, /^usage: kubectl keyvault render /m);
    await assert.rejects(kubectl("keyvault", "doctr"), /kubectl keyvault: unknown command "doctr"; did you mean doctor\?/);
  });
});

describe("N41: advice of a plugin", () => {
  const context = { shipped: { program: "kubectl keyvault", version: "1", shippedCrds: () => [] } } as unknown as CommandContext; // The code reads nothing else.
  const saying = (name: string, output: string): Command => ({
    name,
    summary: "",
    usage: "",
    details: [],
    examples: [],
    options: [],
    arguments: 0,
    run: async () => ({ code: 0, output, notes: ["see keyvault-injector grants"] }),
  });

  test("names the command as it was typed, and no namespace or manifest otherwise", async () => {
    const text = "keyvault-injector doctor says more of namespace keyvault-injector\n";
    const outputOf = async (name: string, output: string) => (await runCommand(saying(name, output), [], context)).output;

    assert.equal(await outputOf("explain", text), "kubectl keyvault doctor says more of namespace keyvault-injector\n");
    assert.equal(await outputOf("render", text), text);
    assert.equal(await outputOf("explain", `["${text}"]`), `["${text}"]`);
    assert.deepEqual((await runCommand(saying("render", ""), [], context)).notes, ["see kubectl keyvault grants"]);
  });

  test("names it in what it refuses, too", async () => {
    const refusing = {
      ...saying("restore", ""),
      run: () => Promise.reject(new CommandFailure("keyvault-injector restore --list shows it")),
    };

    assert.deepEqual((await runCommand(refusing, [], context)).notes, [
      "kubectl keyvault restore: kubectl keyvault restore --list shows it",
    ]);
  });
});

describe("the krew manifest", () => {
  const archive = { uri: "https://example.com/a.tar.gz", sha256: "0".repeat(64), program: "keyvault-injector" } as const;
  const manifest = parse(
    krewManifest({
      version: "1.2.3",
      homepage: "https://example.com",
      archives: [
        { os: "linux", arch: "amd64", ...archive },
        { os: "linux", arch: "arm64", ...archive },
      ],
    }),
  );

  test("has what krew asks for", () => {
    assert.deepEqual([manifest.kind, manifest.metadata.name, manifest.spec.version], ["Plugin", "keyvault", "v1.2.3"]);
    assert.ok(manifest.spec.shortDescription.length <= 50);
    assert.ok(!manifest.spec.shortDescription.endsWith("."));
    assert.ok(manifest.spec.description.length > 0);
  });

  test("is installed on the page from a file at hand: its addresses have no files yet", () => {
    const [row = ""] = readRepositoryFile("docs/how-to/get-the-command-line-tool.md").match(/^\| a kubectl plugin \|.*$/m) ?? [];
    const [, archive] = /kubectl krew install --manifest=keyvault\.yaml --archive=(\S+)`/.exec(row) ?? [];

    assert.equal(archive, `keyvault-injector-${VERSION}-linux-amd64.tar.gz`);
  });

  test("NU4: the page's first command prints the version that it shows", async () => {
    const page = readRepositoryFile("docs/how-to/get-the-command-line-tool.md");
    const [, args = "", shown] = /^\$ npm run --silent cli -- (.+)\n(.+)$/m.exec(page) ?? [];
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args.split(" ")]);

    assert.equal(stdout, `${shown}\n`);
  });

  test("has an archive for each platform, with its sum and its program", () => {
    assert.deepEqual(
      manifest.spec.platforms.map(({ selector, uri, sha256, bin }: Record<string, unknown>) => ({ selector, uri, sha256, bin })),
      ["amd64", "arm64"].map((arch) => ({
        selector: { matchLabels: { os: "linux", arch } },
        uri: archive.uri,
        sha256: archive.sha256,
        bin: "keyvault-injector",
      })),
    );
  });
});
