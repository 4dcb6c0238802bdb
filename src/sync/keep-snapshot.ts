import { assertNever } from "../domain/assert-never.ts";
import { type ClassSnapshot, restoredClass, snapshotDrift, snapshotOf } from "../domain/healing/snapshot.ts";
import { type ObjectMeta, RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import type { WorkerContext } from "./worker-context.ts";

export type SnapshotResult =
  /** The snapshot is that of the class as the watch has it: go on. */
  | { readonly kind: "current" }
  /** Something moved: look at the class again in a moment. */
  | { readonly kind: "unsettled" };

/** No Secret is written before its class has a snapshot, so an absent class with Secrets can always be judged. */
export async function keepSnapshot(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<SnapshotResult> {
  const { metadata } = provider;
  const state = context.gate.state;
  if (state.kind === "frozen") return { kind: "unsettled" };
  const snapshot = context.snapshots.get(`${metadata.namespace ?? ""}/${metadata.name}`);
  const drift = snapshot === undefined ? "outdated" : snapshotDrift(snapshot, provider, state.crdUid);
  switch (drift) {
    case "current":
      return { kind: "current" };
    case "outdated":
      return save(context, provider, signal);
    case "damaged":
      return snapshot === undefined ? { kind: "unsettled" } : repair(context, snapshot, signal);
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
  const isSteady = before.kind === "whole" && after.kind === "whole" && before.crdUid === after.crdUid;
  if (!isSteady || found.kind !== "found" || found.object.metadata.uid !== uid) return { kind: "unsettled" };
  await context.snapshots.save(snapshotOf(found.object, after.crdUid), signal);
  return found.object.metadata.resourceVersion === provider.metadata.resourceVersion ? { kind: "current" } : { kind: "unsettled" };
}

/** A write to the class while its CRD was damaged made the cut permanent: complete it from the snapshot. */
async function repair(context: WorkerContext, snapshot: ClassSnapshot, signal: AbortSignal): Promise<SnapshotResult> {
  const ref = { namespace: snapshot.namespace, name: snapshot.name };
  const found = await context.kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, ref, signal);
  const gate = await context.gate.confirm(signal);
  if (found.kind !== "found" || gate.kind !== "whole") return { kind: "unsettled" };
  if (snapshotDrift(snapshot, found.object, gate.crdUid) !== "damaged") return { kind: "unsettled" };
  await complete(context, snapshot, found.object.metadata, signal);
  context.metrics.classesRepaired.inc();
  context.logger.warn("a damaged CRD had cut fields off a class; they are back from its snapshot", {
    class: `${ref.namespace}/${ref.name}`,
  });
  return { kind: "unsettled" };
}

/** An installer that applies gets its fields back by an apply: a patch under its name would never be removed by its later applies. */
async function complete(context: WorkerContext, snapshot: ClassSnapshot, live: ObjectMeta, signal: AbortSignal): Promise<void> {
  const { manager, operation } = snapshot.writer;
  const { uid, resourceVersion } = live;
  const precondition = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  if (operation === "Apply") {
    const whole = restoredClass(snapshot);
    const body = { ...whole, metadata: { ...whole.metadata, ...precondition } };
    await context.kube.apply(RESOURCES.secretProviderClasses, body, { fieldManager: manager, force: true }, signal);
    return;
  }
  const ref = { namespace: snapshot.namespace, name: snapshot.name };
  await context.kube.mergePatch(
    RESOURCES.secretProviderClasses,
    ref,
    { metadata: precondition, spec: snapshot.spec },
    { fieldManager: manager },
    signal,
  );
}
