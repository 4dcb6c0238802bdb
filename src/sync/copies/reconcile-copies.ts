import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey, refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import { withCopies } from "../../domain/sync/class-status.ts";
import { type CopiesPlan, copyStatuses, type PlannedCopy, planCopies } from "../../domain/sync/copies/copies-plan.ts";
import { newConflicts } from "../../domain/sync/copies/copy-status.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { StatusStore } from "../classes/status-store.ts";
import { tell } from "../classes/tell.ts";
import type { CopyPace } from "./copy-pace.ts";
import { CopyPass, placeOfCopy, placeOfSecret, UNSETTLED_MS } from "./copy-pass.ts";
import { type CopyCaches, type ForeignClasses, foreignOwners, observeCopies } from "./observe-copies.ts";
import { type CopyRemoving, removeCopy } from "./remove-copy.ts";
import { type DueCopy, readSource, writeCopy } from "./write-copy.ts";

export interface CopyPorts {
  readonly writing: CopyRemoving;
  readonly caches: CopyCaches;
  readonly statuses: Pick<StatusStore, "get" | "update">;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly pace: CopyPace;
}

/** One pass over the copies of one class: observe, plan, apply, tell. */
export async function reconcileCopies(ports: CopyPorts, key: string, signal: AbortSignal): Promise<Outcome> {
  const { writing, caches, pace } = ports;
  if (writing.crdHealth.state.kind === "frozen") return { kind: "requeueAfter", milliseconds: UNSETTLED_MS };
  const seen = observeCopies(caches, key);
  if (seen === undefined) return { kind: "done" };
  const pass = new CopyPass();
  const owners = foreignOwners(caches, seen);
  const foreign = await foreignClasses(writing, owners, pass, signal);
  const observation = owners.size === 0 ? seen : observeCopies(caches, key, foreign);
  if (observation === undefined) return { kind: "done" };
  const plan = planCopies(observation);
  const subject = { key, resourceVersion: caches.classes.get(refOfKey(key))?.metadata.resourceVersion };
  for (const removal of plan.removals) {
    await pass.attempt([placeOfSecret(removal.secret.ref)], async () => {
      if (await removeCopy(writing, subject, removal, signal)) pace.forget(objectKey(removal.secret.ref));
      else pass.requeueAfter(UNSETTLED_MS);
    });
  }
  await writeCopies(ports, plan, pass, signal);
  await tellStatus(ports, key, { plan, pass }, signal);
  return pass.outcome();
}

/** What cannot be read holds up only the copies that name it. */
async function foreignClasses(
  { kube }: CopyRemoving,
  owners: ReturnType<typeof foreignOwners>,
  pass: CopyPass,
  signal: AbortSignal,
): Promise<ForeignClasses> {
  const found = new Map<string, SecretProviderClass | undefined>();
  for (const [key, places] of owners) {
    await pass.attempt(places, async () => {
      const result = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, refOfKey(key), signal);
      // Where the kind is not served, nothing is said of the class.
      if (result.kind !== "unserved") found.set(key, result.kind === "found" ? result.object : undefined);
    });
  }
  return found;
}

/** Each source is read once, for the copies of it that have to be written; its values are let go before the next one is read. */
async function writeCopies(ports: CopyPorts, { copies }: CopiesPlan, pass: CopyPass, signal: AbortSignal): Promise<void> {
  for (const source of new Set(copies.map((copy) => copy.source))) {
    const due = copies.filter((each) => each.source === source).flatMap((copy) => dueNow(ports, copy, pass) ?? []);
    if (due.length > 0) await writeDue(ports, due, pass, signal);
  }
}

/** The copy, if it is to be written now; otherwise notes how it stands. */
function dueNow({ pace, clock }: CopyPorts, copy: PlannedCopy, pass: CopyPass): DueCopy | undefined {
  const { step } = copy;
  const place = placeOfCopy(copy);
  const now = clock.now();
  // The store has logged which Secret has no room; once there is some, its change brings the class back.
  if (step.kind === "conflict" || step.kind === "noRoom") return pass.note(place, step.kind === "conflict" ? "Conflict" : "Failed");
  if (step.kind === "keep") {
    pace.noteRight(copy);
    return pass.noteContested(place, { state: "Synced", contestedFor: pace.contestedFor(copy, now) });
  }
  if (step.kind === "unclear") return pass.noteUnclear(place);
  const pause = pace.pauseBefore(copy, now);
  return pause === 0 ? { ...copy, step } : pass.noteContested(place, { state: "Contested", contestedFor: pause });
}

async function writeDue(ports: CopyPorts, due: readonly DueCopy[], pass: CopyPass, signal: AbortSignal): Promise<void> {
  const { writing, caches, clock, pace } = ports;
  const [{ source } = { source: undefined }] = due;
  await pass.attempt(due.map(placeOfCopy), async () => {
    const live = source && (await readSource(writing, source, signal));
    if (live === undefined) {
      pass.requeueAfter(UNSETTLED_MS);
      for (const copy of due) pass.note(placeOfCopy(copy), "Waiting");
      return;
    }
    for (const copy of due) {
      signal.throwIfAborted();
      const place = placeOfCopy(copy);
      const observed = caches.copies.get(place);
      await pass.attempt([place], async () => {
        const state = await writeCopy(writing, copy, { live, observed }, signal);
        if (state === "Synced") pace.noteWrite(copy, clock.now());
        pass.noteContested(place, { state, contestedFor: pace.contestedFor(copy, clock.now()) });
      });
    }
  });
}

/** Where a class has no status yet, its own reconcile is about to make one. */
async function tellStatus(
  { writing: { logger }, caches, statuses, events }: CopyPorts,
  key: string,
  { plan, pass }: { readonly plan: CopiesPlan; readonly pass: CopyPass },
  signal: AbortSignal,
): Promise<void> {
  const ref = refOfKey(key);
  const spc = caches.classes.get(ref);
  if (spc === undefined) return;
  const before = statuses.get(ref)?.copies ?? [];
  const copies = copyStatuses(
    plan,
    pass.results,
    before.filter(({ namespace }) => pass.unclear.has(namespace)),
  );
  if (statuses.get(ref) === undefined && copies.length > 0) pass.requeueAfter(UNSETTLED_MS);
  const conflicts = newConflicts(copies, before);
  if (conflicts !== undefined && statuses.get(ref) !== undefined)
    tell({ events, logger }, spc, { kind: "copy", reason: "Conflict", message: conflicts });
  const change = (stored: ClassStatus | undefined): ClassStatus | undefined => stored && withCopies(stored, copies);
  await statuses.update(ref, change, signal);
}
