/** The lint of the English in pages. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { filesWithComments, findingsInComments, findingsInGoComments } from "../../tools/prose/comments.ts";
import { findingsInNames } from "../../tools/prose/names.ts";
import { countWords, handWrittenPages, lintedPages, uneditedPages, withoutGenerated } from "../../tools/prose/pages.ts";
import { COMMENT_PATTERNS, PATTERNS } from "../../tools/prose/patterns.ts";
import { findingsIn, sentencesOf } from "../../tools/prose/rules.ts";
import { findingsInStrings } from "../../tools/prose/strings.ts";
import { readRepositoryFile, repositoryFiles } from "../../tools/repository-files.ts";

/** An example of each pattern, and its replacement. */
const EXAMPLES: Readonly<Record<string, readonly [before: string, after: string]>> = {
  "headless-who": ["Whoever may write a class gains nothing.", "A user who may write a class gains nothing."],
  "headless-what": ["What is not signed is ignored.", "The worker ignores unsigned copies."],
  "impersonal-passive": ["The author is told of the right.", "A warning names the right."],
  "comes-back": ["The Secret comes back.", "The worker restores the Secret."],
  stands: ["The annotation stands on the Deployment, as it stands there.", "The annotation is on the Deployment, unchanged."],
  look: ["The worker looks at the class before the next look.", "The worker reconciles the class."],
  "private-word": ["The repair mends the elder class.", "The repair restores the preferred owner."],
  "of-ours": ["A registry of yours holds it.", "Your registry holds it."],
  "has-not": ["A class whose author has not the rights.", "A class whose author lacks the permissions."],
  "all-the-same": ["It starts all the same.", "It starts anyway."],
  evidence: ["A test compares this page.", "The page lists every setting."],
  "so-that-who": ["Its status says so.", "Its status reports the reason."],
  "this-page": ["This page moves resources.", "Migrate resources."],
  "exit-code": ["The command ends with 1.", "The command exits with code 1."],
  "asks-vault": ["The command asks no vault.", "The command does not query the vault."],
  "is-no": ["The worker is no field manager.", "The worker is not a field manager."],
  "by-means": ["It creates a pod by dry run.", "It creates a pod as a dry run."],
  "where-if": ["It exits where there is no cluster.", "It exits if there is no cluster."],
  else: ["The name is the alias, else the object's.", "The name is the alias, otherwise the object's."],
  somebody: ["Somebody deleted the Secret.", "Someone deleted the Secret."],
  again: ["Apply the manifests again to a class that was made anew.", "Reapply the manifests to a class that was recreated."],
  "plural-of-code": ["Convert the `SecretSync`s.", "Convert the `SecretSync` resources."],
  "not-take": ["The provider takes no notice of it.", "The provider ignores it."],
};

/** Examples of the patterns that apply to comments only. */
const IN_COMMENTS: typeof EXAMPLES = {
  "headless-comment": ["What is kept of a list.", "The parts of a list that the worker keeps."],
  "to-be": ["To be called once.", "Call this once."],
  nobody: ["Nobody reads it.", "No one reads it."],
};

