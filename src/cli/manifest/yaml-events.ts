/** YAML to events, by the project's own reader: it follows the library that kubectl reads with, mistakes included. */
import { YamlSyntaxError } from "../../domain/provider-class/yaml-cursor.ts";
import type { YamlEvent } from "../../domain/provider-class/yaml-event.ts";
import { YamlParser } from "../../domain/provider-class/yaml-parser.ts";
import { DocumentError, type EventSink } from "./events.ts";

/** Characters that YAML forbids in its text. */
const FORBIDDEN = /[^\t\n\r\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

const BYTE_ORDER_MARK = "\ufeff";

/** Sends the events of the first YAML document of a text, all that kubectl reads of it. The line of what it leaves unread, if anything is. */
export function readYamlEvents(text: string, send: EventSink): number | undefined {
  refuseForbidden(text);
  try {
    const parser = new YamlParser(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text, "v2");
    for (;;) {
      const event = parser.next();
      if (event.kind === "streamEnd") return undefined;
      if (event.kind === "documentEnd") return unreadLine(text, event.line);
      if (event.kind !== "documentStart") sendEvent(event, send);
    }
  } catch (error) {
    throw error instanceof YamlSyntaxError ? new DocumentError(error.at, error.words) : error;
  }
}

function sendEvent(event: Exclude<YamlEvent, { kind: "documentStart" | "documentEnd" | "streamEnd" }>, send: EventSink): void {
  const line = event.line + 1;
  if (event.kind === "scalar" || event.kind === "alias") send({ ...event, line });
  else if (event.kind === "sequenceStart") send({ kind: "list", line, anchor: event.anchor, tag: event.tag });
  else if (event.kind === "mappingStart") send({ kind: "mapping", line, anchor: event.anchor, tag: event.tag });
  else send({ kind: "end" });
}

function refuseForbidden(text: string): void {
  const found = FORBIDDEN.exec(text);
  if (found === null) return;
  const line = text.slice(0, found.index).split("\n").length;
  throw new DocumentError(line, `control characters are not allowed (U+${hexadecimal(found[0])})`);
}

function hexadecimal(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/** From `line` on, counted from 0: the first one with content, which neither a comment nor the mark of an end is. */
function unreadLine(text: string, line: number): number | undefined {
  const rest = text.split(/\r\n?|\n/).slice(line);
  const first = rest.findIndex((each) => !/^\s*(?:#.*|\.\.\.\s*(?:#.*)?)?$/.test(each));
  return first === -1 ? undefined : line + first + 1;
}
