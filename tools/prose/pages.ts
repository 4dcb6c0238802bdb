/** Lists the pages to which the prose rules apply, and removes the generated parts of a page. */
import { repositoryFiles } from "../repository-files.ts";

/** Pages that `npm run render-manifests` generates completely. */
const GENERATED = new Set(["docs/reference/helm-values.md"]);

/** Evidence for maintainers, decisions and history. They have few readers, and their style is not edited. */
const RECORDS = [/^docs\/adr\//, /^docs\/evidence\//, /^CHANGELOG\.md$/, /^CODE_OF_CONDUCT\.md$/];

/** Pages that have not been edited yet. The list only shrinks: after a page has left it, findings on the page are errors. */
const UNEDITED = new Set<string>([]);

/** Every Markdown page at the top of the repository, in `certs` and below `docs`, except the generated ones. */
export function handWrittenPages(): readonly string[] {
  return repositoryFiles().filter((file) => /^(?:docs\/.+|certs\/[^/]+|[^/]+)\.md$/.test(file) && !GENERATED.has(file));
}

export function lintedPages(): readonly string[] {
  return handWrittenPages().filter((page) => !UNEDITED.has(page) && !RECORDS.some((record) => record.test(page)));
}

export function uneditedPages(): readonly string[] {
  return [...UNEDITED];
}

/** Replaces generated places by spaces, so that offsets stay the same. */
export function withoutGenerated(markdown: string): string {
  return markdown.replaceAll(/<!-- made by [\s\S]*?<!-- end -->/g, (place) => place.replaceAll(/[^\n]/g, " "));
}

/** Counts the words of prose, without code blocks, comments, link addresses and generated places. A code span counts as one word. */
export function countWords(markdown: string): number {
  const prose = withoutGenerated(markdown)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
    .replaceAll(/<!--[\s\S]*?-->/g, "")
    .replaceAll(/\]\([^)]*\)/g, "]")
    .replaceAll(/`[^`]*`/g, " code ");
  return prose.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
