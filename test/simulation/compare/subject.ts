import type { Rendered } from "./render.ts";

export interface Answer {
  readonly status: number;
  /** Parsed if it is JSON, otherwise a text. */
  readonly body: unknown;
}

/** Lines of a watch so far, and whether the server has ended it. */
export interface RunningWatch {
  readonly lines: readonly string[];
  readonly hasEnded: boolean;
  /** Answer of the server if it opens no watch. */
  readonly refusal: Answer | undefined;
  stop(): void;
}

/** An API server to compare. */
export interface Subject {
  send(request: Rendered): Promise<Answer>;
  watch(url: string): Promise<RunningWatch>;
}

/** A server whose time the caller sets. */
export interface VirtualSubject extends Subject {
  /** Unix milliseconds. */
  readonly now: number;
  /** Sets the clock, forward or back, and runs no timers. */
  setClock(time: number): void;
  /** Runs all timers that are due up to that time. */
  advanceTo(time: number): void;
  /** Forgets all states except the present one. */
  compact(): void;
}

export function parsed(text: string): unknown {
  return text.startsWith("{") ? JSON.parse(text) : text;
}

export const USER_AGENT = "comparison/1 (random operations)";
