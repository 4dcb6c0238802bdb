import { type ParseResult, parse } from "@babel/parser";

let last: { readonly code: string; readonly parsed: ParseResult } | undefined;

/** Parses TypeScript with its comments and tokens. The rules for one file follow each other, so the last result is kept. */
export function parsedCode(code: string): ParseResult {
  if (last?.code !== code) last = { code, parsed: parse(code, { sourceType: "module", plugins: ["typescript"], tokens: true }) };
  return last.parsed;
}

/** Label of a token's type, such as `name` or `string`. */
export function labelOf(type: unknown): string {
  return (type as { readonly label?: string }).label ?? "";
}
