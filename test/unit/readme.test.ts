import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { COMMANDS } from "../../src/cli/program.ts";
import { REPOSITORY, readRepositoryFile, repositoryFiles, VERSION } from "../../tools/repository-files.ts";
import { anchors, codeSpans, fencedBlocks, linkTargets } from "../support/docs/markdown.ts";

const files = repositoryFiles();
const pages = files.filter((file) => file.endsWith(".md"));
const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(readRepositoryFile("package.json"));
const bootstrap = readRepositoryFile("tools/bootstrap.mjs");

/** Names of the npm scripts that a text tells its reader to run. */
function npmScripts(text: string): readonly string[] {
  return [...text.matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(test)\b)/g)].map(([, run, test_]) => run ?? test_ ?? "");
}

/** Returns undefined if the script exists and the test knows the program that it starts. */
function scriptProblem(name: string): string | undefined {
  const command = scripts[name];
  if (command === undefined) return `package.json has no script ${name}`;
  const task = /^node tools\/bootstrap\.mjs (\S+)$/.exec(command)?.[1];
  return task === undefined || isTask(task) ? undefined : `npm run ${name} starts a task ${task} that the bootstrap does not know`;
}

function isTask(name: string): boolean {
  return new RegExp(`^  "?${name}"?: \\{ controlPlane:`, "m").test(bootstrap);
}

/** Reports a missing file, or a heading that the page does not have. Returns undefined if the link resolves. */
function linkProblem(page: string, target: string): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [file = "", fragment] = target.split("#");
  const resolved = file === "" ? page : path.posix.normalize(path.posix.join(path.posix.dirname(page), file));
  if (!existsSync(path.join(REPOSITORY, resolved))) return `${page}: ${target} leads nowhere`;
  if (fragment === undefined || anchors(readRepositoryFile(resolved)).includes(fragment)) return undefined;
  return `${page}: ${resolved} has no heading #${fragment}`;
}

/** Pages that a reader can open from a page or a folder. A folder shows its files. */
function pagesBehind(page: string): readonly string[] {
  if (!page.endsWith(".md")) return pages.filter((other) => path.posix.dirname(other) === page);
  return linkTargets(readRepositoryFile(page))
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => path.posix.normalize(path.posix.join(path.posix.dirname(page), target.split("#")[0] ?? "")).replace(/\/$/, ""));
}

/** Returns the problems of the files that a page names, in code spans and in links. The text of a link must be the end of its target. */
function fileProblems(page: string, text: string): readonly string[] {
  const links = [...text.matchAll(/\[`([^`\]]+)`\]\(([^()\s#]+)\)/g)].map(([, shown = "", target = ""]) => ({ shown, target }));
  const spans = codeSpans(text.replaceAll(/\[`[^`\]]+`\]/g, "")).filter((span) => /^[\w./-]+\.(?:ts|mjs|yaml|json|md)$/.test(span));
  return [
    ...links
      .filter(({ shown, target }) => target !== shown && !target.endsWith(`/${shown}`))
      .map(({ shown, target }) => `${shown} stands for ${target}`),
    ...links.flatMap(({ target }) => linkProblem(page, target) ?? []),
    ...spans
      .filter((span) => !files.some((file) => file === span || file.endsWith(`/${span}`)))
      .map((span) => `${page}: there is no file ${span}`),
  ];
}

/** Steps of the numbered list under a heading, each with its text. */
function stepsUnder(text: string, heading: string): readonly string[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return section.split(/\n(?=\d+\. )/).flatMap((step) => (/^\d+\. /.test(step) ? [step] : []));
}

function yamlProblem(text: string): string | undefined {
  return parseAllDocuments(text).flatMap(({ errors, warnings }) => [...errors, ...warnings])[0]?.message;
}

