import { COPY_LABEL } from "../../domain/annotations.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import { withCopies } from "../../domain/sync/class-status.ts";
import {
  type CopiesObservation,
  type CopiesPlan,
  copyStatuses,
  type PlannedCopy,
  planCopies,
} from "../../domain/sync/copies/copies-plan.ts";
import { type CopyWrite, planCopy } from "../../domain/sync/copies/copy-plan.ts";
import { newConflicts } from "../../domain/sync/copies/copy-status.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import { report } from "../classes/report.ts";
import type { StatusStore } from "../classes/status-store.ts";
import { observeStoredSecret } from "../secrets/secret-store.ts";
import { wholeSecret } from "../secrets/whole-secret.ts";
import type { CopyPace } from "./copy-pace.ts";
import { CopyPass, placeOfCopy, placeOfSecret, UNSETTLED_MS } from "./copy-pass.ts";
import { type CopyCaches, type ForeignClasses, foreignOwners, observeCopies } from "./observe-copies.ts";
import { type CopyRemoving, removeCopy } from "./remove-copy.ts";
import { readSource, writeCopy } from "./write-copy.ts";

export interface CopyPorts {
  readonly writing: CopyRemoving;
  readonly caches: CopyCaches;
  readonly statuses: Pick<StatusStore, "get" | "update">;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly pace: CopyPace;
}

/** Reconciles the copies of one class: observes, plans, applies, and reports. */
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
  pace.keep(key, plan.copies);
  for (const removal of plan.removals) {
    await pass.attempt([placeOfSecret(removal.secret.ref)], async () => {
      if (!(await removeCopy(writing, observation, removal, signal))) pass.requeueAfter(UNSETTLED_MS);
    });
  }
  await writeCopies(ports, plan, { observation, pass }, signal);
  await reportStatus(ports, key, { plan, pass }, signal);
  return pass.outcome();
}

/** Reads classes of other shards. A class that cannot be read delays only the copies that name it. */
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
      // If the API server does not serve the kind, nothing is known about the class.
      if (result.kind !== "unserved") found.set(key, result.kind === "found" ? result.object : undefined);
    });
  }
  return found;
}

interface Writing {
  readonly observation: CopiesObservation;
  readonly pass: CopyPass;
}

/** Milliseconds after which values are too old to be written. A write can wait for longer, and the Secret of the class may change meanwhile. */
const VALUES_LIFE_MS = 2_000;

/** Writes the copies that have to be written source by source, and drops the values of one before it reads the next one. */
async function writeCopies(ports: CopyPorts, { copies }: CopiesPlan, writing: Writing, signal: AbortSignal): Promise<void> {
  for (const source of new Set(copies.map((copy) => copy.source))) {
    const due = copies.filter((each) => each.source === source).flatMap((copy) => dueNow(ports, copy, writing.pass) ?? []);
    let left: readonly NextCopy[] = due;
    while (left.length > 0) left = await writeSome(ports, left, writing, signal);
  }
}

interface NextCopy extends PlannedCopy {
  readonly step: CopyWrite | { readonly kind: "unread" };
}

/** Returns the copy if it has to be read or written now; otherwise records its state. */
function dueNow({ pace, clock }: CopyPorts, copy: PlannedCopy, pass: CopyPass): NextCopy | undefined {
  const { step } = copy;
  const place = placeOfCopy(copy);
  const now = clock.now();
  if (step.kind === "conflict") return pass.note(place, "Conflict");
  if (step.kind === "unclear") return pass.noteUnclear(place);
  if (step.kind === "keep") {
    pace.noteRight(copy);
    return pass.noteContested(place, { state: "Synced", contestedFor: pace.contestedFor(copy, now) });
  }
  const pause = pace.pauseBefore(copy, now);
  return pause === 0 ? { ...copy, step } : pass.noteContested(place, { state: "Contested", contestedFor: pause });
}

