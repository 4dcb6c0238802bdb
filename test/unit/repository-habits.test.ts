import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";

const manifest: { maintainers: readonly { email: string }[]; engines: { node: string } } = JSON.parse(readRepositoryFile("package.json"));
const NODE = readRepositoryFile(".nvmrc").trim();

describe("the workflow of a pull request", () => {
  const { permissions, jobs } = parse(readRepositoryFile(".github/workflows/ci.yaml"));
  const scripts = (job: { steps: readonly { run?: string }[] }): string => job.steps.flatMap(({ run }) => run ?? []).join("\n");

  test("runs what CI runs anywhere, and the gate from a plain install", () => {
    assert.match(scripts(jobs.ci), / \.ci\/run$/m);
    assert.equal(scripts(jobs.check), "npm ci\nnpm run check");
  });

  test("may read the sources and nothing else", () => {
    assert.deepEqual(permissions, {});
    for (const job of [jobs.ci, jobs.check]) assert.deepEqual(job.permissions, { contents: "read" });
  });
});

describe("what editors, reviewers and robots read", () => {
  test("asks for the Node of package.json", () => {
    assert.match(manifest.engines.node, new RegExp(`^>=${NODE}\\.`));
    assert.match(readRepositoryFile(".devcontainer/devcontainer.json"), new RegExp(`javascript-node:${NODE}-`));
  });

  test("asks the maintainers of package.json to review", () => {
    assert.deepEqual(
      [...readRepositoryFile(".github/CODEOWNERS").matchAll(/^\* (.*)$/gm)].map(([, owners]) => owners),
      [manifest.maintainers.map(({ email }) => email).join(" ")],
    );
  });

  test("names files that are there", () => {
    const { packageRules } = JSON.parse(readRepositoryFile(".github/renovate.json"));
    const named = packageRules.flatMap((rule: { matchFileNames?: readonly string[] }) => rule.matchFileNames ?? []);

    assert.ok(named.length > 3);
    for (const pattern of named) assert.notEqual(globSync(pattern, { cwd: REPOSITORY }).length, 0, pattern);
  });

  test("parses", () => {
    for (const file of globSync(".github/**/*.yml", { cwd: REPOSITORY }))
      assert.equal(typeof parse(readRepositoryFile(file)), "object", file);
  });
});
