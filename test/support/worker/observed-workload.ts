import assert from "node:assert/strict";
import { POD_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { observeWorkload, type Workload } from "../../../src/domain/rollout/workload.ts";
import type { WorkloadKind } from "../../../src/domain/rollout/workload-kinds.ts";

const { restartOnRotation, rotated } = POD_ANNOTATIONS;

/** Stamps of versions. */
export const NEW = "aaaaaaaaaaaaaaaa";
export const OLD = "bbbbbbbbbbbbbbbb";

export interface ObservedFacts {
  readonly kind?: WorkloadKind;
  readonly name?: string;
  /** Annotations of the template. By default, they request restarts. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of the workload itself. */
  readonly own?: Readonly<Record<string, string>>;
  readonly spec?: object;
  /** Spec of its pods. */
  readonly pod?: object;
  readonly status?: object;
  readonly generation?: number;
}

/** Status of a workload whose only pod is updated and available. */
export const READY = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };

/** Undefined if the worker ignores the workload. */
export function observed(facts: ObservedFacts = {}): Workload | undefined {
  const { kind = "Deployment", name = "web", annotations = { [restartOnRotation]: "true" }, own = {}, spec = {}, pod = {} } = facts;
  const object = {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace: "team", uid: name, resourceVersion: "1", generation: facts.generation ?? 2, annotations: own },
    spec: { selector: { matchLabels: { app: name } }, template: { metadata: { annotations }, spec: pod }, ...spec },
    status: facts.status ?? READY,
  };
  return observeWorkload(kind, object);
}

export function workload(facts: ObservedFacts = {}): Workload {
  const found = observed(facts);
  assert.ok(found);
  return found;
}

/** A workload that was restarted for the versions of the stamp. */
export function stamped(stamp: string, facts: ObservedFacts = {}): Workload {
  return workload({ ...facts, annotations: { [restartOnRotation]: "true", [rotated]: stamp }, own: { [rotated]: stamp } });
}

/** Status of a DaemonSet. */
export function daemons(updated: number, available: number, wanted = 2): object {
  return { observedGeneration: 2, desiredNumberScheduled: wanted, updatedNumberScheduled: updated, numberAvailable: available };
}
