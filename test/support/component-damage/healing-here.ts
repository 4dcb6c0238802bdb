import type { ComponentCopy } from "../../../src/domain/healing/component-copy.ts";
import { type Component, componentsOf } from "../../../src/domain/healing/components.ts";
import type { Clock } from "../../../src/domain/ports/clock.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import { createRegistry } from "../../../src/runtime/metrics.ts";
import type { Outcome } from "../../../src/runtime/workqueue.ts";
import type { ComponentCopies } from "../../../src/sync/healing/component-copies.ts";
import { ComponentMemory } from "../../../src/sync/healing/component-memory.ts";
import { createComponentMetrics } from "../../../src/sync/healing/component-metrics.ts";
import { createComponentReport } from "../../../src/sync/healing/component-report.ts";
import { healComponent } from "../../../src/sync/healing/heal-component.ts";
import { recordingLogger } from "../worker/recording-logger.ts";

/** In-memory copies, as a leader that is never replaced would hold them. */
function heldCopies(): ComponentCopies {
  const held = new Map<string, ComponentCopy>();
  return {
    hasSynced: true,
    get: (key) => held.get(key),
    textOf: (key) => JSON.stringify(held.get(key)),
    keys: () => [...held.keys()],
    save: async (copy) => void held.set(copy.id, copy),
    remove: async (key) => void held.delete(key),
    renew: async () => undefined,
  };
}

/** A clock that the test advances as the worker's queue would. */
export class QueueClock implements Clock {
  #now = Date.now();
  now(): number {
    return this.#now;
  }
  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }
  sleep(): Promise<void> {
    return Promise.reject(new Error("nothing sleeps here"));
  }
}

/** Heals one component in this process, one reconcile per call. */
export interface HealingHere {
  readonly clock: QueueClock;
  readonly reconcile: () => Promise<Outcome>;
  /** Starts with an empty memory, like the next leader, but with the same copies. */
  readonly startAnew: () => void;
}

/** `id` is the worker's name of the component. The first reconcile takes the existing object for the installer's version. */
export function healingOf(
  kube: KubeClient,
  { namespace, id }: { readonly namespace: string; readonly id: string },
  signal: AbortSignal,
): HealingHere {
  const component = componentOf(namespace, id);
  const clock = new QueueClock();
  let memory = new ComponentMemory();
  const events = { emit: () => undefined };
  const metrics = createComponentMetrics(createRegistry("0"));
  const report = createComponentReport({ namespace, events, logger: recordingLogger(), metrics });
  const context = { kube, namespace, crds: [], clock, copies: heldCopies(), report };
  const startAnew = (): void => {
    memory = new ComponentMemory();
  };
  return { clock, reconcile: () => healComponent(context, { component, memory }, signal), startAnew };
}

function componentOf(namespace: string, id: string): Component {
  const found = componentsOf(namespace).find((component) => component.id === id);
  if (found === undefined) throw new Error(`no component ${id}`);
  return found;
}
