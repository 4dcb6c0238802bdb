import { type DestinationStream, type LoggerOptions, type Logger as PinoLogger, pino, stdTimeFunctions } from "pino";
import type { Logger } from "../domain/ports/logger.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "json" | "text";

/**
 * Field names that hold credentials in the libraries that we use. Our own code never logs them. This is the second line of defence, for an
 * object that gets into a log by mistake.
 */
const NEVER_LOGGED: ReadonlySet<string> = new Set([
  "clientsecret",
  "clientSecret",
  "client_secret",
  "token",
  "access_token",
  "authorization",
  "Authorization",
  "data",
  "stringData",
  "body",
]);

/**
 * Creates a structured log on stdout: one JSON object per line, or a human-readable line with `text` (`textStream`). Messages are constant;
 * variable parts are in fields.
 */
export function createLogger(
  options: { readonly level: LogLevel; readonly format: LogFormat; readonly name: string },
  destination?: DestinationStream,
): Logger {
  const settings: LoggerOptions = {
    level: options.level,
    base: { process: options.name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), log: withoutCredentials },
    serializers: { error: describeError },
  };
  if (options.format === "text") return wrap(pino(settings, textStream(destination ?? process.stdout)));
  return wrap(pino(settings, destination ?? bufferedStdout()));
}

const BUFFER_BYTES = 4096;
const FLUSH_MS = 100;

/**
 * A write for every line is a tenth of the cost of an admission review. Lines wait until there is a block of them or a tenth of a second is
 * over. Warnings and errors are written at once, with the lines that wait before them, and so are all lines when the process ends. Writes
 * are synchronous: a block that a pool thread still holds would be lost with the process, and with it the reason why the process ended.
 */
function bufferedStdout(): DestinationStream {
  const stdout = pino.destination({ dest: 1, sync: true, minLength: BUFFER_BYTES, periodicFlush: FLUSH_MS });
  process.once("exit", () => stdout.flushSync());
  return {
    write: (line: string) => {
      stdout.write(line);
      if (line.startsWith('{"level":"warn"') || line.startsWith('{"level":"error"')) stdout.flush();
    },
  };
}

/** Redacts fields and the members of their objects. pino's own redaction takes forty times as long, a tenth of an admission review. */
function withoutCredentials(fields: Record<string, unknown>): Record<string, unknown> {
  // The line of a review, which has no such field.
  if (!Object.keys(fields).some((name) => NEVER_LOGGED.has(name) || isPlain(fields[name]))) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, NEVER_LOGGED.has(name) ? REDACTED : isPlain(value) ? censored(value) : value]),
  );
}

function censored(members: object): object {
  const entries = Object.entries(members);
  if (!entries.some(([name]) => NEVER_LOGGED.has(name))) return members;
  return Object.fromEntries(entries.map(([name, value]) => [name, NEVER_LOGGED.has(name) ? REDACTED : value]));
}

/** Excludes errors, which have a serializer of their own, and lists, which have no names. */
function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Error);
}

const REDACTED = "[redacted]";

/** Returns the part of an error that a log may contain: never a library's own properties, which hold bodies and headers. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? error : "unknown error";
  const { code } = error as { code?: unknown }; // Node's and our own errors have a string code. Others are left out.
  return {
    message: error.message,
    name: error.name,
    ...(typeof code === "string" ? { code } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

function wrap(logger: PinoLogger): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child({ ...fields })),
  };
}

/** Fields that pino sets in every entry. `textStream` does not show them among the other fields. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["level", "time", "msg", "process"]);

/**
 * Writes one human-readable line per entry: `TIME LEVEL message name=value`, as logfmt. Values come from classes, vaults and API servers,
 * so characters that could end the line, look like another field or move the terminal's cursor are escaped. Programs read `json`.
 */
function textStream(to: { write(line: string): unknown }): DestinationStream {
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

/** Shows the members of an object, such as an error, as fields of their own: `error.message="…"`. */
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

/** JSON does not escape DEL, the C1 controls, line separators and direction marks. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
