/** Parses YAML into events with js-yaml. First respells syntax that js-yaml refuses and Go's libraries accept. */
import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from "js-yaml";
import { type NodeProperties, type YamlEvent, YamlSyntaxError } from "./events.ts";
import { isOddYaml, respellYaml } from "./respell-yaml.ts";

/** Maximum depth of nested lists and mappings. js-yaml takes a few hundred bytes of stack for each. */
const MAX_DEPTH = 1_000;
/** js-yaml also counts the innermost scalar, sometimes twice. */
const PARSER = { maxDepth: MAX_DEPTH + 2 };

/** The text after the first document. Go's libraries read only the first document. */
export interface Unread {
  readonly text: string;
  /** Starts at 1. */
  readonly line: number;
}

/** Calls `send` with the events of a text's first document. Throws a `YamlSyntaxError` if the text has no valid document. */
export function readYaml(text: string, send: (event: YamlEvent) => void): Unread {
  const whole = text.replace(/^\ufeff/, "").replaceAll(/\r\n?|\u0085/g, "\n");
  const end = documentEnd(whole);
  const parsed = parse(whole.slice(0, end));
  const place = new EventPlace(parsed.text);
  for (const event of parsed.events) sendEvent(event, place, send);
  return { text: parsed.unread + whole.slice(end), line: place.lineOf(parsed.text.length) };
}

