import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";

const blocks = fencedBlocks(readRepositoryFile("docs/how-to/check-manifests-in-git.md"));
const yamlBlocks = blocks.filter(({ language }) => language === "yaml").map(({ text }) => parse(text) as unknown);
/** Every way that the page shows to run the check, as its shell would get it. */
const [piped = "", hook = "", ci = ""] = [
  blocks.find(({ text }) => text.startsWith("kubectl kustomize"))?.text.trim(),
  yamlBlocks.map((block) => at(block, "repos", 0, "hooks", 0, "entry")).find((entry) => entry !== undefined),
  yamlBlocks.map((block) => [2, 3].map((step) => at(block, "jobs", "manifests", "steps", step, "run")).join(" && ")).at(-1),
].map(String);

const CLASS = `apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: { name: demo }
spec:
  provider: azure
  parameters:
    keyvaultName: vault
    tenantId: 00000000-0000-0000-0000-000000000000
    objects: |
      array:
        - |
          objectName: DemoSecret
          objectType: secret
`;
const POD = `apiVersion: v1
kind: Pod
metadata:
  name: shop
  annotations: { keyvault-injector.dev/inject: "true", keyvault-injector.dev/secret-provider-class: demo }
spec:
  containers: [{ name: shop, image: busybox }]
`;
const withNull = CLASS.replace("    tenantId", "    cloudName:\n    tenantId");

let folder: string;

/** The page's two commands as scripts: the program from this checkout, and a kustomize that finds its one file. */
function script(name: string, line: string): void {
  const file = path.join(folder, "bin", name);
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
}

function run(command: string, manifests: string): { readonly status: number | null; readonly reported: string } {
  writeFileSync(path.join(folder, "deploy.yaml"), manifests);
  const env = { PATH: `${path.join(folder, "bin")}${path.delimiter}${process.env["PATH"] ?? ""}`, HOME: folder };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { cwd: folder, env, encoding: "utf8" });
  return { status, reported: `${stdout}${stderr}` };
}

describe("the recipes for pipelines", () => {
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "pipelines-"));
    spawnSync("mkdir", [path.join(folder, "bin")]);
    script("keyvault-injector", `exec ${process.execPath} ${path.join(REPOSITORY, "src/main.ts")} "$@"`);
    script("kubectl", 'test "$*" = "kustomize deploy" && exec cat deploy.yaml');
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [where, command] of Object.entries({ "a shell": piped, pre_commit: hook, CI: ci })) {
    test(`let good manifests pass, and stop at what would be denied or refused: ${where}`, () => {
      assert.deepEqual(run(command, `${CLASS}---\n${POD}`).status, 0);

      const denied = run(command, `${CLASS}---\n${POD.replace("demo }", "demo, keyvault-injector.dev/containers: other }")}`);
      assert.equal(denied.status, 1);
      assert.match(denied.reported, /Pod\/shop: error: .*\(ContainerNotFound\)/);

      const refused = run(command, `${withNull}---\n${POD}`);
      assert.equal(refused.status, 1);
      assert.match(refused.reported, /:8: SecretProviderClass\/demo: warning: spec\.parameters\.cloudName is null/);

      assert.equal(run(command, "kind: [").status, 2);
    });
  }

  test("would let a null pass without the option, as apply by hand does", () => {
    assert.match(piped, / --fail-on-warnings /);
    assert.equal(run(piped.replace(" --fail-on-warnings", ""), `${withNull}---\n${POD}`).status, 0);
  });
});
