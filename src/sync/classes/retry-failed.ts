import type { Clock } from "../../domain/ports/clock.ts";
import type { ClassStates } from "./class-states.ts";

export interface RetryOptions {
  readonly states: Pick<ClassStates, "get" | "note">;
  readonly clock: Pick<Clock, "now">;
  readonly enqueue: (classKey: string) => void;
}

/** If the last attempt of the class (`namespace/name`) failed, makes the next one at once: the reason for the failure may be gone. */
export function retryFailed({ states, clock, enqueue }: RetryOptions, classKey: string): void {
  if ((states.get(classKey)?.failures ?? 0) === 0) return;
  states.note(classKey, { kind: "retryAsked", now: clock.now() });
  enqueue(classKey);
}