/** Markers that end a document, wherever they are. */
const BOUNDARY = /^(?:---|\.\.\.)(?=[ \t\n]|$)/gm;
const HEAD = /^(?:[ \t]*(?:#[^\n]*)?\n|%[^\n]*\n)*$/;

function documentEnd(text: string): number {
  BOUNDARY.lastIndex = 0;
  const first = BOUNDARY.exec(text);
  const begins = first?.[0] === "---" && HEAD.test(text.slice(0, first.index));
  return (begins ? BOUNDARY.exec(text) : first)?.index ?? text.length;
}

interface Parsed {
  /** The text to which the positions of the events refer. */
  readonly text: string;
  readonly events: readonly Event[];
  readonly unread: string;
}

function parse(text: string): Parsed {
  try {
    if (!isOddYaml(text)) return parseAsWritten(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
  }
  try {
    return parseAsWritten(respellYaml(text));
  } catch (error) {
    throw error instanceof YAMLException ? new YamlSyntaxError(wordsOf(error), (error.mark?.line ?? 0) + 1) : error;
  }
}

/** Removes quoted tags from an error. js-yaml quotes them after a colon or in double quotes. */
function wordsOf({ reason }: YAMLException): string {
  if (reason.startsWith("nesting exceeded")) return `nested deeper than ${MAX_DEPTH} levels`;
  return reason.replace(/(?:: | ").*$/s, "");
}

function parseAsWritten(text: string): Parsed {
  const parsed = parseDocument(text);
  for (const event of parsed.events) if ("anchorStart" in event) refuseOddName(text, event);
  return parsed;
}

/** Refuses names of anchors that Go's libraries refuse. js-yaml reads a name up to the next whitespace. */
function refuseOddName(text: string, { anchorStart, anchorEnd }: { readonly anchorStart: number; readonly anchorEnd: number }): void {
  if (anchorStart < 0 || /^[-\w]+$/.test(text.slice(anchorStart, anchorEnd))) return;
  YAMLException.throwAt(text, anchorStart, "only letters, digits, - and _ are allowed in the name of an anchor");
}

/** js-yaml's errors about text after a document, and the distance in characters from the start of that text to the reported position. */
const UNREAD: ReadonlyMap<string, number> = new Map([
  ["end of the stream or a document separator is expected", 0],
  ["a whitespace character is expected after the key-value separator within a block mapping", 1],
]);

/** Returns the events without the end of the document. */
function eventsOf(text: string): readonly Event[] {
  const events = parseEvents(text, PARSER);
  events.pop();
  return events;
}

function parseDocument(text: string): Parsed {
  try {
    return { text, events: eventsOf(text), unread: "" };
  } catch (error) {
    const behind = error instanceof YAMLException ? UNREAD.get(error.reason) : undefined;
    if (!(error instanceof YAMLException) || error.mark === undefined || behind === undefined) throw error;
    const end = error.mark.position - behind;
    const document = text.slice(0, end);
    const events = eventsOf(document);
    if (goesOn(text, events[1], end)) throw error;
    return { text: document, events, unread: text.slice(end) };
  }
}

/** Whether the text at a position would have to be a part of the document: of its block, or the value of a key. */
function goesOn(text: string, root: Event | undefined, at: number): boolean {
  if (root?.type === EVENT_ID.SCALAR) return text[at] === ":";
  // The directive of a later document, which is ignored.
  if (text[at] === "%") return false;
  const isCollection = root?.type === EVENT_ID.SEQUENCE || root?.type === EVENT_ID.MAPPING;
  return isCollection && root.style === COLLECTION_STYLE.BLOCK && columnOf(text, at) >= columnOf(text, root.start);
}

function columnOf(text: string, at: number): number {
  return at - text.lastIndexOf("\n", at - 1) - 1;
}

/** Position in the text. Moves through the text only once, like the events. */
class EventPlace {
  readonly text: string;
  /** Prefixes of tags by their handles. */
  readonly prefixes = new Map<string, string>([["!!", "tag:yaml.org,2002:"]]);
  #line = 1;
  #nextBreak: number;

  constructor(text: string) {
    this.text = text;
    this.#nextBreak = text.indexOf("\n");
  }

  lineOf(at: number): number {
    for (; this.#nextBreak !== -1 && this.#nextBreak < at; this.#nextBreak = this.text.indexOf("\n", this.#nextBreak + 1)) this.#line += 1;
    return this.#line;
  }
}

function sendEvent(event: Event, place: EventPlace, send: (event: YamlEvent) => void): void {
  const { text, prefixes } = place;
  if (event.type === EVENT_ID.DOCUMENT) {
    for (const directive of event.directives) if (directive.kind === "tag") prefixes.set(directive.handle, directive.prefix);
  } else if (event.type === EVENT_ID.ALIAS) {
    send({ kind: "alias", line: place.lineOf(event.anchorStart), name: text.slice(event.anchorStart, event.anchorEnd) });
  } else if (event.type === EVENT_ID.POP) send({ kind: "end" });
  else if (event.type === EVENT_ID.SCALAR) {
    const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
    const value = isBlock ? blockValue(text, event) : getScalarValue(text, event);
    const properties = propertiesOf(event, place, isBlock ? event.valueStart - 1 : event.valueStart);
    if (!value.isWellFormed()) throw new YamlSyntaxError("an escape is not valid", properties.line);
    send({ kind: "scalar", value, isQuoted: event.style !== SCALAR_STYLE.PLAIN, ...properties });
  } else send({ kind: event.type === EVENT_ID.MAPPING ? "mapping" : "list", ...propertiesOf(event, place, event.start) });
}

/** Returns the value of a block. If its last line has no line break, the value has none at its end. */
function blockValue(text: string, event: Parameters<typeof getScalarValue>[1]): string {
  const value = getScalarValue(text, event);
  return event.valueEnd === text.length && !text.endsWith("\n") && value.endsWith("\n") ? value.slice(0, -1) : value;
}

interface WrittenProperties {
  readonly anchorStart: number;
  readonly anchorEnd: number;
  readonly tagStart: number;
  readonly tagEnd: number;
}

/** `start` is the position of the node itself; -1 if it is empty. */
function propertiesOf({ anchorStart, anchorEnd, tagStart, tagEnd }: WrittenProperties, place: EventPlace, start: number): NodeProperties {
  const first = Math.min(...[anchorStart, tagStart, start].filter((each) => each >= 0));
  return {
    line: place.lineOf(Number.isFinite(first) ? first : 0),
    anchor: anchorStart < 0 ? undefined : place.text.slice(anchorStart, anchorEnd),
    tag: tagStart < 0 ? "" : wholeTag(place.text.slice(tagStart, tagEnd), place.prefixes),
  };
}

function wholeTag(written: string, prefixes: ReadonlyMap<string, string>): string {
  if (written.startsWith("!<")) return decoded(written.slice(2, -1));
  const handle = /^!(?:[-\w]*!)?/.exec(written)?.[0] ?? "";
  return decoded((prefixes.get(handle) ?? handle) + written.slice(handle.length));
}

/** Decodes percent-encoding. If the result is not UTF-8, the tag stays as written. */
function decoded(tag: string): string {
  try {
    return tag.includes("%") ? decodeURIComponent(tag) : tag;
  } catch {
    return tag;
  }
}
