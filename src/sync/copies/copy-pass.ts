import type { ObjectRef } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeError } from "../../domain/ports/kube-error.ts";
import type { PlannedCopy } from "../../domain/sync/copies/copies-plan.ts";
import type { CopyOutcome, CopyResult } from "../../domain/sync/copies/copy-status.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import { soonestOf } from "../patience.ts";
import { writeRefusal } from "../refusals.ts";

/** Delay while the class CRD is frozen, something changed meanwhile, or the class has no status yet (milliseconds). */
export const UNSETTLED_MS = 1_000;
/** Delay after a conflict, because no event shows that someone else's Secret is gone (milliseconds). */
const CONFLICT_MS = 60_000;

export type CopyPlace = Omit<CopyResult, "state">;

export const placeOfSecret = ({ namespace = "", name }: ObjectRef): CopyPlace => ({ namespace, name });
export const placeOfCopy = ({ namespace, source }: PlannedCopy): CopyPlace => ({ namespace, name: source.secret.ref.name });

/** Results of the removal and the write of single copies. A copy that fails does not delay the others. */
export class CopyPass {
  /** Namespaces about which only the next pass can tell more, for example because a write conflicted with another one. */
  readonly unclear = new Set<string>();
  readonly #results = new Map<string, CopyResult>();
  readonly #failures: KubeError[] = [];
  #milliseconds = Number.POSITIVE_INFINITY;

  get results(): readonly CopyResult[] {
    return [...this.#results.values()];
  }

  /** Runs the work for these copies. If it fails, the failure counts for each of them. */
  async attempt(places: readonly CopyPlace[], work: () => Promise<void>): Promise<void> {
    const error = await writeRefusal(work);
    if (error !== undefined) for (const place of places) this.#fail(place, error);
  }

  requeueAfter(milliseconds: number): void {
    this.#milliseconds = Math.min(this.#milliseconds, milliseconds);
  }

  note(place: CopyPlace, state: CopyOutcome): undefined {
    if (state === "Conflict") this.requeueAfter(CONFLICT_MS);
    this.#results.set(objectKey(place), { ...place, state });
  }

  /** Records that the next step for the copy is unknown. A failed attempt has already recorded its own result. */
  noteUnclear(place: CopyPlace): undefined {
    if (this.#results.has(objectKey(place))) return;
    this.unclear.add(place.namespace);
    this.requeueAfter(UNSETTLED_MS);
  }

  /** `contestedFor`: milliseconds for which the copy still counts as contested; undefined if it does not. */
  noteContested(
    place: CopyPlace,
    { state, contestedFor }: { readonly state: CopyOutcome; readonly contestedFor: number | undefined },
  ): undefined {
    if (contestedFor === undefined) return this.note(place, state);
    this.requeueAfter(contestedFor);
    return this.note(place, "Contested");
  }

  #fail(place: CopyPlace, error: KubeError): void {
    // A copy that is deleted with its namespace does not count as a failure.
    if (error.code === "Terminating") return this.note(place, "Terminating");
    this.#failures.push(error);
    if (error.code === "Conflict") this.unclear.add(place.namespace);
    else this.note(place, "Failed");
  }

  outcome(): Outcome {
    const milliseconds = this.#milliseconds;
    const next: Outcome = milliseconds === Number.POSITIVE_INFINITY ? { kind: "done" } : { kind: "requeueAfter", milliseconds };
    const failure = soonestOf(this.#failures, undefined, next);
    if (failure !== undefined) throw failure;
    return next;
  }
}
