/** Checks that every link of the built site leads to a file and fragment that exist. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

/** One line for each link to a missing file or fragment. */
export function brokenLinks(folder: string): readonly string[] {
  const files = new Set(
    globSync("**/*", { cwd: folder, withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [relative(folder, entry)] : [])),
  );
  const texts = new Map(
    [...files].filter((file) => file.endsWith(".html")).map((file) => [file, readFileSync(path.join(folder, file), "utf8")]),
  );
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/(?:href|src)="([^"]*)"/g)].flatMap(
      ([, target = ""]) => linkProblem({ file, target: target.replaceAll("&amp;", "&"), files, texts }) ?? [],
    ),
  );
}

function relative(folder: string, entry: { readonly parentPath: string; readonly name: string }): string {
  return path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, "/");
}

interface Link {
  readonly file: string;
  readonly target: string;
  readonly files: ReadonlySet<string>;
  readonly texts: ReadonlyMap<string, string>;
}

function linkProblem({ file, target, files, texts }: Link): string | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [linked = "", fragment] = target.split("#");
  const joined = linked === "" ? file : path.posix.normalize(path.posix.join(path.posix.dirname(file), linked));
  const found = joined.endsWith("/") || joined === "." ? path.posix.normalize(`${joined}/index.html`) : joined;
  if (!files.has(found)) return `${file}: ${target} leads nowhere`;
  if (fragment === undefined || fragment === "") return undefined;
  return texts.get(found)?.includes(` id="${decodeURIComponent(fragment)}"`) === true ? undefined : `${file}: ${found} has no #${fragment}`;
}
