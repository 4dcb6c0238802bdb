/**
 * Lints our pages, and the comments, names, and texts of our code.
 *
 * node tools/prose/main.ts [--words] [FILE...]
 *
 * Without options: prints `file:line: rule: …` for each finding and fails if there is one. With files: lints only those, edited or not.
 * `--words`: instead prints the number of hand-written words in each folder, and how many of them are in tables.
 */
import { parseArgs } from "node:util";
import { TextlintKernel } from "@textlint/kernel";
import markdownPlugin from "@textlint/textlint-plugin-markdown";
import { readRepositoryFile } from "../repository-files.ts";
import { filesWithComments, findingsInComments, findingsInGoComments } from "./comments.ts";
import { findingsInNames } from "./names.ts";
import { countWords, handWrittenPages, lintedPages, uneditedPages, withoutGenerated } from "./pages.ts";
import { opening, wording } from "./rules.ts";
import { findingsInStrings } from "./strings.ts";

const kernel = new TextlintKernel();

async function findingsOf(file: string): Promise<readonly string[]> {
  if (file.endsWith(".md")) return findingsInPage(file);
  const code = readRepositoryFile(file);
  if (file.endsWith(".go")) return placed(file, findingsInGoComments(code));
  const found = [...findingsInComments(code), ...(file.startsWith("src/") ? [...findingsInNames(code), ...findingsInStrings(code)] : [])];
  return placed(file, found);
}

function placed(file: string, found: readonly { readonly line: number; readonly message: string }[]): readonly string[] {
  return found.map(({ line, message }) => `${file}:${line}: ${message}`);
}

async function findingsInPage(page: string): Promise<readonly string[]> {
  const { messages } = await kernel.lintText(withoutGenerated(readRepositoryFile(page)), {
    filePath: page,
    ext: ".md",
    plugins: [{ pluginId: "markdown", plugin: markdownPlugin.default }],
    rules: [
      { ruleId: "wording", rule: wording },
      { ruleId: "opening", rule: opening },
    ],
  });
  return messages.map(({ message, loc }) => `${page}:${loc.start.line}:${loc.start.column}: ${message}`);
}

function printWords(): void {
  const byFolder = new Map<string, readonly [all: number, inTables: number]>();
  const add = (folder: string, [all, inTables]: readonly [number, number]): unknown => {
    const [before, beforeInTables] = byFolder.get(folder) ?? [0, 0];
    return byFolder.set(folder, [before + all, beforeInTables + inTables]);
  };
  for (const page of handWrittenPages()) {
    const markdown = readRepositoryFile(page);
    const all = countWords(markdown);
    const words = [all, all - countWords(markdown.replaceAll(/^\|.*$/gm, ""))] as const;
    add(page.includes("/") ? page.slice(0, page.lastIndexOf("/")) : page, words);
    if (/^docs\/(?:tutorial|how-to|explanation|runbooks|security)\//.test(page))
      add("tutorial, how-to, explanation, runbooks, security", words);
    add("all", words);
  }
  console.log("  words  in tables");
  for (const [folder, [all, inTables]] of byFolder) console.log(`${String(all).padStart(7)}  ${String(inTables).padStart(9)}  ${folder}`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { words: { type: "boolean", default: false } }, allowPositionals: true });
  if (values.words) {
    printWords();
    return 0;
  }
  const files = positionals.length > 0 ? positionals : [...lintedPages(), ...filesWithComments()];
  const findings = (await Promise.all(files.map(findingsOf))).flat();
  for (const finding of findings) console.error(finding);
  console.log(`prose: ${files.length} files, ${findings.length} findings, ${uneditedPages().length} pages not edited yet`);
  return findings.length > 0 ? 1 : 0;
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
