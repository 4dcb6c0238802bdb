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

/** What is healed, and as what. */
export interface HealingOptions extends Pick<Config, "heal" | "healNodeSide" | "healWebhook"> {
  /** As this version ships them. */
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

/** One reconcile of one component, with what was read of it. */
export interface ObservedComponent {
  readonly component: Component;
  readonly memory: ComponentMemory;
  readonly live: KubeObject | undefined;
}

/** What is on its way somewhere is reconciled again this often (milliseconds). */
export const MOVING_MS = 1_000;
/** Fields that are named. */
export const MAX_SHOWN = 3;

export const DONE: Outcome = { kind: "done" };
export const again = (milliseconds: number): Outcome => ({ kind: "requeueAfter", milliseconds });
