import { assertNever } from "../../domain/assert-never.ts";
import { isOwner, ownersAfterRepair, ownersWithout } from "../../domain/healing/field-owners.ts";
import { type ClassSnapshot, missingSpec, snapshotDrift, snapshotOf } from "../../domain/healing/snapshot.ts";
import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import { type HeldClass, wholeClass } from "../../domain/provider-class/held-class.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { handOver } from "../healing/hand-over.ts";
import type { WorkerContext } from "../worker-context.ts";

export type SnapshotResult =
  /** The snapshot is that of the class as the watch has it: go on. */
  | { readonly kind: "current" }
  /** Something moved: look at the class again in a moment. */
  | { readonly kind: "unsettled" };

/** No Secret is written before its class has a snapshot, so an absent class with Secrets can always be judged. */
export async function keepSnapshot(context: WorkerContext, provider: HeldClass, signal: AbortSignal): Promise<SnapshotResult> {
  const { metadata } = provider;
  const state = context.gate.state;
  if (state.kind === "frozen") return { kind: "unsettled" };
  if (context.snapshots.isCurrent(provider, state)) return { kind: "current" };
  const snapshot = context.snapshots.get(objectKey(metadata));
  if (snapshot === undefined) return save(context, provider, signal);
  const whole = wholeClass(provider);
  const drift = snapshotDrift(snapshot, whole, state);
  switch (drift) {
    case "current":
      return { kind: "current" };
    case "outdated":
      if (isOwner(FIELD_MANAGER, whole.metadata.managedFields)) await handOverLate(context, snapshot, signal);
      return save(context, provider, signal);
    case "damaged":
      await repair(context, snapshot, provider, signal);
      return { kind: "unsettled" };
    default:
      return assertNever(drift);
  }
}

/**
 * The CRD is read before and after the class: a class found between two looks at the same whole CRD lives under it and
 * was served uncut. A snapshot under the wrong uid would turn the loss of its class into a deletion.
 */
async function save(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<SnapshotResult> {
  const { namespace = "", name, uid } = provider.metadata;
  const before = await context.gate.confirm(signal);
  const found = await context.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name }, signal);
  const after = await context.gate.confirm(signal);
  const isSteady =
    before.kind === "whole" && after.kind === "whole" && before.crdUid === after.crdUid && before.crdGeneration === after.crdGeneration;
  if (!isSteady || found.kind !== "found" || found.object.metadata.uid !== uid) return { kind: "unsettled" };
  await context.snapshots.save(snapshotOf(found.object, after), signal);
  return found.object.metadata.resourceVersion === provider.metadata.resourceVersion ? { kind: "current" } : { kind: "unsettled" };
}

/**
 * Who made the class again, or completed it, has ended before it was handed over. Its owner would take nothing out of it any more: an apply
 * leaves what somebody else owns, too. The snapshot taken next knows nothing of who owned what.
 */
async function handOverLate(context: WorkerContext, { namespace, name, managedFields }: ClassSnapshot, signal: AbortSignal): Promise<void> {
  const found = await context.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name }, signal);
  const gate = await context.gate.confirm(signal);
  if (found.kind !== "found" || gate.kind !== "whole") return;
  const live = found.object.metadata.managedFields ?? [];
  if (!isOwner(FIELD_MANAGER, live)) return;
  const owners = ownersWithout(FIELD_MANAGER, { snapshot: managedFields, live });
  const handed = { resource: RESOURCES.secretProviderClasses, object: found.object, managedFields: owners, isExact: true };
  await handOver(context.kube, handed, signal);
}

/** A write to the class while its CRD was damaged made the cut permanent: complete it from the snapshot. */
async function repair(context: WorkerContext, snapshot: ClassSnapshot, provider: SecretProviderClass, signal: AbortSignal): Promise<void> {
  const ref = { namespace: snapshot.namespace, name: snapshot.name };
  const found = await context.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, ref, signal);
  const gate = await context.gate.confirm(signal);
  if (found.kind !== "found" || gate.kind !== "whole") return;
  const live = found.object;
  if (snapshotDrift(snapshot, live, gate) !== "damaged") {
    // Only the copy is cut, and no event will tell it so: the class has the same resourceVersion, cut or whole.
    if (live.metadata.resourceVersion === provider.metadata.resourceVersion) context.classes.relist();
    return;
  }
  const completed = await complete(context, snapshot, live, signal);
  if (snapshotDrift(snapshot, completed, gate) === "damaged") {
    // No CRD of today takes these fields any more, a rolled back driver's for one: what is left is the class now.
    await context.snapshots.save(snapshotOf(completed, gate), signal);
    context.logger.warn("fields of a class are not part of its CRD any more and are given up", { class: `${ref.namespace}/${ref.name}` });
    return;
  }
  context.metrics.classesRepaired.inc();
  context.logger.warn("a damaged CRD had cut fields off a class; they are back from its snapshot", {
    class: `${ref.namespace}/${ref.name}`,
  });
}

/** The spec alone: labels and annotations are not cut, and may be newer than the snapshot. */
async function complete(
  context: WorkerContext,
  snapshot: ClassSnapshot,
  live: SecretProviderClass,
  signal: AbortSignal,
): Promise<SecretProviderClass> {
  const { name, namespace = "", uid, resourceVersion, managedFields = [] } = live.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: missingSpec(snapshot, live) };
  const written = { fieldManager: FIELD_MANAGER };
  const whole = await context.kube.mergePatch<SecretProviderClass>(
    RESOURCES.secretProviderClasses,
    { namespace, name },
    patch,
    written,
    signal,
  );
  const owners = ownersAfterRepair(snapshot.managedFields, managedFields);
  await handOver(context.kube, { resource: RESOURCES.secretProviderClasses, object: whole, managedFields: owners }, signal);
  return whole;
}
