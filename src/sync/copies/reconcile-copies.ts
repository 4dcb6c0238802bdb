import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey, refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { type ClassStatus, withCopies } from "../../domain/sync/class-status.ts";
import { type CopiesPlan, copyStatuses, type PlannedCopy, planCopies } from "../../domain/sync/copies/copies-plan.ts";
import { type CopyResult, type CopyState, newConflicts } from "../../domain/sync/copies/copy-status.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { StatusStore } from "../classes/status-store.ts";
import { tell } from "../classes/tell.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { CopyPace } from "./copy-pace.ts";
import { type CopyCaches, type ForeignClasses, foreignOwners, observeCopies } from "./observe-copies.ts";
import { type CopyRemoving, removeCopy } from "./remove-copy.ts";
import { readSource, writeCopy } from "./write-copy.ts";

export interface CopyPorts extends CopyRemoving {
  readonly caches: CopyCaches;
  readonly crdHealth: CrdHealth;
  readonly statuses: Pick<StatusStore, "get" | "update">;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly pace: CopyPace;
}

/** While the class CRD is away, something moved, or the class has no status yet (milliseconds). */
const UNSETTLED_MS = 1_000;
/** Nothing tells of a foreign Secret that has gone (milliseconds). */
const CONFLICT_MS = 60_000;

/** One pass over the copies of one class: observe, plan, apply, tell. */
export async function reconcileCopies(ports: CopyPorts, key: string, signal: AbortSignal): Promise<Outcome> {
  const { caches, crdHealth, pace } = ports;
  if (crdHealth.state.kind === "frozen") return { kind: "requeueAfter", milliseconds: UNSETTLED_MS };
  const seen = observeCopies(caches, key);
  if (seen === undefined) return { kind: "done" };
  const foreign = await foreignClasses(ports, foreignOwners(caches, seen), signal);
  const observation = foreign.size === 0 ? seen : observeCopies(caches, key, foreign);
  if (observation === undefined) return { kind: "done" };
  const plan = planCopies(observation);
  const subject = { key, resourceVersion: caches.classes.get(refOfKey(key))?.metadata.resourceVersion };
  const pass = new Pass();
  for (const removal of plan.removals) {
    if (await removeCopy(ports, subject, removal, signal)) pace.forget(objectKey(removal.secret.ref));
    else pass.requeueAfter(UNSETTLED_MS);
  }
  await writeCopies(ports, plan, pass, signal);
  // Of a write that met another one the next pass knows more.
  if (!pass.hasCollided) await tellStatus(ports, key, { plan, pass }, signal);
  return pass.outcome();
}

async function foreignClasses({ kube }: CopyPorts, keys: readonly string[], signal: AbortSignal): Promise<ForeignClasses> {
  const found = new Map<string, SecretProviderClass | undefined>();
  for (const key of keys) {
    const result = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, refOfKey(key), signal);
    // Where the kind is not served, nothing is said of the class.
    if (result.kind !== "unserved") found.set(key, result.kind === "found" ? result.object : undefined);
  }
  return found;
}

/** What comes of the single copies: one that fails holds up no other. */
class Pass {
  readonly results: CopyResult[] = [];
  readonly #failures: KubeError[] = [];
  #milliseconds = Number.POSITIVE_INFINITY;

  get hasCollided(): boolean {
    return this.#failures.some(({ code }) => code === "Conflict");
  }

  requeueAfter(milliseconds: number): void {
    this.#milliseconds = Math.min(this.#milliseconds, milliseconds);
  }

  note({ source, namespace }: PlannedCopy, state: CopyState): void {
    if (state === "Conflict") this.requeueAfter(CONFLICT_MS);
    this.results.push({ namespace, name: source.secret.ref.name, state });
  }

  noteFailure(copy: PlannedCopy, error: KubeError): void {
    // What goes with its namespace fails nobody.
    if (error.code === "Terminating") return this.note(copy, "Terminating");
    this.#failures.push(error);
    this.note(copy, "Failed");
  }

