/** Applies the patterns as rules of textlint. */
import type { TextlintKernelRule } from "@textlint/kernel";
import { LONGEST_SENTENCE, PATTERNS, type Pattern } from "./patterns.ts";

/** Replaces the parts of a node's source that are not prose, with the same length: code by letters, addresses and markup by spaces. */
function proseOf(source: string): string {
  return source
    .replaceAll(/`[^`]*`/g, (span) => "C".repeat(span.length))
    .replaceAll(/!?\[|\]\([^()]*\)|\*\*|<[^<>]*>/g, (mark) => " ".repeat(mark.length))
    .replaceAll("\n", " ");
}

interface Sentence {
  readonly start: number;
  readonly words: number;
}

export function sentencesOf(prose: string): readonly Sentence[] {
  return [...prose.matchAll(/\S[\s\S]*?(?:[.!?](?=\s+[\p{Lu}`\d(]|\s*$)|$)/gu)].map(({ 0: text, index }) => ({
    start: index,
    words: text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length,
  }));
}

interface Finding {
  readonly at: number;
  readonly message: string;
}

export function findingsIn(source: string, patterns: readonly Pattern[] = PATTERNS): readonly Finding[] {
  const prose = proseOf(source);
  const worded = patterns.flatMap(({ id, pattern, advice }) =>
    [...prose.matchAll(pattern)].map(({ 0: text, index }) => ({ at: index, message: `${id}: "${text.trim().slice(0, 60)}": ${advice}` })),
  );
  const long = sentencesOf(prose)
    .filter(({ words }) => words > LONGEST_SENTENCE)
    .map(({ start, words }) => ({ at: start, message: `long-sentence: ${words} words, and not ${LONGEST_SENTENCE}: make it two` }));
  return [...worded, ...long];
}

type Rule = TextlintKernelRule["rule"];

export const wording: Rule = (context) => {
  const { Syntax, RuleError, report, getSource, locator } = context;
  const check = (node: Parameters<typeof report>[0]): void => {
    for (const { at, message } of findingsIn(getSource(node))) report(node, new RuleError(message, { padding: locator.at(at) }));
  };
  return { [Syntax.Paragraph]: check, [Syntax.Header]: check, [Syntax.TableCell]: check };
};

/** The first sentence of a page must state its purpose. */
export const opening: Rule = (context) => {
  const { Syntax, RuleError, report } = context;
  return {
    [Syntax.Document](node) {
      const [title, first] = node.children.filter(({ type }) => !/^(?:Html|Comment)$/.test(type));
      if (title === undefined || !/^#+ /.test(context.getSource(title)))
        report(node, new RuleError("opening: the page starts with its title"));
      else if (!/^(?:\*\*|`(?!``)|[^#|\-*`>])/.test(first === undefined ? "" : context.getSource(first)))
        report(first ?? title, new RuleError("opening: the first sentence says what the page is for"));
    },
  };
};
