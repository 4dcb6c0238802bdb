/** Publisher and addresses of the project, from package.json. */
import { readFileSync } from "node:fs";
import path from "node:path";

export interface Project {
  readonly version: string;
  readonly license: string;
  /** Without a slash at its end. The pages of `docs` are below it. */
  readonly homepage: string;
  readonly repository: string;
  readonly maintainers: readonly { readonly name: string; readonly email: string }[];
}

const root = path.resolve(import.meta.dirname, "../..");

export const PROJECT = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Project; // Our own file; a test reads Chart.yaml.

/** Makes the relative links of the repository's Markdown absolute, for readers outside the repository. */
export function withAbsoluteLinks(markdown: string): string {
  return markdown.replaceAll(/\]\((?!https?:|#)([^)]+)\)/g, (_, target: string) => `](${PROJECT.homepage}/${target})`);
}
