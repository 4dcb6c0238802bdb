import { type DestinationStream, type LoggerOptions, type Logger as PinoLogger, pino, stdTimeFunctions } from "pino";
import type { Logger } from "../domain/ports/logger.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "json" | "text";

/**
 * Field names that hold credentials in the libraries we use. Our own code never logs them: this is the second line of
 * defence, for an object that gets into a log by mistake.
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
 * Structured log on stdout: one JSON object per line, or a line for people with `text` (`textStream`).
 * Messages are constant; what varies goes into fields.
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
 * A write for every line is a tenth of what an admission review costs. Lines wait for a block of them or a tenth of a second;
 * those that tell of trouble go out at once with what waits before them, and so does everything when the process ends. Written
 * synchronously: a block that a pool thread still had in hand would be lost with the process, and with it why the process ended.
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

/** Fields and the members of their objects. pino's own redaction takes forty times as long, a tenth of an admission review. */
function withoutCredentials(fields: Record<string, unknown>): Record<string, unknown> {
  // The line of a review, which has none of it.
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

/** Errors have a serialiser of their own, lists no names. */
function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Error);
}

const REDACTED = "[redacted]";

/** What a log may say of an error: never a library's own properties, which carry bodies and headers. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? error : "unknown error";
  const { code } = error as { code?: unknown }; // Node's and our own errors have a string code; others are left out.
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

/** Of pino's own entry; the message stands before the fields. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["level", "time", "msg", "process"]);

/**
 * One line for people at a terminal: `TIME LEVEL message name=value`, as logfmt. Values come from classes, vaults and API servers, so that
 * what could end the line, pass for another field or move the terminal's cursor is escaped. Machines read `json`.
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
