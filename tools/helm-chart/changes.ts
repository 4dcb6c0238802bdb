/** Reads the section of a version in CHANGELOG.md, with Artifact Hub's words for the kinds of changes. */
import { withAbsoluteLinks } from "./project.ts";

export interface Change {
  readonly kind: "added" | "changed" | "deprecated" | "removed" | "fixed" | "security";
  readonly description: string;
}

const KINDS: Readonly<Record<string, Change["kind"]>> = {
  Added: "added",
  Changed: "changed",
  Deprecated: "deprecated",
  Removed: "removed",
  Fixed: "fixed",
  Security: "security",
};

/** Returns the text of `## [version]` without its `## `. Throws if the section does not exist. */
export function sectionOf(changelog: string, version: string): string {
  const section = changelog.split(/^## /m).find((candidate) => candidate.startsWith(`[${version}]`));
  if (section === undefined) throw new Error(`CHANGELOG.md has no section [${version}]`);
  return section;
}

/** Changes of `## [version]`. Throws if the section does not exist, or if Keep a Changelog does not define one of its headings. */
export function changesOf(changelog: string, version: string): readonly Change[] {
  const [, ...parts] = sectionOf(changelog, version).split(/^### /m);
  return parts.flatMap((part) => {
    const [heading = "", ...lines] = part.split("\n");
    const kind = KINDS[heading.trim()];
    if (kind === undefined) throw new Error(`CHANGELOG.md, [${version}]: ${heading} is no kind of change`);
    const [, ...entries] = `\n${lines.join("\n")}`.split("\n- ");
    return entries.map((entry) => {
      const [words = ""] = entry.split("\n\n", 1); // After an empty line comes the name of the next group.
      return { kind, description: withAbsoluteLinks(words.replaceAll(/\s+/g, " ").trim()) };
    });
  });
}
