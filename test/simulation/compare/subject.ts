import type { Rendered } from "./render.ts";

export interface Answer {
  readonly status: number;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

/** Lines of a watch that have arrived so far, and whether the server has ended it. */
export interface RunningWatch {
  readonly lines: readonly string[];
  readonly hasEnded: boolean;
  /** Of an answer that is no watch. */
  readonly refusal: Answer | undefined;
  stop(): void;
}

/** An API server that is compared. */
export interface Subject {
  send(request: Rendered): Promise<Answer>;
  watch(url: string): Promise<RunningWatch>;
}

/** One whose time is set from outside. */
export interface VirtualSubject extends Subject {
  /** Unix milliseconds. */
  readonly now: number;
  /** Sets the clock, also back, and runs nothing. */
  setClock(time: number): void;
  /** Runs what is due up to then. */
  advanceTo(time: number): void;
  /** Forgets all states but the present one. */
  compact(): void;
}

export function parsed(text: string): unknown {
  return text.startsWith("{") ? JSON.parse(text) : text;
}

export const USER_AGENT = "comparison/1 (random operations)";
