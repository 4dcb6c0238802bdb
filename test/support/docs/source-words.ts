import { globSync } from "node:fs";
import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { REPOSITORY, readRepositoryFile } from "../../../tools/repository-files.ts";

const CONSTANTS = { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } as const;

/** All source text: literals that were cut in two are joined, and names of annotations stand for themselves. */
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

/** The parts of a message, between its `<placeholders>`, that no source has. A parenthesis may be a literal of its own, which some messages lack. */
export function absentWords(message: string, source: string): readonly string[] {
  const parts = message.split(/<[^<>]*>/).filter((part) => part !== "");
  const isTelling = parts.some((part) => part.length >= 8);
  return isTelling ? parts.filter((part) => !isInSource(part, source)) : [message];
}

function isInSource(part: string, source: string): boolean {
  return source.includes(part) || part.split(/(?= \()|(?<=\))/).every((piece) => source.includes(piece));
}