describe("the pages", () => {
  test("tell to run npm scripts that exist", () => {
    assert.deepEqual(new Set(npmScripts(readRepositoryFile("README.md"))), new Set(["demo", "release", "test", "test:live"]));
    for (const page of pages) {
      for (const name of npmScripts(readRepositoryFile(page))) assert.equal(scriptProblem(name), undefined, page);
    }
    assert.deepEqual(npmScripts("`npm run dmeo`, then `npm test`"), ["dmeo", "test"]);
    assert.match(scriptProblem("dmeo") ?? "", /no script/);
  });

  test("start bootstrap tasks that exist", () => {
    for (const page of pages) {
      for (const [, task = ""] of readRepositoryFile(page).matchAll(/node tools\/bootstrap\.mjs ([\w:-]+)/g))
        assert.ok(isTask(task), `${page}: ${task}`);
    }
    assert.ok(!isTask("tset"));
  });

  test("have relative links that resolve, headings included", () => {
    assert.ok(pages.includes("README.md") && pages.includes("docs/how-to/install.md"));
    const links = pages.flatMap((page) => linkTargets(readRepositoryFile(page)).map((target) => linkProblem(page, target)));
    assert.ok(links.length > 30, `${links.length} links`);
    assert.deepEqual(
      links.filter((problem) => problem !== undefined),
      [],
    );
    const planted = linkTargets("see [a](docs/nowhere.md), [b](CHANGELOG.md#nothing), [c](README.md#install), `[d](code.md)`");
    assert.deepEqual(
      planted.map((target) => linkProblem("README.md", target) !== undefined),
      [true, true, false],
    );
  });

  test("follow one pod and one secret through files that are there", () => {
    const page = "ARCHITECTURE.md";
    const text = readRepositoryFile(page);
    assert.deepEqual(fileProblems(page, text), []);
    const most = { "One pod, file by file": 15, "One secret, file by file": 10 };
    for (const [heading, count] of Object.entries(most)) {
      const steps = stepsUnder(text, heading);
      assert.ok(steps.length >= 8 && steps.length <= count, `${heading}: ${steps.length} steps`);
      for (const [index, step] of steps.entries()) {
        assert.ok(step.startsWith(`${index + 1}. `), step);
        assert.match(step, /\]\((?:src|manifests)\//, `the step names its file: ${step}`);
      }
      assert.match(steps[0] ?? "", /\(src\/main\.ts\)/);
    }
    const planted = "[`gone.ts`](src/gone.ts), [`app.ts`](src/main.ts), `kube/gone.ts`, `kube/lease.ts`, [`main.ts`](src/main.ts)";
    assert.deepEqual(fileProblems(page, planted), [
      "app.ts stands for src/main.ts",
      `${page}: src/gone.ts leads nowhere`,
      `${page}: there is no file kube/gone.ts`,
    ]);
    assert.deepEqual(stepsUnder("# A\n\n## Two\n\nWords:\n\n1. one\n   more\n2. two\n\n## Three\n\n1. three\n", "Two"), [
      "1. one\n   more",
      "2. two\n",
    ]);
  });

  test("are each reached from the README in two steps", () => {
    const missed = (from: string): readonly string[] => {
      const near = pagesBehind(from).flatMap((page) => [page, ...pagesBehind(page)]);
      return pages.filter((page) => page.startsWith("docs/") && !near.includes(page));
    };
    assert.deepEqual(missed("README.md"), []);
    assert.ok(missed("SECURITY.md").includes("docs/how-to/install.md"), "from another page not all are");
  });

  test("have YAML blocks that parse", () => {
    const blocks = pages.flatMap((page) => fencedBlocks(readRepositoryFile(page)).map((block) => ({ page, ...block })));
    const yaml = blocks.filter(({ language }) => language === "yaml");
    assert.ok(yaml.some(({ page }) => page === "README.md"));
    for (const { page, text } of yaml) assert.equal(yamlProblem(text), undefined, page);
    assert.ok(yamlProblem("kind: Pod\nkind: Pod\n"));
  });

  test("name files of the manifests that are there", () => {
    const named = pages.flatMap((page) =>
      [...readRepositoryFile(page).matchAll(/kubectl \w+ -[fk] (manifests\/[\w./-]+)/g)].map(([, file = ""]) => ({ page, file })),
    );
    assert.ok(named.length > 5);
    for (const { page, file } of named) assert.ok(existsSync(path.join(REPOSITORY, file)), `${page}: ${file}`);
  });

  test("change the chart's values in one way: the one that takes a new chart's defaults", () => {
    const upgrades = pages.flatMap((page) => {
      const commands = readRepositoryFile(page).match(/helm upgrade [^`]*?--(?:reset-then-)?reuse-values/g) ?? [];
      return commands.map((command) => `${page}: ${command}`);
    });

    assert.ok(upgrades.length > 5, upgrades.join());
    assert.deepEqual(
      upgrades.filter((command) => command.endsWith(" --reuse-values")),
      [],
    );
  });

  test("date the release of this version, with its rendered manifests", () => {
    assert.match(
      readRepositoryFile("CHANGELOG.md"),
      new RegExp(`^## \\[${VERSION.replaceAll(".", "\\.")}\\] - \\d{4}-\\d{2}-\\d{2}$`, "m"),
    );
    assert.ok(existsSync(path.join(REPOSITORY, "manifests/releases", VERSION, "keyvault-injector.yaml")));
  });

  test("N21: the index has every how-to, and the README every command", () => {
    const howTos = files.filter((file) => /^docs\/how-to\/[^/]+\.md$/.test(file)).map((file) => file.slice("docs/".length));
    const index = linkTargets(readRepositoryFile("docs/README.md"));
    const delivery = codeSpans(
      readRepositoryFile("README.md")
        .split("\n")
        .find((line) => line.startsWith("| Delivery |")) ?? "",
    );

    assert.ok(howTos.length > 10);
    assert.deepEqual(
      howTos.filter((page) => !index.includes(page)),
      [],
    );
    assert.deepEqual(
      COMMANDS.map(({ name }) => name).filter((name) => !delivery.includes(name)),
      [],
    );
  });

  test("N19: the README says what an install takes before its first command", () => {
    const [before = ""] = readRepositoryFile("README.md").split("## Install")[1]?.split("```") ?? [];

    for (const needed of [/Linux/, /Debian 12/, /Docker/, /registry that your cluster can pull from/, /--unsigned/])
      assert.match(before, needed);
  });
});
