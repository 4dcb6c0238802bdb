import type { DestinationStream } from "pino";

/** Of pino's own entry; the message stands before the fields. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["level", "time", "msg", "process"]);

/**
 * One line for people at a terminal: `TIME LEVEL message name=value`, as logfmt. Values come from classes, vaults and API servers, so that
 * what could end the line, pass for another field or move the terminal's cursor is escaped. Machines read `json`.
 */
export function textStream(to: { write(line: string): unknown }): DestinationStream {
  return {
    write: (line: string) => {
      const entry: Record<string, unknown> = JSON.parse(line);
      const fields = Object.entries(entry).filter(([name]) => !OWN_FIELDS.has(name));
      const shown = fields.flatMap(([name, value]) => shownField(name, value));
      const level = String(entry["level"]).toUpperCase().padEnd(5);
      to.write(`${String(entry["time"])} ${level} ${escaped(String(entry["msg"]))}${shown.join("")}\n`);
    },
  };
}

/** The members of an object, an error for one, are fields of their own: `error.message="…"`. */
function shownField(name: string, value: unknown): readonly string[] {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([member, inner]) => shownField(`${name}.${member}`, inner));
  }
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return [` ${bare(name) ? name : quoted(name)}=${bare(text) ? text : quoted(text)}`];
}

function bare(text: string): boolean {
  return /^[^\s"=\\]+$/.test(text) && escaped(text) === text;
}

function quoted(text: string): string {
  return escaped(JSON.stringify(text));
}

/** JSON leaves DEL, the second set of controls, line separators and marks of direction as they are. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
