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

/** What is told of components: in the log, by events on the worker's Deployment, and as metrics. */
export interface ComponentReport {
  healed(component: Component, damage: "edited" | "deleted", detail: string): void;
  /** Its pods are replaced, which nobody asked for. */
  restarted(component: Component, why: string): void;
  /** A state that lasts is told once. */
  damaged(component: Component, reason: EventReason | SyncReason, detail: string): void;
  whole(component: Component): void;
  /** It is not looked after any more, in whatever state it is. */
  dropped(component: Component): void;
  /** What a platform changed of it, and may; undefined: nothing. Told once. */
  tolerated(component: Component, detail: string | undefined): void;
}

export function createComponentReport({ namespace, events, logger, metrics }: ReportOptions): ComponentReport {
  const told = new Map<string, string>();
  const tolerations = new Map<string, string>();
  // One place to look, also for what is gone or has no namespace.
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
      if (told.get(id) === detail) return;
      told.set(id, detail);
      logger.warn("a part of the install is damaged and is not healed", { component: id, reason, detail });
      events.emit({ regarding, type: "Warning", reason, message: `${id}: ${detail}` });
    },
    whole: ({ id }) => {
      metrics.damaged.set({ component: id }, 0);
      if (told.delete(id)) logger.info("a part of the install is intact again", { component: id });
    },
    dropped: ({ id }) => {
      metrics.damaged.set({ component: id }, 0);
      told.delete(id);
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
