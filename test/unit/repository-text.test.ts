import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isText, readRepositoryFile, repositoryFiles } from "../../tools/repository-files.ts";

/** Split into parts, so that this file does not contain them. */
const MACHINE_PATHS = [
  ["/ro", "ot/"],
  ["/wo", "rk/"],
  ["/tmp/", "kvi"],
].map((parts) => parts.join(""));
const REGISTRY_HOSTS = [
  ["registry.", "npmjs.org"],
  ["proxy.", "golang.org"],
  ["py", "pi.org"],
  ["crates", ".io"],
  ["repo.", "maven"],
].map((parts) => parts.join(""));

/** This registry gets no new images. */
const FROZEN_REGISTRY = ["k8s.", "gcr.io"].join("");

/** Returns `file:line: text` for every place that works, or makes sense, only on one machine or network. */
function findings(file: string, text: string): readonly string[] {
  return text.split("\n").flatMap((line, index) => {
    const found = [...MACHINE_PATHS, ...REGISTRY_HOSTS].find((needle) => line.includes(needle));
    return found === undefined ? [] : [`${file}:${index + 1}: ${found}`];
  });
}

describe("the repository's text files", () => {
  test("name no path of one machine and no package registry's host", () => {
    const files = repositoryFiles().filter((file) => isText(readRepositoryFile(file)));
    for (const expected of ["README.md", "package-lock.json", ".npmrc", "test/control-plane/go.sum", "src/main.ts"]) {
      assert.ok(files.includes(expected), expected);
    }

    assert.deepEqual(
      files.flatMap((file) => findings(file, readRepositoryFile(file))),
      [],
    );
  });

  test("F5: name no image of the registry that is frozen", () => {
    const naming = repositoryFiles().filter((file) => readRepositoryFile(file).includes(FROZEN_REGISTRY));

    assert.deepEqual(naming, []);
  });

  test("F5: say that the current minor version gets fixes", () => {
    const { version } = JSON.parse(readRepositoryFile("package.json"));
    const [major, minor] = String(version).split(".");

    assert.match(readRepositoryFile("SECURITY.md"), new RegExp(`^\\| ${major}\\.${minor}\\.x \\| yes \\|$`, "m"));
  });

  test("say where to report a vulnerability, at an address that the package names", () => {
    const { maintainers }: { maintainers: readonly { email: string }[] } = JSON.parse(readRepositoryFile("package.json"));
    const [, reporting = ""] = readRepositoryFile("SECURITY.md").split("## Reporting");
    const [section = ""] = reporting.split("\n## ");

    assert.ok(
      maintainers.some(({ email }) => section.includes(`mailto:${email}`)),
      section,
    );
  });

  test("would be found to name one that is planted", () => {
    for (const needle of [...MACHINE_PATHS, ...REGISTRY_HOSTS]) {
      assert.deepEqual(findings("planted.md", `first\nsee ${needle}x\n`), [`planted.md:2: ${needle}`]);
    }
  });
});
