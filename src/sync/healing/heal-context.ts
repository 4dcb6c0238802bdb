import type { Component } from "../../domain/healing/components.ts";
import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { Config } from "../../runtime/config.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { ComponentCopies } from "./component-copies.ts";
import type { ComponentMemory } from "./component-memory.ts";
import type { ComponentMetrics } from "./component-metrics.ts";
import type { ComponentReport } from "./component-report.ts";

/** Settings of healing, and the CRDs to heal. */
export interface HealingOptions extends Pick<Config, "heal" | "healNodeSide" | "healWebhook"> {
  /** CRDs as this version ships them. */
  readonly crds: readonly CustomResourceDefinition[];
  readonly componentMetrics: ComponentMetrics;
}

export interface HealContext {
  readonly kube: KubeClient;
  readonly namespace: string;
  readonly crds: readonly CustomResourceDefinition[];
  readonly clock: Clock;
  readonly copies: ComponentCopies;
  readonly report: ComponentReport;
}

/** A component as one reconcile read it. */
export interface ObservedComponent {
  readonly component: Component;
  readonly memory: ComponentMemory;
  readonly live: KubeObject | undefined;
}

/** Time in milliseconds until the next reconcile of a component that is still changing. */
export const MOVING_MS = 1_000;
/** Number of fields that a message names at most. */
export const MAX_SHOWN = 3;

export const DONE: Outcome = { kind: "done" };
export const again = (milliseconds: number): Outcome => ({ kind: "requeueAfter", milliseconds });
