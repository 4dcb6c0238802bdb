/** Who publishes the chart and where its pages are: package.json says it once. */
import { readFileSync } from "node:fs";
import path from "node:path";

export interface Project {
  readonly version: string;
  readonly license: string;
  /** Without a slash at its end; pages of `docs` are below it. */
  readonly homepage: string;
  readonly repository: string;
  readonly maintainers: readonly { readonly name: string; readonly email: string }[];
}

const root = path.resolve(import.meta.dirname, "../..");

export const PROJECT = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Project; // Our own file; a test reads Chart.yaml.

/** Markdown of the repository as somebody reads it elsewhere: relative links lead to the project's pages. */
export function withAbsoluteLinks(markdown: string): string {
  return markdown.replaceAll(/\]\((?!https?:|#)([^)]+)\)/g, (_, target: string) => `](${PROJECT.homepage}/${target})`);
}
