import type { ClassSnapshot } from "../../domain/healing/snapshot.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import type { ClassOutcome } from "../../domain/sync/class-status.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { Hint } from "../push/hints.ts";
import type { Notice } from "./report.ts";
import type { StateEvent } from "./state.ts";

/** Result of a step, which determines how the reconcile of the class continues after the actions. */
export type StepResult =
  | Outcome
  /** `at`: Unix milliseconds. */
  | { readonly kind: "requeueAt"; readonly at: number }
  | { readonly kind: "continue" };

/** Delay before the next reconcile of a class while its CRD is frozen, something changed during the pass, or the watch lags behind (milliseconds). */
export const UNSETTLED: StepResult = { kind: "requeueAfter", milliseconds: 500 };

/** The actions to do, in this order, and the result after them. An action that cannot continue ends the step with its own result. */
export interface Step {
  readonly actions: readonly Action[];
  readonly result: StepResult;
}

export type Action =
  | { readonly kind: "note"; readonly event: StateEvent }
  /** `forget` drops everything that this process remembers about the class. `reset` keeps the record of reported warnings. */
  | { readonly kind: "forget" | "reset" }
  | { readonly kind: "reportFrozen" | "reportThawed" }
  /** Reads a class that waited for room. If the class has room now, its reconcile starts again. */
  | { readonly kind: "admit"; readonly spc: HeldClass }
  /** Saves the class as the API server returns it between two reads of the CRD. Both reads must find the same healthy CRD. */
  | { readonly kind: "saveSnapshot"; readonly spc: HeldClass }
  | { readonly kind: "removeSnapshot" }
  /** Completes a hand-over that an earlier worker did not reach: makes the previous owners of the class its owners again. */
  | { readonly kind: "handOverClass"; readonly snapshot: ClassSnapshot }
  /** Restores the fields that a damaged CRD removed. */
  | { readonly kind: "completeClass"; readonly spc: HeldClass; readonly snapshot: ClassSnapshot }
  /** `notice`: the worker reports it only if the status changes. */
  | { readonly kind: "setStatus"; readonly outcome: ClassOutcome; readonly notice?: Notice }
  | { readonly kind: "markStale"; readonly lastSuccess: number; readonly maxStale: number }
  /** Emits an event, once, if the stored status reports the class as stale. */
  | { readonly kind: "reportStale" }
  /** Stores a status that could not be stored earlier. Ends the step if the write has to be repeated. */
  | { readonly kind: "storeStatus"; readonly otherwise: StepResult }
  | { readonly kind: "dropStatus" }
  | { readonly kind: "warn"; readonly topic: "annotations" | "parameters"; readonly problems: readonly string[] }
  | { readonly kind: "report"; readonly notice: Notice }
  /** Ends hints about object versions that the stored status already contains. */
  | { readonly kind: "endHints"; readonly hints: readonly Hint[] }
  | ReleaseSecret
  | Guarded;

/**
 * Actions that cannot be undone, or that conclude something from an absence. The worker does them only while all preconditions hold, and
 * checks these in order right before.
 */
export interface Guarded {
  readonly kind: "guarded";
  readonly preconditions: readonly [Precondition, ...Precondition[]];
  readonly actions: readonly Destructive[];
  /** Result of the step if a precondition does not hold. */
  readonly otherwise: StepResult;
}

/**
 * Conditions that the worker checks with fresh reads from the API server, except `unused` and `sameSecrets`, which it checks in the live
 * copies. The class is always read before its CRD. If the CRD is then healthy and still the same object, it also existed when the class was
 * read.
 */
export type Precondition =
  /** The API server has no such class. */
  | { readonly kind: "classAbsent" }
  | { readonly kind: "classUnchanged"; readonly resourceVersion: string | undefined }
  /** `uid`: the uid that the CRD must have. */
  | { readonly kind: "crdHealthy"; readonly uid?: string }
  | { readonly kind: "noLiveConsumer" }
  /** The watch of pods shows no pod that uses the class. */
  | { readonly kind: "unused" }
  /**
   * No Secret with one of these names belongs to the class. The watch may be broken for a long time without a sign of it in the live copy,
   * so the copy may lack a Secret that the worker wrote.
   */
  | { readonly kind: "noUnseenSecrets"; readonly names: readonly string[] }
  /**
   * The live copy still shows exactly these Secrets of the class. At the time of the plan, it may have lacked a Secret that was written
   * right before the class disappeared.
   */
  | { readonly kind: "sameSecrets"; readonly named: readonly ObservedSecret[] };

export type Destructive =
  | ReleaseSecret
  /**
   * Deletes the Secret, with the uid and resourceVersion of `secret`, or hands it over to the class `nextOwner`. If another class is the
   * next owner by then, the step ends.
   */
  | { readonly kind: "removeSecret"; readonly secret: ObservedSecret; readonly nextOwner: string | undefined; readonly why: string }
  | { readonly kind: "dropStatus" | "removeSnapshot" | "forget" }
  | { readonly kind: "restoreClass"; readonly snapshot: ClassSnapshot }
  | { readonly kind: "leaveUnrestored" }
  | { readonly kind: "leaveUnexplained"; readonly secretNames: readonly string[] };

/** Returns a Secret that existed before its class to its previous owner, with the uid and resourceVersion of `secret`. */
interface ReleaseSecret {
  readonly kind: "releaseSecret";
  readonly secret: ObservedSecret;
  readonly why: string;
}
