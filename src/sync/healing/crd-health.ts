import { assertNever } from "../../domain/assert-never.ts";
import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { type CrdDrift, crdDrift } from "../../domain/healing/crd-drift.ts";
import type { CrdIdentity } from "../../domain/healing/snapshot.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { unlessAborted } from "../../runtime/lifecycle.ts";

/** Whether the worker can trust the classes that the API server returns. */
export type GateState = ({ readonly kind: "whole" } & CrdIdentity) | { readonly kind: "frozen"; readonly why: string };

/**
 * The freeze rule: while the class CRD is not whole, the worker deletes no Secret, changes no Secret because of a class, and takes no
 * snapshot. The reason is that the API server then serves classes with fields cut off, at an unchanged resourceVersion.
 */
export interface CrdHealth {
  /** The state as the watch last saw it: a cheap check of whether to start. */
  readonly state: GateState;
  /** Unix time in milliseconds since which the CRD itself has not been whole; undefined while it is whole or its state is unknown. */
  readonly damagedSince: number | undefined;
  /** Call this with every state of the CRD that the watch sees. */
  noteWatched(live: CustomResourceDefinition | undefined): void;
  /** Checks the CRD with a fresh read. Call this before the worker deletes anything or concludes anything from an absence. */
  confirm(signal: AbortSignal): Promise<GateState>;
}

export interface CrdHealthOptions {
  readonly kube: KubeClient;
  readonly ours: CustomResourceDefinition;
  /** Live copy of the CRD; undefined while the CRD is absent. */
  readonly watched: () => CustomResourceDefinition | undefined;
  /** Why the live copies of the CRD or the classes are not current; undefined if they are. */
  readonly staleness: () => string | undefined;
  readonly clock: Clock;
  /** Called when a read of `state` finds that the state has changed. */
  readonly onChange?: (state: GateState) => void;
}

/**
 * Time in milliseconds after damage during which the worker trusts no class. After a damaged CRD is whole again, the API server still
 * serves cut objects for a fraction of a second.
 */
const SETTLING_MS = 2_000;

export function createCrdHealth({ kube, ours, watched, staleness, clock, onChange }: CrdHealthOptions): CrdHealth {
  let damagedUntil = Number.NEGATIVE_INFINITY;
  let damagedSince: number | undefined;
  let reported: string | undefined;
  const report = (state: GateState): GateState => {
    const summary = state.kind === "whole" ? "" : state.why;
    if (summary !== reported) onChange?.(state);
    reported = summary;
    return state;
  };
  // Callers check this for every class, although the CRD hardly ever changes.
  const compared = new WeakMap<CustomResourceDefinition, CrdDrift>();
  const driftOf = (live: CustomResourceDefinition | undefined): CrdDrift => {
    const drift = (live && compared.get(live)) ?? crdDrift(ours, live);
    if (live !== undefined) compared.set(live, drift);
    return drift;
  };
  const { name } = ours.metadata;
  const readLive = batchedRead((signal) => kube.read<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name }, signal));
  const judge = (live: CustomResourceDefinition | undefined): GateState => {
    const drift = driftOf(live);
    if (drift.kind === "damaged") damagedUntil = clock.now();
    damagedSince = drift.kind === "whole" ? undefined : (damagedSince ?? clock.now());
    if (drift.kind !== "whole") return { kind: "frozen", why: whyFrozen(ours.metadata.name, drift) };
    if (clock.now() - damagedUntil < SETTLING_MS) return { kind: "frozen", why: `the CRD ${ours.metadata.name} was damaged a moment ago` };
    return { kind: "whole", crdUid: drift.uid, crdGeneration: drift.generation };
  };
  return {
    get state(): GateState {
      const stale = staleness();
      return report(stale === undefined ? judge(watched()) : { kind: "frozen", why: stale });
    },
    get damagedSince(): number | undefined {
      return damagedSince;
    },
    noteWatched: (live) => void judge(live),
    confirm: async (signal) => {
      const stale = staleness();
      if (stale !== undefined) return { kind: "frozen", why: stale };
      const found = await readLive(signal);
      return judge(found.kind === "found" ? found.object : undefined);
    },
  };
}

function whyFrozen(name: string, drift: Exclude<CrdDrift, { readonly kind: "whole" }>): string {
  switch (drift.kind) {
    case "absent":
      return `the CRD ${name} is absent`;
    case "terminating":
      return `the CRD ${name} is being deleted`;
    case "damaged":
    case "settling":
      return `the CRD ${name}: ${drift.problem}`;
    default:
      return assertNever(drift);
  }
}

/** Longest time of a read in milliseconds. It covers the API server's own timeout. Each caller also has its own signal. */
const LONGEST_READ_MS = 30_000;

interface Batch<T> {
  readonly answer: Promise<T>;
  hasBegun: boolean;
}

/**
 * Shares one read at a time among all callers that want to know the same. A caller that comes during a read gets the answer of the next
 * read, so that no answer is older than its question. No caller's signal ends a read that others wait for.
 */
export function batchedRead<T>(read: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal) => Promise<T> {
  let last: Batch<T> | undefined;
  const begin = async (batch: { hasBegun: boolean }, before: Promise<unknown> | undefined): Promise<T> => {
    await before?.catch(() => undefined);
    batch.hasBegun = true;
    return read(AbortSignal.timeout(LONGEST_READ_MS));
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (last === undefined || last.hasBegun) {
      const state = { hasBegun: false };
      const batch: Batch<T> = Object.assign(state, { answer: begin(state, last?.answer) });
      // The callers that wait for this batch get its error. The next batch only waits until this one ends.
      batch.answer.catch(() => undefined);
      last = batch;
    }
    return unlessAborted(last.answer, signal);
  };
}
