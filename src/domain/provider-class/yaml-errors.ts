/**
 * Syntax errors in the words of the provider's YAML library, where both libraries see the same mistake. Anything else
 * keeps our parser's words.
 */
interface Words {
  readonly ours: RegExp;
  readonly theirs: string;
}

const WORDS: readonly Words[] = [
  { ours: /call stack/i, theirs: "exceeded max depth of 10000" },
  { ours: /^Nested mappings are not allowed|^Block collections are not allowed/, theirs: "mapping values are not allowed in this context" },
  { ours: /^Missing closing/, theirs: "found unexpected end of stream" },
  {
    ours: /^Plain value cannot start with (?:reserved|directive)|^Tabs are not allowed/,
    theirs: "found character that cannot start any token",
  },
  { ours: /^Plain value cannot start with flow|^Unexpected flow-|^Unexpected ,/, theirs: "did not find expected node content" },
  { ours: /^Invalid escape sequence/, theirs: "found unknown escape character" },
  { ours: /^Implicit map keys need to be followed/, theirs: "could not find expected ':'" },
  { ours: /^Unexpected block-seq-ind/, theirs: "block sequence entries are not allowed in this context" },
  { ours: /^Unexpected scalar at node end/, theirs: "did not find expected key" },
  { ours: /^Block scalar header/, theirs: "did not find expected comment or line break" },
];

/** The provider's library names no line where the mistake is on the first. */
export function syntaxError(message: string, line: number): string {
  const words = WORDS.find(({ ours }) => ours.test(message))?.theirs ?? message;
  return line > 1 ? `yaml: line ${line}: ${words}` : `yaml: ${words}`;
}
