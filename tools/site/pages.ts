/** Pages of the site: the repository's Markdown files with their addresses and titles. */
import path from "node:path";
import { readRepositoryFile, repositoryFiles } from "../repository-files.ts";

export interface SitePage {
  /** Path below the repository. */
  readonly file: string;
  readonly markdown: string;
  readonly title: string;
  /** Folder below the site's root, with a slash at its end. Empty for the first page. */
  readonly url: string;
}

export function sitePages(): readonly SitePage[] {
  const files = repositoryFiles().filter((file) => /^(?:docs\/.+|certs\/[^/]+|[^/]+)\.md$/.test(file));
  return files.map((file) => {
    const markdown = readRepositoryFile(file);
    return { file, markdown, title: titleOf(markdown, file), url: urlOf(file) };
  });
}

/** The address is `docs/how-to/install/` for `docs/how-to/install.md`, and the folder for a README. */
export function urlOf(file: string): string {
  const name = file.replace(/\.md$/, "").replace(/(?:^|(?<=\/))README$/, "");
  return name === "" || name.endsWith("/") ? name : `${name}/`;
}

/** Returns the relative link between two places of the site, so that the site works below any address, as on GitHub Pages. */
export function relativeUrl(from: string, to: string): string {
  const relative = path.posix.relative(`/${from}`, `/${to}`);
  return `${relative === "" ? "." : relative}${to === "" || to.endsWith("/") ? "/" : ""}`;
}

/** The fragment of a heading as on GitHub. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function titleOf(markdown: string, file: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1]?.replaceAll("`", "") ?? file;
}
