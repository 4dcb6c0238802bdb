import type { ClassSnapshot } from "../../domain/healing/snapshot.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import type { ClassOutcome } from "../../domain/sync/class-status.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { Hint } from "../push/hints.ts";
import type { StateEvent } from "./state.ts";
import type { Notice } from "./tell.ts";

/** How the reconcile of a class goes on after its actions. */
export type StepResult =
  | Outcome
  /** At a time, Unix milliseconds. */
  | { readonly kind: "requeueAt"; readonly at: number }
  | { readonly kind: "continue" };

/** How soon a class is reconciled again while its CRD is away, something moved, or the watch lags behind (milliseconds). */
export const UNSETTLED: StepResult = { kind: "requeueAfter", milliseconds: 500 };

/** What is to be done, in this order, and what follows. An action that can't go on ends the step with a result of its own. */
export interface Step {
  readonly actions: readonly Action[];
  readonly result: StepResult;
}

export type Action =
  | { readonly kind: "note"; readonly event: StateEvent }
  /** Everything that is known of the class is dropped; `reset` keeps what was warned of. */
  | { readonly kind: "forget" | "reset" }
  | { readonly kind: "reportFrozen" | "reportThawed" }
  /** Reads a class that has waited for room. Where it has some, its reconcile begins anew. */
  | { readonly kind: "admit"; readonly spc: HeldClass }
  /** The class as it is read now, under a CRD that is the same healthy one before and after. */
  | { readonly kind: "saveSnapshot"; readonly spc: HeldClass }
  | { readonly kind: "removeSnapshot" }
  /** Makes the owners of the class its owners again, which the worker has not come to. */
  | { readonly kind: "handOverClass"; readonly snapshot: ClassSnapshot }
  /** Brings back what a damaged CRD has cut off. */
  | { readonly kind: "completeClass"; readonly spc: HeldClass; readonly snapshot: ClassSnapshot }
  /** `notice`: told where the status is another one than before. */
  | { readonly kind: "setStatus"; readonly outcome: ClassOutcome; readonly notice?: Notice }
  | { readonly kind: "markStale"; readonly lastSuccess: number; readonly maxStale: number }
  /** Tells by an event, once, that the stored status calls the class stale. */
  | { readonly kind: "tellStale" }
  /** Stores what could not be stored; ends the step where that has to be tried again. */
  | { readonly kind: "storeStatus"; readonly otherwise: StepResult }
  | { readonly kind: "dropStatus" }
  | { readonly kind: "warn"; readonly topic: "annotations" | "parameters"; readonly problems: readonly string[] }
  | { readonly kind: "tell"; readonly notice: Notice }
  /** The Secrets hold what the events tell of. */
  | { readonly kind: "endHints"; readonly hints: readonly Hint[] }
  | ReleaseSecret
  | Guarded;

/** What can't be taken back, or concludes from an absence: done only while all preconditions hold, which are checked in their order right before. */
export interface Guarded {
  readonly kind: "guarded";
  readonly preconditions: readonly [Precondition, ...Precondition[]];
  readonly actions: readonly Destructive[];
  /** What follows where one of them does not hold. */
  readonly otherwise: StepResult;
}

/**
 * Asked of the API server now, but for `unused` and `sameSecrets`, which the live copies have told meanwhile. The class is always read before its CRD: if
 * that is healthy then, and still the same one, it was there when the class was as it was read.
 */
export type Precondition =
  /** The API server knows no such class. */
  | { readonly kind: "classAbsent" }
  | { readonly kind: "classUnchanged"; readonly resourceVersion: string | undefined }
  /** `uid`: it is this object. */
  | { readonly kind: "crdHealthy"; readonly uid?: string }
  | { readonly kind: "noLiveConsumer" }
  /** The watch of pods has shown none. */
  | { readonly kind: "unused" }
  /** None of these names has a Secret of the class, which was written and not seen: its watch may be broken for long, and the copy not say so. */
  | { readonly kind: "noUnseenSecrets"; readonly names: readonly string[] }
  /** The class has no other Secrets: one that was written just before it went may not have been seen yet. */
  | { readonly kind: "sameSecrets"; readonly named: readonly ObservedSecret[] };

export type Destructive =
  | ReleaseSecret
  /** With the uid and resourceVersion of `secret`. `nextOwner`: the class that gets it instead; where that is another one by now, the step ends. */
  | { readonly kind: "removeSecret"; readonly secret: ObservedSecret; readonly nextOwner: string | undefined; readonly why: string }
  | { readonly kind: "dropStatus" | "removeSnapshot" | "forget" }
  | { readonly kind: "restoreClass"; readonly snapshot: ClassSnapshot }
  | { readonly kind: "leaveUnrestored" }
  | { readonly kind: "leaveUnexplained"; readonly secretNames: readonly string[] };

/** Gives a Secret back that was there before its class, with the uid and resourceVersion of `secret`. */
interface ReleaseSecret {
  readonly kind: "releaseSecret";
  readonly secret: ObservedSecret;
  readonly why: string;
}
