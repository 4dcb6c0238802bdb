/** Converts the repository's Markdown for the site: fragments of headings as on GitHub, and links to pages, sources and pictures. */
import path from "node:path";
import { escaped } from "../markup.ts";
import { relativeUrl, slugOf, urlOf } from "./pages.ts";

/** The parts of markdown-it that this file uses. Eleventy contains it. */
interface Token {
  readonly type: string;
  readonly content: string;
  /** Language of a fenced block. */
  readonly info: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

export interface MarkdownIt {
  readonly core: { readonly ruler: { push(name: string, rule: (state: { tokens: Token[]; env: unknown }) => void): void } };
}

export interface LinkTargets {
  /** Files of the repository that are pages. */
  readonly pages: ReadonlySet<string>;
  /** Address of the other files' sources. */
  readonly source: string;
}

const PICTURE = /\.(?:svg|png)$/;

/** Converts a link of a page for the site. */
export function siteLink(target: string, { file, url }: { readonly file: string; readonly url: string }, targets: LinkTargets): string {
  if (/^(?:[a-z]+:|#)/.test(target)) return target;
  const [linked = "", fragment] = target.split("#");
  const found = path.posix.normalize(path.posix.join(path.posix.dirname(file), linked)).replace(/\/$/, "");
  const suffix = fragment === undefined ? "" : `#${fragment}`;
  if (targets.pages.has(found)) return relativeUrl(url, urlOf(found)) + suffix;
  if (targets.pages.has(`${found}/README.md`)) return relativeUrl(url, `${found}/`) + suffix;
  if (PICTURE.test(found) || found === "docs/adr") return relativeUrl(url, PICTURE.test(found) ? found : `${found}/`) + suffix;
  return `${targets.source}/${found}${suffix}`;
}

/** Plugin of markdown-it. Eleventy's data contains the page. */
export function siteMarkdown(markdown: MarkdownIt, targets: LinkTargets): void {
  markdown.core.ruler.push("site", ({ tokens, env }) => {
    const page = (env as { readonly sitePage: { readonly file: string; readonly url: string } }).sitePage; // Added by main.ts.
    for (const [index, token] of tokens.entries()) {
      if (isDiagram(token))
        Object.assign(token, { type: "html_block", content: `<pre class="${DIAGRAM}">${escaped(token.content)}</pre>\n` });
      if (token.type === "heading_open") token.attrSet("id", slugOf(headingText(tokens[index + 1])));
      for (const child of token.children ?? []) {
        const attribute = child.type === "link_open" ? "href" : child.type === "image" ? "src" : undefined;
        if (attribute !== undefined) child.attrSet(attribute, siteLink(child.attrGet(attribute) ?? "", page, targets));
      }
    }
  });
}

/** CSS class by which the page's script finds diagrams. */
export const DIAGRAM = "mermaid";

const isDiagram = ({ type, info }: Token): boolean => type === "fence" && info.trim() === DIAGRAM;

function headingText(inline: Token | undefined): string {
  return (inline?.children ?? []).map(({ content }) => content).join("");
}
