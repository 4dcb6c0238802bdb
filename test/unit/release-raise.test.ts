/** `npm run release -- VERSION --raise`, in a copy of the files that it changes. */
import assert from "node:assert/strict";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { digestOf } from "../../tools/release/oci-layout.ts";
import { changelogWith, isLater, raiseVersion, renamed, SUMS } from "../../tools/release/raise-version.ts";
import { REPOSITORY, VERSION } from "../../tools/repository-files.ts";

const NEXT = "99.0.0";

describe("the step to the next version", () => {
  const root = mkdtempSync(path.join(tmpdir(), "raise-"));
  const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
  let written: readonly string[];
  before(() => {
    for (const part of ["README.md", "CHANGELOG.md", "package.json", "package-lock.json", "docs", "manifests"])
      cpSync(path.join(REPOSITORY, part), path.join(root, part), { recursive: true });
    written = raiseVersion({ root, from: VERSION, to: NEXT, date: "2030-01-02" });
  });
  after(() => rmSync(root, { recursive: true }));

  test("changes every name with the version in it, and nothing that is said of the version", () => {
    const files = globSync(["README.md", "docs/**/*.md", "manifests/{base,overlays,gitops,components}/**/*.yaml"], { cwd: root });
    const stale = files.filter(
      (file) => file !== "docs/how-to/upgrade.md" && new RegExp(`(?:[:/-]|newTag: )${VERSION.replaceAll(".", "\\.")}`).test(read(file)),
    );
    assert.deepEqual(stale, []);
    assert.ok(written.includes("manifests/overlays/default/kustomization.yaml") && written.includes("docs/how-to/install.md"));
    assert.equal(
      renamed("Before 0.4.0 keyvault-injector:0.4.0, up to 0.4.0; newTag: 0.4.01\n0.4.0\n", "0.4.0", "0.5.0"),
      "Before 0.4.0 keyvault-injector:0.5.0, up to 0.4.0; newTag: 0.4.01\n0.5.0\n",
    );
  });

  test("changes both files of npm, and no package", () => {
    const lock = JSON.parse(read("package-lock.json")) as { version: string; packages: Record<string, { version: string }> };
    assert.deepEqual([JSON.parse(read("package.json")).version, lock.version, lock.packages[""]?.version], [NEXT, NEXT, NEXT]);
    const others = (text: string) => Object.entries((JSON.parse(text) as typeof lock).packages).filter(([name]) => name !== "");
    assert.deepEqual(others(read("package-lock.json")), others(readFileSync(path.join(REPOSITORY, "package-lock.json"), "utf8")));
  });

  test("keeps the sums of what was released", () => {
    const lines = read(SUMS).trim().split("\n");
    const ours = lines.filter((line) => line.slice(66).startsWith(`${VERSION}/`));
    assert.equal(ours.length, globSync(`${VERSION}/*.yaml`, { cwd: path.join(root, path.dirname(SUMS)) }).length);
    for (const line of ours)
      assert.equal(digestOf(readFileSync(path.join(root, path.dirname(SUMS), line.slice(66)))), `sha256:${line.slice(0, 64)}`);
  });

  test("gives the version what was unreleased, and refuses where nothing is", () => {
    assert.match(read("CHANGELOG.md"), /^## \[Unreleased\]\n\n## \[99\.0\.0\] - 2030-01-02\n\n###/m);
    assert.throws(() => changelogWith("## [Unreleased]\n\n## [0.1.0]\n", "0.2.0", "2030-01-02"), /nothing to release/);
  });

  test("goes forward only", () => {
    for (const [to, from, is] of [
      ["0.5.0", "0.4.0", true],
      ["0.4.10", "0.4.9", true],
      ["1.0.0", "0.9.9", true],
      ["0.4.0", "0.4.0", false],
      ["0.3.9", "0.4.0", false],
      ["0.5", "0.4.0", false],
      ["v0.5.0", "0.4.0", false],
    ] as const)
      assert.equal(isLater(to, from), is, `${to} after ${from}`);
  });
});
