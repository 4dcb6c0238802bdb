import { type Component, workerDeployment } from "../../domain/healing/components.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { EventReason, SyncReason } from "../../domain/reasons.ts";
import type { ComponentMetrics } from "./component-metrics.ts";

export interface ReportOptions {
  readonly namespace: string;
  readonly events: EventSink;
  readonly logger: Logger;
  readonly metrics: ComponentMetrics;
}

/** Reports on components in the log, as events on the worker's Deployment, and as metrics. */
export interface ComponentReport {
  healed(component: Component, damage: "edited" | "deleted", detail: string): void;
  /** The worker replaces the pods of the component, although no user requested this. */
  restarted(component: Component, why: string): void;
  /** Logs a lasting state, and emits its event, only once. */
  damaged(component: Component, reason: EventReason | SyncReason, detail: string): void;
  whole(component: Component): void;
  /** The worker no longer heals the component, whatever its state. */
  dropped(component: Component): void;
  /** `detail`: the fields that a platform changed and is allowed to change, reported once; undefined if there are none. */
  tolerated(component: Component, detail: string | undefined): void;
}

export function createComponentReport({ namespace, events, logger, metrics }: ReportOptions): ComponentReport {
  const reported = new Map<string, string>();
  const tolerations = new Map<string, string>();
  // One object for all events, also for those about components that are gone or have no namespace.
  const regarding = workerDeployment(namespace);
  return {
    healed: ({ id }, damage, detail) => {
      metrics.healed.inc({ damage });
      const message = `${id} was ${damage} (${detail}); the worker restored it as its installer left it`;
      logger.warn("a component was healed", { component: id, damage, detail });
      events.emit({ regarding, type: "Warning", reason: "ComponentHealed", message });
    },
    restarted: ({ id }, detail) => {
      logger.warn("a component was restarted", { component: id, detail });
      events.emit({ regarding, type: "Warning", reason: "ComponentRestarted", message: `${id} was restarted: ${detail}` });
    },
    damaged: ({ id }, reason, detail) => {
      metrics.damaged.set({ component: id }, 1);
      if (reported.get(id) === detail) return;
      reported.set(id, detail);
      logger.warn("a part of the install is damaged and is not healed", { component: id, reason, detail });
      events.emit({ regarding, type: "Warning", reason, message: `${id}: ${detail}` });
    },
    whole: ({ id }) => {
      metrics.damaged.set({ component: id }, 0);
      if (reported.delete(id)) logger.info("a part of the install is intact again", { component: id });
    },
    dropped: ({ id }) => {
      metrics.damaged.set({ component: id }, 0);
      reported.delete(id);
      tolerations.delete(id);
      logger.info("the worker does not heal a component", { component: id });
    },
    tolerated: ({ id }, detail) => {
      if (detail === undefined) tolerations.delete(id);
      if (detail === undefined || tolerations.get(id) === detail) return;
      tolerations.set(id, detail);
      logger.info("the platform changed a component, and the worker leaves the change", { component: id, detail });
      const message = `${id}: the platform changed ${detail}; the worker leaves the change`;
      events.emit({ regarding, type: "Normal", reason: "ComponentTolerated", message });
    },
  };
}
