/** Lints the comments of the code with the rules for pages. */
import { parse } from "@babel/parser";
import { repositoryFiles } from "../repository-files.ts";
import { COMMENT_PATTERNS, PATTERNS } from "./patterns.ts";
import { findingsIn } from "./rules.ts";

const CODE = /^(?:src|tools|test|certs)\/.+\.ts$/;

export function filesWithComments(): readonly string[] {
  return repositoryFiles().filter((file) => CODE.test(file));
}

interface CommentFinding {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** The text of a comment on one line, with the offset in the file for each of its characters. */
interface Prose {
  readonly text: string;
  readonly offsets: readonly number[];
}

export function findingsInComments(code: string): readonly CommentFinding[] {
  return commentsOf(code).flatMap(({ text, offsets }) =>
    findingsIn(text, [...PATTERNS, ...COMMENT_PATTERNS]).map(({ at, message }) => ({ line: lineAt(code, offsets[at] ?? 0), message })),
  );
}

/** Consecutive line comments count as one comment. */
function commentsOf(code: string): readonly Prose[] {
  const { comments } = parse(code, { sourceType: "module", plugins: ["typescript"] });
  const groups: { start: number; end: number; isBlock: boolean }[] = [];
  for (const { start, end, type } of comments ?? []) {
    if (start === undefined || end === undefined) continue;
    const last = groups.at(-1);
    const isBlock = type === "CommentBlock";
    if (last !== undefined && !last.isBlock && !isBlock && /^\s*$/.test(code.slice(last.end, start))) last.end = end;
    else groups.push({ start, end, isBlock });
  }
  return groups.map(({ start, end }) => proseOfComment(code, start, end));
}

function proseOfComment(code: string, start: number, end: number): Prose {
  const plain = code
    .slice(start, end)
    .replaceAll(/\{@link (\S+?)\}/g, (link, name: string) => `\`${name}\``.padEnd(link.length))
    .replaceAll(/^[ \t]*(?:\/\*\*?|\*(?!\/)|\/\/)|\*\/$/gm, (mark) => " ".repeat(mark.length));
  const words = [...plain.matchAll(/\S+/g)];
  // One more than the word has letters, for the blank that follows it.
  const offsets = words.flatMap(({ 0: word, index }) => Array.from({ length: word.length + 1 }, (_, at) => start + index + at));
  return { text: words.map(([word]) => word).join(" "), offsets };
}

function lineAt(code: string, offset: number): number {
  return code.slice(0, offset).split("\n").length;
}
