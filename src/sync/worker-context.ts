import type { Clock } from "../domain/ports/clock.ts";
import type { Mirroring } from "./classes/observe.ts";
import type { StatusStore } from "./classes/status-store.ts";
import type { CrdGate } from "./healing/crd-gate.ts";

/** What a status is changed through while nothing else is done because of its class. */
export interface WorkerContext {
  readonly clock: Clock;
  readonly caches: Mirroring;
  readonly gate: Pick<CrdGate, "state" | "damagedSince">;
  readonly statuses: StatusStore;
  /** Why nothing is changed because of classes, and since when (Unix milliseconds). */
  readonly tellFreeze: (why: string, since: number) => void;
}
