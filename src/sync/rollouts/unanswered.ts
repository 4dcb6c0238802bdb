import type { KubeObject } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { observeWorkload, type Workload } from "../../domain/rollout/workload.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { findByName } from "../find-by-name.ts";
import { attempt, type OwnRequestPorts } from "./own-requests.ts";
import type { RolloutMemory } from "./rollout-memory.ts";

/** Longest time in milliseconds for which a restart without an answer counts as under way. */
const MOST_UNANSWERED_MS = 120_000;

/**
 * Notes a restart whose request failed without showing whether the API server stored it: no answer came, or the API server's own storage
 * did not answer in time.
 */
export function noteUnanswered({ memory, clock }: OwnRequestPorts, workload: Workload, error: unknown): void {
  if (!(error instanceof KubeError) || !error.mayBeStored) return;
  const known = memory.of(workload);
  const { resourceVersion: basedOn } = workload;
  const until = known.unanswered?.basedOn === basedOn ? known.unanswered.until : clock.now() + MOST_UNANSWERED_MS;
  known.unanswered = { basedOn, isOpen: true, until };
}

interface Asking extends OwnRequestPorts {
  readonly kube: KubeClient;
}

/**
 * Finds out which restarts have begun whose requests got no answer. The live copy does not show that while its watch is broken. The state
 * that the API server shows counts as the worker's own write: the standing, the slots and the progress then follow from it.
 */
export async function settleUnanswered(asking: Asking, watched: readonly Workload[], signal: AbortSignal): Promise<void> {
  for (const each of watched) if (asking.memory.of(each).unanswered !== undefined) await settle(asking, each, signal);
}

async function settle(asking: Asking, watched: Workload, signal: AbortSignal): Promise<void> {
  const { memory } = asking;
  const known = memory.of(watched);
  const workload = memory.latest(watched);
  const { kind, ref, uid, resourceVersion } = workload;
  if (known.unanswered?.basedOn !== resourceVersion) {
    known.unanswered = undefined;
    return;
  }
  if (!known.unanswered.isOpen) return;
  const live = await attempt(asking, { workload, request: "ask" }, () =>
    findByName<KubeObject>(asking.kube, { resource: WORKLOADS[kind], ref }, signal),
  );
  if (!live.ok) return;
  known.unanswered = { ...known.unanswered, isOpen: false };
  const observed = live.value === undefined ? undefined : observeWorkload(kind, live.value);
  if (observed?.uid === uid && observed.resourceVersion !== resourceVersion)
    known.written = { basedOn: watched.resourceVersion, workload: observed };
}

/**
 * Returns the milliseconds for which a restart that may have begun still counts as under way; 0 if there is none. A workload whose restarts
 * never get an answer does not hold up the others for longer.
 */
export function unansweredMs(memory: RolloutMemory, workload: Workload, now: number): number {
  const { unanswered } = memory.of(workload);
  return unanswered?.isOpen === true && unanswered.basedOn === workload.resourceVersion ? Math.max(0, unanswered.until - now) : 0;
}
