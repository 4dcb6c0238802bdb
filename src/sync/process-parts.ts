import type { Clock } from "../domain/ports/clock.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { SyncMetrics } from "./metrics.ts";

/** Parts that the whole process shares. */
export interface ProcessParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly events: EventSink;
  readonly metrics: SyncMetrics;
}
