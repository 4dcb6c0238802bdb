/** The pages of the site: the repository's own Markdown, where each is published, and what it is called. */
import path from "node:path";
import { readRepositoryFile, repositoryFiles } from "../repository-files.ts";

export interface SitePage {
  /** Below the repository. */
  readonly file: string;
  readonly markdown: string;
  readonly title: string;
  /** Folder below the site's root with a slash at its end; of the first page nothing. */
  readonly url: string;
}

export function sitePages(): readonly SitePage[] {
  const files = repositoryFiles().filter((file) => /^(?:docs\/.+|certs\/[^/]+|[^/]+)\.md$/.test(file));
  return files.map((file) => {
    const markdown = readRepositoryFile(file);
    return { file, markdown, title: titleOf(markdown, file), url: urlOf(file) };
  });
}

/** `docs/how-to/install.md` is `docs/how-to/install/`, a README its folder. */
export function urlOf(file: string): string {
  const name = file.replace(/\.md$/, "").replace(/(?:^|(?<=\/))README$/, "");
  return name === "" || name.endsWith("/") ? name : `${name}/`;
}

/** The link from one place of the site to another; works below any address, as GitHub Pages has it. */
export function relativeUrl(from: string, to: string): string {
  const relative = path.posix.relative(`/${from}`, `/${to}`);
  return `${relative === "" ? "." : relative}${to === "" || to.endsWith("/") ? "/" : ""}`;
}

/** As GitHub makes the fragment of a heading. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function titleOf(markdown: string, file: string): string {
  return /^# (.+)$/m.exec(markdown)?.[1]?.replaceAll("`", "") ?? file;
}
