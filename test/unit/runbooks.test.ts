import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { OPTIONS } from "../../src/cli/shared/options.ts";
import * as annotations from "../../src/domain/annotations.ts";
import { ROLLOUT_REASONS, SYNC_REASONS } from "../../src/domain/reasons.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { registeredMetrics } from "../../tools/reference/registered-metrics.ts";
import { REPOSITORY, readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { anchors, codeSpans, linkTargets, tables } from "../support/docs/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/docs/reference-page.ts";
import { commandsOf, known, problemOf } from "../support/docs/runbook-commands.ts";
import { absentWords, sourceWords } from "../support/docs/source-words.ts";

const FOLDER = "docs/runbooks";
const INDEX = readRepositoryFile(`${FOLDER}/README.md`);
const SECTIONS = ["Messages", "Impact", "Confirm", "What to do", "Caution", "Resolved when"];

const files = globSync("*.md", { cwd: path.join(REPOSITORY, FOLDER) }).sort();
const pages = files
  .filter((file) => file !== "README.md")
  .map((file) => ({ name: file.replace(".md", ""), text: readRepositoryFile(`${FOLDER}/${file}`) }));
const facts = known(VERSION);
const source = sourceWords();

/** Items of the section "Messages". */
function messagesOf(text: string): readonly string[] {
  const [, section = ""] = /## Messages\n([\s\S]*?)\n## /.exec(text) ?? [];
  return section.split("\n").flatMap((line) => /^- `([^`]*)`/.exec(line)?.[1] ?? []);
}

/** Names of the project in a page that do not exist: metrics, options, and annotations. */
function unknownWords(text: string, metrics: ReadonlySet<string>): readonly string[] {
  const spans = codeSpans(text.replaceAll(/```[\s\S]*?```/g, ""));
  const flags: readonly string[] = [...Object.keys(SETTINGS), ...Object.keys(OPTIONS)].map((name) => `--${name}`);
  const keys = Object.values(annotations).flatMap((value): readonly string[] =>
    typeof value === "string" ? [value] : Object.values(value),
  );
  return [
    ...(text.match(/\bkeyvault_injector_\w+/g) ?? []).filter((name) => !metrics.has(name)),
    ...spans.flatMap((span) => span.match(/(?<![\w-])--[a-z][a-z-]+/g) ?? []).filter((flag) => !flags.includes(flag)),
    ...(text.match(/keyvault-injector\.dev\/[a-z]+(?:-[a-z]+)*/g) ?? []).filter((key) => !keys.includes(key)),
  ];
}

describe("the index of the runbooks", () => {
  const read: Reader = (markdown) =>
    tablesOf(markdown, "Runbook").flatMap(({ rows }) => rows.map(([runbook = ""]) => codeSpans(runbook).join()));

  test("has every reason of the closed set, and no other", () => assertSame(read(INDEX), SYNC_REASONS, "README.md"));
  test("is compared in earnest", () => assertNotices(INDEX, read, SYNC_REASONS));

  test("P11: says of every reason of a restart where to look, but for those that need nothing", () => {
    const listed = tables(INDEX)
      .filter(({ header }) => header[1] === "Where to look")
      .flatMap(({ rows }) => rows.flatMap(([reasons = ""]) => codeSpans(reasons)));
    const needsNothing = ["Restarted", "Restarting", "Rotated"];

    assert.deepEqual(listed.toSorted(), ROLLOUT_REASONS.filter((reason) => !needsNothing.includes(reason)).toSorted());
  });

  test("links every page of the folder, and each reason to the page of its name", () => {
    const linked = new Set(
      tables(INDEX)
        .flatMap(({ rows }) => rows.flatMap((row) => linkTargets(row.join(" "))))
        .filter((target) => !target.includes("/")),
    );

    assert.deepEqual(
      [...linked].sort(),
      files.filter((file) => file !== "README.md"),
    );
    for (const reason of SYNC_REASONS) assert.ok(INDEX.includes(`| [\`${reason}\`](${reason}.md) |`), reason);
  });
});

