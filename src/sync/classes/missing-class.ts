import { assertNever } from "../../domain/assert-never.ts";
import { missingClassVerdict } from "../../domain/healing/missing-class.ts";
import { type ClassSnapshot, restoredClass } from "../../domain/healing/snapshot.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { handOver } from "../healing/hand-over.ts";
import { removeSecrets } from "../secrets/remove-secrets.ts";
import { writtenFor } from "../secrets/secret-store.ts";
import type { ClassResult, WorkerContext } from "../worker-context.ts";

/** How soon a class is looked at again while its CRD is away or the watch lags behind (milliseconds). */
export const UNSETTLED_MS = 500;

const AGAIN: ClassResult = { kind: "again", after: UNSETTLED_MS };
const DONE: ClassResult = { kind: "done" };

/**
 * A class that the watch does not have. The order of the two live reads matters: the class first, the CRD after it. If the
 * CRD is then still the one of the snapshot and not going away, it was there when the class was not.
 */
export async function reconcileMissingClass(context: WorkerContext, ref: ObjectRef, signal: AbortSignal): Promise<ClassResult> {
  const key = objectKey(ref);
  const snapshot = context.snapshots.get(key);
  const secrets = context.secrets.ofClass(key);
  if (snapshot === undefined && secrets.length === 0) {
    context.memories.forget(key);
    if (context.statuses.get(ref) !== undefined) await removeLeftStatus(context, ref, signal);
    return DONE;
  }
  // While the CRD is away nothing can be concluded, and nobody has to be asked for that.
  if (context.gate.state.kind === "frozen") return AGAIN;
  const found = await context.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, ref, signal);
  if (found.kind !== "absent") return AGAIN;
  const gate = await context.gate.confirm(signal);
  const verdict = missingClassVerdict({ snapshotCrdUid: snapshot?.crdUid, wholeCrdUid: gate.kind === "whole" ? gate.crdUid : undefined });
  switch (verdict.kind) {
    case "frozen":
      return AGAIN;
    case "unknown":
      context.logger.warn("a class is gone and no snapshot says whether it was meant to: its Secrets stay", {
        class: key,
        secrets: secrets.map((secret) => secret.ref.name),
      });
      return DONE;
    case "lost":
      return snapshot === undefined ? DONE : restore(context, snapshot, signal);
    case "deleted":
      // Switched off, what was mirrored stays as it is; switched on again, the class is still known to be gone.
      if (!context.settings.syncSecret) return DONE;
      await cleanUp(context, ref, signal);
      return DONE;
    default:
      return assertNever(verdict);
  }
}

/** Only where nothing else is left of the class, and only when its absence is certain. */
async function removeLeftStatus(context: WorkerContext, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  const found = await context.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, ref, signal);
  if (found.kind === "absent" && (await context.gate.confirm(signal)).kind === "whole") await context.statuses.remove(ref, signal);
}

async function restore(context: WorkerContext, snapshot: ClassSnapshot, signal: AbortSignal): Promise<ClassResult> {
  const key = `${snapshot.namespace}/${snapshot.name}`;
  if (!context.settings.restoresClasses) {
    context.logger.warn("a class was lost with its CRD and is not restored, because --heal leaves classes out: its Secrets stay", {
      class: key,
    });
    return DONE;
  }
  try {
    const written = { fieldManager: FIELD_MANAGER };
    const made = await context.kube.create(RESOURCES.secretProviderClasses, restoredClass(snapshot), written, signal);
    const { managedFields } = snapshot;
    await handOver(context.kube, { resource: RESOURCES.secretProviderClasses, object: made, managedFields }, signal);
  } catch (error) {
    // Its owner was faster: the watch brings it.
    if (error instanceof KubeError && error.code === "AlreadyExists") return AGAIN;
    throw error;
  }
  context.metrics.classesRestored.inc();
  context.logger.info("a class was lost with its CRD and is restored", { class: key });
  return DONE;
}

/** The snapshot goes last: a worker that dies half way finds it and goes on. */
async function cleanUp(context: WorkerContext, ref: ObjectRef, signal: AbortSignal): Promise<void> {
  const key = objectKey(ref);
  const secrets = writtenFor(context.secrets, ref);
  await removeSecrets(context, { secrets, className: ref.name, why: "its class was deleted" }, signal);
  await context.statuses.remove(ref, signal);
  await context.snapshots.remove(key, signal);
  context.memories.forget(key);
}