describe("the lint of the pages' English", () => {
  test("finds one of each pattern, and nothing in the sentence that replaces it", () => {
    assert.deepEqual(Object.keys(EXAMPLES).sort(), PATTERNS.map(({ id }) => id).sort());
    for (const [id, [before, after]] of Object.entries(EXAMPLES)) {
      assert.ok(
        findingsIn(before).some(({ message }) => message.startsWith(`${id}: `)),
        before,
      );
      assert.deepEqual(findingsIn(after), [], after);
    }
  });

  test("finds one of each pattern of comments, in any kind of comment, on its line", () => {
    assert.deepEqual(Object.keys(IN_COMMENTS).sort(), COMMENT_PATTERNS.map(({ id }) => id).sort());
    for (const [id, [before, after]] of Object.entries({ ...EXAMPLES, ...IN_COMMENTS })) {
      const [first = "", ...others] = before.split(" ");
      const broken = [`// ${first}`, `// ${others.join(" ")}`];
      for (const comment of [[`/** ${before} */`], [`// ${before}`], ["/**", ` * ${before}`, " */"], broken]) {
        const found = findingsInComments(["const url = 1;", ...comment, "export {};"].join("\n"));
        assert.ok(
          found.some(({ line, message }) => message.startsWith(`${id}: `) && line > 1 && line < 2 + comment.length),
          comment.join("\n"),
        );
      }
      assert.deepEqual(findingsInComments(`/** ${after} */`), [], after);
    }
    assert.deepEqual(findingsInComments('const text = "// Nobody"; // biome-ignore'), []);
  });

  test("GO: finds one of each pattern in the comments of Go, on its line, and nothing in its strings", () => {
    for (const [before, after] of Object.values({ ...EXAMPLES, ...IN_COMMENTS })) {
      for (const comment of [`// ${before}`, `/* ${before} */`, `var a = "\\"" // ${before}`, `var b = '"' // ${before}`]) {
        const found = findingsInGoComments(["package main", comment].join("\n"));
        assert.ok(found.length > 0 && found.every(({ line }) => line === 2), comment);
      }
      assert.deepEqual(findingsInGoComments(`// ${after}\npackage main\n`), [], after);
    }
    for (const text of ['"// Nobody"', "`\n// Nobody\n/* Nobody */`", `"\\" // Nobody"`])
      assert.deepEqual(findingsInGoComments(`var text = ${text}\n`), [], text);
    assert.deepEqual(findingsInGoComments("//go:embed nobody\nvar a string\n"), []);
  });

  test("GO: the lint reads every Go file", () => {
    assert.deepEqual(
      repositoryFiles().filter((file) => file.endsWith(".go") && !filesWithComments().includes(file)),
      [],
    );
  });

  test("finds private words in names, and leaves those of English alone", () => {
    const ours = ["toldOf", "isTold", "MOST_TOLD", "lookAtIt", "nextLook", "looked", "LOOKS_AFTER_MS", "heir", "tellStatus", "Teller"];
    for (const name of ours) assert.equal(findingsInNames(`const ${name} = 1;`).length, 1, name);
    assert.equal(findingsInNames("class Cache { readonly #looks = 1; }").length, 1);
    for (const name of ["lookUp", "lookup", "lookUpIdentity", "looksLikeOption", "storyteller", "weird", "theirs", "report"])
      assert.deepEqual(findingsInNames(`const ${name} = 1;`), [], name);
  });

  test("NB: finds texts of the code that name no actor, on their line", () => {
    for (const text of ['"nobody receives them"', "'Somebody'", "`by anybody`", "`${a} has everybody ${b}`", "`${a} for ${b} by nobody`"])
      assert.deepEqual(
        findingsInStrings(`const a = 1;\nconst text = ${text};`).map(({ line }) => line),
        [2],
        text,
      );
    for (const code of ["const nobody = somebody();", "// nobody", '"no one receives them"', "`${nobody}`", '"the antibody"'])
      assert.deepEqual(findingsInStrings(code), [], code);
  });

  test("NB: finds none of them in src", () => {
    const found = repositoryFiles()
      .filter((file) => file.startsWith("src/") && file.endsWith(".ts"))
      .flatMap((file) => findingsInStrings(readRepositoryFile(file)).map(({ line, message }) => `${file}:${line}: ${message}`));
    assert.deepEqual(found, []);
  });

  test("finds a sentence that is too long, and counts code as one word", () => {
    const words = (count: number): string => `${Array.from({ length: count }, () => "word").join(" ")}.`;
    assert.equal(findingsIn(words(41)).length, 1);
    assert.deepEqual(findingsIn(`${words(40)} W${words(40)}`), []);
    assert.deepEqual(
      sentencesOf("One sentence of `code` here. Another one; with 1.2.3 in it.").map(({ words: count }) => count),
      [5, 6],
    );
  });

  test("leaves code, addresses and generated places alone", () => {
    assert.deepEqual(findingsIn("Set `whoever` in [the page](whoever.md)."), []);
    const page = "one\n<!-- made by `npm run reference`: x -->\nwhoever\n<!-- end -->\ntwo\n";
    assert.ok(!withoutGenerated(page).includes("whoever"));
    assert.equal(withoutGenerated(page).length, page.length);
    assert.equal(countWords(page), 2);
  });

  test("finds the pages for users as short as they are meant to be", () => {
    const pages = handWrittenPages().filter((page) => /^docs\/(?:tutorial|how-to|explanation|runbooks|security)\//.test(page));
    const texts = pages.map((page) => readRepositoryFile(page));
    const words = texts.reduce((sum, text) => sum + countWords(text), 0);
    assert.ok(words > 10_000 && words <= 20_000, `${words} words, tables included`);
  });

  test("has nothing in its list of unedited pages that is gone", () => {
    const files = repositoryFiles();
    assert.deepEqual(
      uneditedPages().filter((page) => !files.includes(page)),
      [],
    );
    assert.ok(lintedPages().length > 10);
  });
});
