/**
 * Builds the site from the repository's Markdown with Eleventy.
 *
 * node tools/site/main.ts [--check] [--output FOLDER]
 *
 * Checks every link. `--check` builds into a temporary folder, for the gate. Otherwise the site goes into the folder `site`.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
// @ts-expect-error -- Eleventy has no types.
import untypedEleventy from "@11ty/eleventy";
import { PROJECT } from "../helm-chart/project.ts";
import { repositoryFiles } from "../repository-files.ts";
import { brokenLinks } from "./links.ts";
import { type MarkdownIt, siteMarkdown } from "./markdown.ts";
import { relativeUrl, type SitePage, sitePages } from "./pages.ts";
import { SEARCH_SCRIPT, searchIndex } from "./search.ts";
import { redirect, shell } from "./shell.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** The parts of Eleventy's configuration and class that this file uses. */
interface Configuration {
  setQuietMode(is: boolean): void;
  setUseGitIgnore(is: boolean): void;
  amendLibrary(name: string, change: (library: MarkdownIt) => void): void;
  addTemplate(file: string, content: string, data: Readonly<Record<string, unknown>>): void;
  addTransform(name: string, change: (this: { readonly page: { readonly outputPath: string } }, content: string) => string): void;
}
type Eleventy = new (
  input: string,
  output: string,
  options: {
    readonly quietMode: boolean;
    readonly configPath: string | null;
    readonly config: (configuration: Configuration) => Readonly<Record<string, unknown>>;
  },
) => { write(): Promise<unknown> };
const Eleventy = untypedEleventy as Eleventy; // As in the documentation of its version.

/** A page with the list of decisions, which are only a folder in the repository. */
function decisionsPage(pages: readonly SitePage[]): SitePage {
  const decisions = pages.filter(({ file }) => file.startsWith("docs/adr/"));
  const list = decisions.map(({ file, title }) => `- [${title}](${path.posix.basename(file)})`).join("\n");
  return {
    file: "docs/adr/README.md",
    url: "docs/adr/",
    title: "Decisions",
    markdown: `# Decisions\n\nWhy things are as they are.\n\n${list}\n`,
  };
}

async function build(output: string): Promise<number> {
  const own = sitePages();
  const pages = [...own, decisionsPage(own)];
  const byOutput = new Map(pages.map((page) => [path.join(output, page.url, "index.html"), page]));
  const targets = { pages: new Set(pages.map(({ file }) => file)), source: PROJECT.repository };
  const empty = mkdtempSync(path.join(tmpdir(), "site-input-"));
  const config = (configuration: Configuration): Readonly<Record<string, unknown>> => {
    configuration.setQuietMode(true);
    configuration.setUseGitIgnore(false);
    configuration.amendLibrary("md", (library) => siteMarkdown(library, targets));
    for (const page of pages) configuration.addTemplate(page.file, page.markdown, { permalink: `${page.url}index.html`, sitePage: page });
    configuration.addTransform("shell", function (content) {
      const page = byOutput.get(path.resolve(this.page.outputPath));
      return page === undefined ? content : shell(content, page, pages);
    });
    return { markdownTemplateEngine: false, templateFormats: ["md"] };
  };
  try {
    await new Eleventy(empty, output, { quietMode: true, configPath: null, config }).write();
  } finally {
    rmSync(empty, { recursive: true });
  }
  addFiles(output, pages);
  return pages.length;
}

/** Adds pictures and the search, and for each page a redirect from its file's name. */
function addFiles(output: string, pages: readonly SitePage[]): void {
  for (const file of repositoryFiles().filter((each) => /^docs\/.*\.(?:svg|png)$/.test(each)))
    cpSync(path.join(root, file), path.join(output, file));
  cpSync(distOf("minisearch", "umd/index.js"), path.join(output, "minisearch.js"));
  cpSync(distOf("mermaid", "mermaid.min.js"), path.join(output, "mermaid.js"));
  writeFileSync(path.join(output, "search.js"), SEARCH_SCRIPT);
  writeFileSync(path.join(output, "search.json"), searchIndex(pages));
  // GitHub Pages serves the files as they are.
  writeFileSync(path.join(output, ".nojekyll"), "");
  for (const { file, url } of pages) {
    mkdirSync(path.join(output, file), { recursive: true });
    writeFileSync(path.join(output, file, "index.html"), redirect(relativeUrl(`${file}/`, url)));
  }
}

/** A package's file for browsers. */
function distOf(name: string, file: string): string {
  return createRequire(import.meta.url)
    .resolve(name)
    .replace(/dist\/.*$/, `dist/${file}`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false }, output: { type: "string", default: "site" } } });
  const output = values.check ? mkdtempSync(path.join(tmpdir(), "site-")) : path.resolve(values.output);
  try {
    if (!values.check) rmSync(output, { recursive: true, force: true });
    const pages = await build(output);
    const broken = brokenLinks(output);
    for (const problem of broken) console.error(`site: ${problem}`);
    console.log(`site: ${pages} pages, ${broken.length} broken links${values.check ? "" : `, in ${path.relative(root, output)}`}`);
    return broken.length > 0 ? 1 : 0;
  } finally {
    if (values.check) rmSync(output, { recursive: true });
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error);
  return 1;
});
