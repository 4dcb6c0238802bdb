import type { ObjectRef } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeError } from "../../domain/ports/kube-error.ts";
import type { PlannedCopy } from "../../domain/sync/copies/copies-plan.ts";
import type { CopyResult } from "../../domain/sync/copies/copy-status.ts";
import type { CopyState } from "../../domain/sync/status-fields.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import { soonestOf, writeRefusal } from "../refusals.ts";

/** While the class CRD is away, something moved, or the class has no status yet (milliseconds). */
export const UNSETTLED_MS = 1_000;
/** Nothing tells of a foreign Secret that has gone (milliseconds). */
const CONFLICT_MS = 60_000;

export type CopyPlace = Omit<CopyResult, "state">;

export const placeOfSecret = ({ namespace = "", name }: ObjectRef): CopyPlace => ({ namespace, name });
export const placeOfCopy = ({ namespace, source }: PlannedCopy): CopyPlace => ({ namespace, name: source.secret.ref.name });

/** What comes of the single copies, of their removal as of their writing: one that fails holds up no other. */
export class CopyPass {
  /** Namespaces of which the next pass knows more: a write met another one, say. */
  readonly unclear = new Set<string>();
  readonly #results = new Map<string, CopyResult>();
  readonly #failures: KubeError[] = [];
  #milliseconds = Number.POSITIVE_INFINITY;

  get results(): readonly CopyResult[] {
    return [...this.#results.values()];
  }

  /** Does what is about these copies; its failure is theirs. */
  async attempt(places: readonly CopyPlace[], work: () => Promise<void>): Promise<void> {
    const error = await writeRefusal(work);
    if (error !== undefined) for (const place of places) this.#fail(place, error);
  }

  requeueAfter(milliseconds: number): void {
    this.#milliseconds = Math.min(this.#milliseconds, milliseconds);
  }

  note(place: CopyPlace, state: CopyState): undefined {
    if (state === "Conflict") this.requeueAfter(CONFLICT_MS);
    this.#results.set(objectKey(place), { ...place, state });
  }

  /** Nobody knows by now what is to become of the copy; where an attempt has failed for it, that is told already. */
  noteUnclear(place: CopyPlace): undefined {
    if (this.#results.has(objectKey(place))) return;
    this.unclear.add(place.namespace);
    this.requeueAfter(UNSETTLED_MS);
  }

  /** `contestedFor`: milliseconds in which others still count as changing it back; undefined where nobody does. */
  noteContested(
    place: CopyPlace,
    { state, contestedFor }: { readonly state: CopyState; readonly contestedFor: number | undefined },
  ): undefined {
    if (contestedFor === undefined) return this.note(place, state);
    this.requeueAfter(contestedFor);
    return this.note(place, "Contested");
  }

  #fail(place: CopyPlace, error: KubeError): void {
    // What goes with its namespace fails nobody.
    if (error.code === "Terminating") return this.note(place, "Terminating");
    this.#failures.push(error);
    if (error.code === "Conflict") this.unclear.add(place.namespace);
    else this.note(place, "Failed");
  }

  outcome(): Outcome {
    const failure = soonestOf(this.#failures);
    if (failure !== undefined) throw failure;
    return this.#milliseconds === Number.POSITIVE_INFINITY ? { kind: "done" } : { kind: "requeueAfter", milliseconds: this.#milliseconds };
  }
}