/** Reads the source of these copies, and writes copies until the values are too old. Returns the copies that are left. */
async function writeSome(
  ports: CopyPorts,
  due: readonly NextCopy[],
  { observation, pass }: Writing,
  signal: AbortSignal,
): Promise<readonly NextCopy[]> {
  const { writing, clock } = ports;
  const [{ source } = { source: undefined }] = due;
  let left: readonly NextCopy[] = [];
  await pass.attempt(due.map(placeOfCopy), async () => {
    const live = source && (await readSource(writing, source, signal));
    if (live === undefined) {
      pass.requeueAfter(UNSETTLED_MS);
      for (const copy of due) pass.note(placeOfCopy(copy), "Waiting");
      return;
    }
    const readAt = clock.now();
    for (const [index, copy] of due.entries()) {
      signal.throwIfAborted();
      if (clock.now() - readAt > VALUES_LIFE_MS) {
        left = due.slice(index);
        return;
      }
      await pass.attempt([placeOfCopy(copy)], () => writeOne(ports, copy, { live, observation, pass }, signal));
    }
  });
  return left;
}

/** `live` is the copy's source. */
async function writeOne(ports: CopyPorts, due: NextCopy, by: Writing & { readonly live: Secret }, signal: AbortSignal): Promise<void> {
  const { writing, caches, clock, pace } = ports;
  const { live, pass } = by;
  const place = placeOfCopy(due);
  const isUnread = due.step.kind === "unread";
  const seen = isUnread ? await readCopy(ports, due, by, signal) : { copy: due, observed: caches.copies.get(place) };
  const copy = isUnread ? dueNow(ports, seen.copy, pass) : due;
  if (copy === undefined || copy.step.kind === "unread") return;
  if (!isStillAllowed(ports, by.observation, copy)) return pass.noteUnclear(place);
  const state = await writeCopy(writing, { ...copy, step: copy.step }, { live, observed: seen.observed }, signal);
  if (state === "Synced") pace.noteWrite(copy, clock.now());
  pass.noteContested(place, { state, contestedFor: pace.contestedFor(copy, clock.now()) });
}

/**
 * Whether the pass may still write the copy: the CRD is whole, the class is the observed one, and the Namespace consents. The writes of
 * other copies may have taken minutes since the observation.
 */
function isStillAllowed(
  { writing, caches }: CopyPorts,
  { key, resourceVersion, standingOf }: CopiesObservation,
  { namespace }: PlannedCopy,
): boolean {
  if (writing.crdHealth.state.kind === "frozen" || standingOf(namespace) !== "granted") return false;
  return caches.classes.get(refOfKey(key))?.metadata.resourceVersion === resourceVersion;
}

interface ReadCopy {
  readonly copy: PlannedCopy;
  readonly observed: ObservedSecret | undefined;
}

/** Reads a copy that is held in part, and plans it again from the Secret in the API server. */
async function readCopy(
  { writing, caches }: CopyPorts,
  copy: PlannedCopy,
  { live, observation }: Pick<Writing, "observation"> & { readonly live: Secret },
  signal: AbortSignal,
): Promise<ReadCopy> {
  const place = placeOfCopy(copy);
  const { secret } = copy.source;
  const source = { ...copy.source, secret: secret.isPartial === true ? observeStoredSecret(live, writing.fingerprints) : secret };
  const observed = await wholeSecret(writing, caches.copies.get(place), COPY_LABEL, signal);
  const step = planCopy(source, { observed, isClaimedBy: (classKey) => observation.isClaimedBy(classKey, place) });
  return { copy: { ...copy, source, step }, observed };
}

/** Reports the states of the copies in the class's status. If the class has no status yet, its own reconcile is about to create one. */
async function reportStatus(
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
    report({ events, logger }, spc, { kind: "copy", reason: "Conflict", message: conflicts });
  const change = (stored: ClassStatus | undefined): ClassStatus | undefined => stored && withCopies(stored, copies);
  await statuses.update(ref, change, signal);
}