  /** Throws the failure that is to be tried again first. */
  outcome(): Outcome {
    const failure = this.#failures.find(({ retry }) => retry.kind !== "never") ?? this.#failures[0];
    if (failure !== undefined) throw failure;
    return this.#milliseconds === Number.POSITIVE_INFINITY ? { kind: "done" } : { kind: "requeueAfter", milliseconds: this.#milliseconds };
  }
}

/** Each source is read once, for the copies of it that have to be written; its values are let go before the next one is read. */
async function writeCopies(ports: CopyPorts, { copies }: CopiesPlan, pass: Pass, signal: AbortSignal): Promise<void> {
  for (const source of new Set(copies.map((copy) => copy.source))) {
    const due: PlannedCopy[] = [];
    for (const copy of copies.filter((each) => each.source === source)) {
      const state = stateBefore(ports, copy, pass);
      if (state === undefined) due.push(copy);
      else pass.note(copy, state);
    }
    if (due.length > 0) await writeDue(ports, due, pass, signal);
  }
}

/** How it stands without a write; undefined where one is due. */
function stateBefore({ pace, clock }: CopyPorts, copy: PlannedCopy, pass: Pass): CopyState | undefined {
  const now = clock.now();
  if (copy.step.kind === "conflict") return "Conflict";
  if (copy.step.kind !== "keep") {
    const pause = pace.pauseBefore(copy, now);
    if (pause === 0) return undefined;
    pass.requeueAfter(pause);
    return "Contested";
  }
  const contested = pace.contestedFor(copy, now);
  if (contested === undefined) return "Synced";
  if (Number.isFinite(contested)) pass.requeueAfter(contested);
  return "Contested";
}

async function writeDue(ports: CopyPorts, due: readonly PlannedCopy[], pass: Pass, signal: AbortSignal): Promise<void> {
  const { caches, clock, pace } = ports;
  const [{ source } = { source: undefined }] = due;
  const live = source && (await readSource(ports, source, signal));
  if (live === undefined) {
    pass.requeueAfter(UNSETTLED_MS);
    for (const copy of due) pass.note(copy, "Waiting");
    return;
  }
  for (const copy of due) {
    signal.throwIfAborted();
    const observed = caches.copies.get({ namespace: copy.namespace, name: copy.source.secret.ref.name });
    try {
      const state = await writeCopy(ports, copy, { live, observed }, signal);
      if (state === "Synced") pace.noteWrite(copy, clock.now());
      const contested = pace.contestedFor(copy, clock.now());
      if (contested !== undefined) pass.requeueAfter(contested);
      pass.note(copy, contested === undefined ? state : "Contested");
    } catch (error) {
      if (!(error instanceof KubeError) || error.code === "NotLeading") throw error;
      pass.noteFailure(copy, error);
    }
  }
}

/** Where a class has no status yet, its own reconcile is about to make one. */
async function tellStatus(
  { caches, statuses, events, logger }: CopyPorts,
  key: string,
  { plan, pass }: { readonly plan: CopiesPlan; readonly pass: Pass },
  signal: AbortSignal,
): Promise<void> {
  const ref = refOfKey(key);
  const spc = caches.classes.get(ref);
  if (spc === undefined) return;
  const copies = copyStatuses(plan, pass.results);
  const before = statuses.get(ref)?.copies ?? [];
  if (statuses.get(ref) === undefined && copies.length > 0) pass.requeueAfter(UNSETTLED_MS);
  const conflicts = newConflicts(copies, before);
  if (conflicts !== undefined && statuses.get(ref) !== undefined)
    tell({ events, logger }, spc, { kind: "copy", reason: "Conflict", message: conflicts });
  const change = (stored: ClassStatus | undefined): ClassStatus | undefined => stored && withCopies(stored, copies);
  await statuses.update(ref, change, signal);
}
