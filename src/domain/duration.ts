import { failed, ok, type Result } from "./result.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy;

/** Parses a Go duration such as `2m`, `1h30m`, or `90s`. Returns milliseconds. Refuses negative and empty durations. */
export function parseDuration(text: string): Result<number, string> {
  let total = 0;
  PART.lastIndex = 0;
  let position = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    total += Number(part[1]) * (UNIT_MS[part[2] ?? ""] ?? 0);
    position = PART.lastIndex;
  }
  if (position === 0 || position !== text.length) {
    return failed(`${JSON.stringify(text.slice(0, 40))} is not a duration; write it like 30s, 2m or 1h30m`);
  }
  return ok(total);
}

/** Formats a duration for messages, like `90s`, `2m`, or `1h30m`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1_000);
  if (seconds < 120) return `${seconds}s`;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = seconds % 60;
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes}m` : ""}${rest > 0 ? `${rest}s` : ""}`;
}
