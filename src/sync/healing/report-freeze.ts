import { workerDeployment } from "../../domain/healing/components.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { SyncMetrics } from "../metrics.ts";
import type { GateState } from "./crd-health.ts";

export interface FreezeOptions {
  readonly events: EventSink;
  /** Namespace of the install. */
  readonly namespace: string;
}

export function reportTrust({ metrics, logger }: { readonly metrics: SyncMetrics; readonly logger: Logger }, state: GateState): void {
  metrics.isFrozen.set(state.kind === "frozen" ? 1 : 0);
  if (state.kind === "frozen") logger.warn("acting on classes is suspended", { why: state.why });
  else logger.info("acting on classes", { crdUid: state.crdUid });
}

/**
 * Returns a function that emits one event per freeze, however many classes the freeze holds up. `since`, the start of the freeze (Unix time
 * in milliseconds), identifies the freeze.
 */
export function createFreezeReporter({ events, namespace }: FreezeOptions): (why: string, since: number) => void {
  let reported: number | undefined;
  return (why, since) => {
    if (reported === since) return;
    reported = since;
    const message = `the worker does not act on classes: ${why}. Secrets remain unchanged`;
    events.emit({ regarding: workerDeployment(namespace), type: "Warning", reason: "Frozen", message });
  };
}
