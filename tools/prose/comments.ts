/** Lints the comments of the code with the rules for pages. */
import { repositoryFiles } from "../repository-files.ts";
import { parsedCode } from "./parsed-code.ts";
import { COMMENT_PATTERNS, PATTERNS } from "./patterns.ts";
import { findingsIn } from "./rules.ts";

const CODE = /^(?:src|tools|test|certs)\/.+\.(?:ts|go)$/;

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
  return findingsAt(code, commentsOf(code));
}

/** Returns the findings in the comments of a Go file. */
export function findingsInGoComments(code: string): readonly CommentFinding[] {
  return findingsAt(code, goCommentsOf(code));
}

function findingsAt(code: string, places: readonly CommentPlace[]): readonly CommentFinding[] {
  return textsAt(code, places).flatMap(({ text, offsets }) =>
    findingsIn(text, [...PATTERNS, ...COMMENT_PATTERNS]).map(({ at, message }) => ({ line: lineAt(code, offsets[at] ?? 0), message })),
  );
}

/** Offsets of a comment in its file. */
interface CommentPlace {
  readonly start: number;
  readonly end: number;
  readonly isBlock: boolean;
}

function commentsOf(code: string): readonly CommentPlace[] {
  const { comments } = parsedCode(code);
  return (comments ?? []).flatMap(({ start, end, type }) =>
    start === undefined || end === undefined ? [] : [{ start, end, isBlock: type === "CommentBlock" }],
  );
}

/** A comment of Go, or a string or rune, which may contain the marks of a comment. */
const GO_TOKEN = /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'/g;

/** Omits directives, such as `//go:embed`, which are addressed to the compiler. */
function goCommentsOf(code: string): readonly CommentPlace[] {
  return [...code.matchAll(GO_TOKEN)].flatMap(({ 0: token, index }) =>
    /^\/[/*](?!go:)/.test(token) ? [{ start: index, end: index + token.length, isBlock: token.startsWith("/*") }] : [],
  );
}

/** Consecutive line comments count as one comment. */
function textsAt(code: string, places: readonly CommentPlace[]): readonly Prose[] {
  const groups: { start: number; end: number; isBlock: boolean }[] = [];
  for (const { start, end, isBlock } of places) {
    const last = groups.at(-1);
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
