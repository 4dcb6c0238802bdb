import { type JsonObject, objectAt, stringAt } from "../json.ts";
import type { Kind } from "../kind.ts";
import { badRequest } from "../refusal.ts";

interface Term {
  readonly label: string;
  readonly isNot: boolean;
  readonly value: string;
}

export interface FieldSelector {
  matches(object: JsonObject): boolean;
  /** The single name that the selector matches; undefined if it names none. */
  readonly name: string | undefined;
  readonly namespace: string | undefined;
}

/** Parses a selector. Throws a refusal if the kind does not support a field in it. */
export function parseFieldSelector(text: string, kind: Kind): FieldSelector | undefined {
  if (text === "") return undefined;
  const terms = text
    .split(",")
    .filter((part) => part !== "")
    .map(parseTerm);
  const readers = terms.map((term) => ({ ...term, read: readerOf(kind, term.label) }));
  const exactly = (label: string): string | undefined => terms.find((term) => term.label === label && !term.isNot)?.value;
  return {
    matches: (object) => readers.every(({ read, isNot, value }) => (read(object) === value) !== isNot),
    name: exactly("metadata.name"),
    namespace: exactly("metadata.namespace"),
  };
}

function parseTerm(part: string): Term {
  const found = /^([^=!]*)(==|!=|=)(.*)$/.exec(part);
  if (found === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
  return { label: found[1] ?? "", isNot: found[2] === "!=", value: found[3] ?? "" };
}

function readerOf(kind: Kind, label: string): (object: JsonObject) => string {
  if (label === "metadata.name" || (label === "metadata.namespace" && kind.namespaced)) {
    const member = label.slice("metadata.".length);
    return (object) => stringAt(objectAt(object, "metadata"), member) ?? "";
  }
  const read = kind.fieldLabels[label];
  if (read !== undefined) return read;
  throw badRequest(unknownField(kind, label));
}

/** Kinds with more fields than the name and the namespace have another message. */
function unknownField(kind: Kind, label: string): string {
  if (kind.isCustom || Object.keys(kind.fieldLabels).length > 0) return `field label not supported: ${label}`;
  return `${JSON.stringify(label)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}
