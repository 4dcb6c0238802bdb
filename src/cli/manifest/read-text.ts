import { FORBIDDEN_CHARACTERS, type YamlEvent, YamlSyntaxError } from "../../domain/yaml/events.ts";
import { readYaml } from "../../domain/yaml/read-yaml.ts";
import { DocumentError } from "./document-error.ts";
import type { ReadableText } from "./document-texts.ts";
import { DocumentBuilder } from "./document-value.ts";
import { readJsonEvents } from "./json-events.ts";

/** Reads the text of one document; throws a `DocumentError` if kubectl could not read it. */
export function readText({ kind, text }: ReadableText): DocumentBuilder {
  const builder = new DocumentBuilder();
  if (kind === "json") {
    readJsonEvents(text, builder.add);
    return builder;
  }
  const unread = readYamlEvents(text, builder.add);
  if (unread !== undefined) builder.warn(unread, "kubectl reads nothing from here to the next ---");
  return builder;
}

/**
 * Sends the events of the first YAML document in a text, which is all that kubectl reads. Returns the line of the first content that
 * kubectl does not read; undefined if there is none.
 */
function readYamlEvents(text: string, send: (event: YamlEvent) => void): number | undefined {
  refuseForbidden(text);
  try {
    const unread = readYaml(text, send);
    // Finds the first line that has content other than a comment or an end mark.
    const first = unread.text.split("\n").findIndex((line) => !/^\s*(?:#.*|\.\.\.\s*(?:#.*)?)?$/.test(line));
    return first === -1 ? undefined : unread.line + first;
  } catch (error) {
    throw error instanceof YamlSyntaxError ? new DocumentError(error.line, error.message) : error;
  }
}

function refuseForbidden(text: string): void {
  const found = FORBIDDEN_CHARACTERS.exec(text);
  if (found === null) return;
  const line = text.slice(0, found.index).split("\n").length;
  throw new DocumentError(line, `control characters are not allowed (U+${hexadecimal(found[0])})`);
}

function hexadecimal(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/** Decodes the bytes of a file as kubectl does: as UTF-8, or as UTF-16 if the file begins with its byte order mark. */
export function decodeFile(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  return new TextDecoder().decode(bytes);
}
