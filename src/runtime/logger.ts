import { type DestinationStream, type LoggerOptions, type Logger as PinoLogger, pino, stdTimeFunctions } from "pino";
import type { Logger } from "../domain/ports/logger.ts";
import { textStream } from "./text-log.ts";

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
 * Structured log on stdout: one JSON object per line, or a line for people with `text` (`text-log.ts`).
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
function withoutCredentials(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
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
