/** Parts of our pages that tests read: headings, tables, links and fenced blocks. */

export interface Table {
  /** Headings above the table, outermost first. */
  readonly under: readonly string[];
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface FencedBlock {
  readonly language: string;
  readonly text: string;
}

export function fencedBlocks(markdown: string): readonly FencedBlock[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));
}

/** Targets of links and images outside code. */
export function linkTargets(markdown: string): readonly string[] {
  const prose = withoutFences(markdown).replaceAll(/`[^`]*`/g, "");
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = ""]) => target);
}

/** Fragments of the page's headings, and of places marked with `<a id="…">`. */
export function anchors(markdown: string): readonly string[] {
  const text = withoutFences(markdown);
  const headings = [...text.matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
  return [...headings, ...[...text.matchAll(/<a id="([\w-]+)">/g)].map(([, id = ""]) => id)];
}

export function tables(markdown: string): readonly Table[] {
  const found: { under: readonly string[]; header: readonly string[]; rows: (readonly string[])[] }[] = [];
  let headings: readonly string[] = [];
  let isInTable = false;
  for (const line of withoutFences(markdown).split("\n")) {
    const heading = /^(#{1,6}) (.*)$/.exec(line);
    if (heading !== null) headings = [...headings.slice(0, (heading[1] ?? "").length - 1), heading[2] ?? ""];
    const isRow = line.startsWith("|");
    if (isRow && !isInTable) found.push({ under: headings, header: cellsOf(line), rows: [] });
    else if (isRow && !/^[|\s:-]+$/.test(line)) found.at(-1)?.rows.push(cellsOf(line));
    isInTable = isRow;
  }
  return found;
}

/** Texts in backquotes, in order. */
export function codeSpans(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(([, text = ""]) => text);
}

function cellsOf(line: string): readonly string[] {
  return line
    .slice(1)
    .replace(/\|\s*$/, "")
    .split("|")
    .map((cell) => cell.trim());
}

function withoutFences(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
}