describe("each runbook", () => {
  test("has the same sections in the same order, none of them empty", () => {
    assert.ok(pages.length >= SYNC_REASONS.length);
    for (const { name, text } of pages) {
      assert.deepEqual(
        [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading),
        SECTIONS,
        name,
      );
      for (const section of text.split(/^## .*$/m).slice(1)) assert.ok(section.trim().length > 10, name);
      assert.ok(commandsOf(text).length > 0, name);
    }
  });

  test("gives messages word for word as the code does", () => {
    for (const { name, text } of pages) {
      const messages = messagesOf(text);
      assert.ok(messages.length > 0 || /## Messages\n\n- /.test(text), name);
      for (const message of messages) assert.deepEqual(absentWords(message, source), [], `${name}: ${message}`);
    }
    for (const reason of SYNC_REASONS) assert.ok(messagesOf(readRepositoryFile(`${FOLDER}/${reason}.md`)).length > 0, reason);
    assert.deepEqual(absentWords("the vault is throttling requests (<code>); poll rarely", source), ["); poll rarely"]);
    const foreign = "exists but is not managed by the worker (made by <writer>), so the worker leaves it unchanged";
    assert.deepEqual(absentWords(foreign, source), ["exists but is not managed by the worker (made by "]);
  });

  test("has commands that can be given: resources, names, subcommands and flags exist", () => {
    for (const { name, text } of [...pages, { name: "README", text: INDEX }]) {
      for (const command of commandsOf(text)) assert.equal(problemOf(command, facts), undefined, `${name}: ${command.line}`);
    }
  });

  test("R5: advises no change of ours that healing undoes", () => {
    const undone = (text: string): readonly string[] =>
      commandsOf(text).flatMap(({ program, words, line }) =>
        program === "kubectl" && ["scale", "set", "edit", "patch"].includes(words[0] ?? "") && line.includes("-n keyvault-injector")
          ? [line]
          : [],
      );
    for (const { name, text } of pages) assert.deepEqual(undone(text), [], name);
    assert.equal(undone("```sh\nkubectl scale deployment -n keyvault-injector keyvault-injector-webhook --replicas=4\n```\n").length, 1);
  });

  test("would be told of a command that cannot be given", () => {
    const planted = {
      "kubectl get spcsyncs -A": "no resource spcsyncs",
      "kubectl get lease -n keyvault-injector keyvault-injector-worker": "nothing that is installed is called keyvault-injector-worker",
      "kubectl logs -n keyvault-injector -l app.kubernetes.io/component=worker": "nothing that is installed is called worker",
      "kubectl remove pods": "kubectl has no remove",
      "keyvault-injector examine spc/a": "no command examine",
      "kubectl get pods -A | greb x": "kubectl get pods -A | greb x: what is greb?",
    };
    const problems = Object.keys(planted).map((line) =>
      commandsOf(`\`\`\`sh\n${line}\n\`\`\`\n`)
        .map((each) => problemOf(each, facts))
        .find((problem) => problem !== undefined),
    );

    assert.deepEqual(problems, Object.values(planted));
    assert.match(String(problemOf({ program: "keyvault-injector", words: ["doctor", "--all"], line: "" }, facts)), /unknown option --all/);
  });

  test("names only metrics, settings, options and annotations that there are", async () => {
    const metrics = new Set((await registeredMetrics()).map(({ name }) => name));
    for (const { name, text } of [...pages, { name: "README", text: INDEX }]) assert.deepEqual(unknownWords(text, metrics), [], name);
    assert.deepEqual(unknownWords("`--heel=crds` keyvault_injector_leaders keyvault-injector.dev/refreshed", metrics), [
      "keyvault_injector_leaders",
      "--heel",
      "keyvault-injector.dev/refreshed",
    ]);
  });

  test("links only to what is there", () => {
    for (const { name, text } of [...pages, { name: "README", text: INDEX }]) {
      for (const target of linkTargets(text)) {
        const [file = "", fragment] = target.split("#");
        const found = path.join(REPOSITORY, FOLDER, file);
        assert.ok(existsSync(found), `${name}: ${target}`);
        if (fragment !== undefined)
          assert.ok(anchors(readRepositoryFile(path.join(FOLDER, file))).includes(fragment), `${name}: ${target}`);
      }
    }
  });
});
