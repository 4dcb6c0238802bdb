import { globSync } from "node:fs";
import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { REPOSITORY, readRepositoryFile } from "../../../tools/repository-files.ts";

const CONSTANTS = { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } as const;

/** Text of all sources, with split literals joined and names of annotations replaced by their values. */
export function sourceWords(): string {
  const text = globSync("src/**/*.ts", { cwd: REPOSITORY })
    .sort()
    .map((file) => readRepositoryFile(file))
    .join("\n");
  return Object.entries(CONSTANTS)
    .flatMap(([constant, keys]) => Object.entries(keys).map(([key, value]) => [`\${${constant}.${key}}`, value] as const))
    .reduce((words, [from, to]) => words.replaceAll(from, to), text)
    .replaceAll(/[`"]\s*\+\s*[`"]/g, "")
    .replaceAll('\\"', '"');
}

/**
 * Parts of a message between its `<placeholders>` that no source contains. A parenthesis may be a separate literal, because some messages
 * lack it.
 */
export function absentWords(message: string, source: string): readonly string[] {
  const parts = message.split(/<[^<>]*>/).filter((part) => part !== "");
  const isTelling = parts.some((part) => part.length >= 8);
  return isTelling ? parts.filter((part) => !isInSource(part, source)) : [message];
}

function isInSource(part: string, source: string): boolean {
  return source.includes(part) || part.split(/(?= \()|(?<=\))/).every((piece) => source.includes(piece));
}
