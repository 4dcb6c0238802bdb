/** The pages that the prose rules are for, and what of a page is written by hand. */
import { repositoryFiles } from "../repository-files.ts";

/** Made whole by `npm run render-manifests`. */
const GENERATED = new Set(["docs/reference/helm-values.md"]);

/** Evidence for maintainers, decisions and history: read by few, and not rewritten for style. */
const RECORDS = [/^docs\/adr\//, /^docs\/evidence\//, /^CHANGELOG\.md$/, /^CODE_OF_CONDUCT\.md$/];

/** Not edited yet. The list only shrinks: a page that leaves it stays free of findings. */
const UNEDITED = new Set<string>([]);

/** Every page of Markdown at the top of the repository, in `certs` and below `docs`, the generated ones left out. */
export function handWrittenPages(): readonly string[] {
  return repositoryFiles().filter((file) => /^(?:docs\/.+|certs\/[^/]+|[^/]+)\.md$/.test(file) && !GENERATED.has(file));
}

export function lintedPages(): readonly string[] {
  return handWrittenPages().filter((page) => !UNEDITED.has(page) && !RECORDS.some((record) => record.test(page)));
}

export function uneditedPages(): readonly string[] {
  return [...UNEDITED];
}

/** The page with generated places as spaces, so that offsets stay. */
export function withoutGenerated(markdown: string): string {
  return markdown.replaceAll(/<!-- made by [\s\S]*?<!-- end -->/g, (place) => place.replaceAll(/[^\n]/g, " "));
}

/** Words of prose: code blocks, comments, addresses of links and generated places do not count; a code span is one word. */
export function countWords(markdown: string): number {
  const prose = withoutGenerated(markdown)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
    .replaceAll(/<!--[\s\S]*?-->/g, "")
    .replaceAll(/\]\([^)]*\)/g, "]")
    .replaceAll(/`[^`]*`/g, " code ");
  return prose.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
