import type { Outcome } from "./simulation.ts";
import { fieldsText, type Line } from "./world/log.ts";

const BEFORE_MS = 90 * 60_000;
const EPOCH = Date.UTC(2026, 0, 5);

function time(at: number): string {
  const seconds = Math.floor(at / 1_000);
  const part = (value: number): string => String(value).padStart(2, "0");
  return `${part(Math.floor(seconds / 3_600))}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}.${String(Math.floor(at % 1_000)).padStart(3, "0")}`;
}

function lineText({ machine, level, message, fields }: Line): string {
  return `${machine} ${level} ${message} ${fieldsText(fields)}`.slice(0, 400);
}

/** What led to a violation, in lines that a person can read. */
export function describeOutcome({ seed, violations, reported, log }: Outcome): string {
  const [first] = violations;
  if (first === undefined) return `seed ${seed}: all holds`;
  const events = reported.filter(({ at }) => at > first.at - BEFORE_MS).map(({ at, text }) => ({ at, text }));
  const lines = log.lines.map((line) => ({ at: line.at - EPOCH, text: lineText(line) })).filter(({ at }) => at > first.at - BEFORE_MS);
  const all = [...events, ...lines].sort((a, b) => a.at - b.at).slice(-150);
  const wrong = violations.slice(0, 10).map(({ at, invariant, text }) => `  ${time(at)} ${invariant}: ${text}`);
  return [`seed ${seed} fails:`, ...wrong, "what happened before:", ...all.map(({ at, text }) => `  ${time(at)} ${text}`)].join("\n");
}
