import type { Logger } from "../../../src/domain/ports/logger.ts";

export interface RecordedEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that prints nothing and records all entries. */
export function recordingLogger(
  entries: RecordedEntry[] = [],
  bound: Readonly<Record<string, unknown>> = {},
): Logger & { readonly entries: readonly RecordedEntry[] } {
  const record =
    (level: RecordedEntry["level"]) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void entries.push({ level, message, fields: { ...bound, ...fields } });
  return {
    entries,
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
    child: (fields) => recordingLogger(entries, { ...bound, ...fields }),
  };
}
