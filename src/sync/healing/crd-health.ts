import { assertNever } from "../../domain/assert-never.ts";
import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { type CrdDrift, crdDrift } from "../../domain/healing/crd-drift.ts";
import type { CrdIdentity } from "../../domain/healing/snapshot.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { unlessAborted } from "../../runtime/lifecycle.ts";

/** Whether what the API server says of classes may be believed. */
export type GateState = ({ readonly kind: "whole" } & CrdIdentity) | { readonly kind: "frozen"; readonly why: string };

/**
 * The freeze rule: while the class CRD is not whole, no Secret is deleted, none is changed because of a class and no
 * snapshot is taken, because the API server then serves classes with fields cut off, at an unchanged resourceVersion.
 */
export interface CrdHealth {
  /** As the watch last saw it: cheap, for deciding whether to start. */
  readonly state: GateState;
  /** Unix milliseconds since when the CRD itself has not been whole; undefined while it is, or is not known. */
  readonly damagedSince: number | undefined;
  /** To be called with every state of the CRD that the watch sees. */
  noteWatched(live: CustomResourceDefinition | undefined): void;
  /** Asked of the API server now: before anything is deleted or concluded from an absence. */
  confirm(signal: AbortSignal): Promise<GateState>;
}

export interface CrdHealthOptions {
  readonly kube: KubeClient;
  readonly ours: CustomResourceDefinition;
  /** The watched copy; undefined while absent. */
  readonly watched: () => CustomResourceDefinition | undefined;
  /** Why the copies of CRD or classes are not current, undefined when they are. */
  readonly staleness: () => string | undefined;
  readonly clock: Clock;
  /** Told of every change of the state. */
  readonly onChange?: (state: GateState) => void;
}

/**
 * After a damaged CRD is whole again, the API server goes on serving cut objects for a fraction of a second (milliseconds).
 * Nothing is believed for longer than that.
 */
const SETTLING_MS = 2_000;

export function createCrdHealth({ kube, ours, watched, staleness, clock, onChange }: CrdHealthOptions): CrdHealth {
  let damagedUntil = Number.NEGATIVE_INFINITY;
  let damagedSince: number | undefined;
  let told: string | undefined;
  const tell = (state: GateState): GateState => {
    const summary = state.kind === "whole" ? "" : state.why;
    if (summary !== told) onChange?.(state);
    told = summary;
    return state;
  };
  // Asked for every class, of a CRD that hardly ever changes.
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
      return tell(stale === undefined ? judge(watched()) : { kind: "frozen", why: stale });
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

/** Covers the API server's own time-out; whoever asks has a signal of their own besides (milliseconds). */
const LONGEST_READ_MS = 30_000;

interface Batch<T> {
  readonly answer: Promise<T>;
  hasBegun: boolean;
}

/**
 * One read at a time for all who want to know the same: who asks while one is under way gets the answer of the next, so that no answer
 * is older than its question. Nobody's signal ends what others wait for.
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
      // Whoever waits for it hears of its failure; the next batch only waits for its end.
      batch.answer.catch(() => undefined);
      last = batch;
    }
    return unlessAborted(last.answer, signal);
  };
}
