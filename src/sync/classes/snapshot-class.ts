import { isOwner, ownersAfterRepair, ownersWithout } from "../../domain/healing/field-owners.ts";
import { type ClassSnapshot, classSnapshotOf, missingSpec, snapshotDrift } from "../../domain/healing/snapshot.ts";
import { RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import { handOver } from "../healing/hand-over.ts";
import type { Snapshots } from "../healing/snapshots.ts";
import type { HeldClasses } from "./held-classes.ts";
import { type Reporter, report } from "./report.ts";

/** Dependencies for keeping a class and its snapshot consistent. */
interface SnapshotPorts {
  readonly kube: KubeClient;
  readonly caches: {
    readonly classes: Pick<HeldClasses, "relist">;
    readonly snapshots: Pick<Snapshots, "save">;
    readonly cluster: { readonly crdHealth: Pick<CrdHealth, "confirm"> };
  };
  readonly reporter: Reporter & { readonly countHealed: (how: "repaired") => void };
}

interface CutClass {
  readonly snapshot: ClassSnapshot;
  readonly spc: SecretProviderClass;
}

/**
 * Reads the CRD before and after the class. If both reads find the same whole CRD, the class lives under it and was served uncut. A
 * snapshot with the wrong CRD uid would turn the loss of its class into a deletion. Returns false if something changed meanwhile.
 */
export async function saveSnapshot(ports: SnapshotPorts, spc: SecretProviderClass, signal: AbortSignal): Promise<boolean> {
  const { kube, caches } = ports;
  const { crdHealth } = caches.cluster;
  const { namespace = "", name, uid } = spc.metadata;
  const before = await crdHealth.confirm(signal);
  const found = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name }, signal);
  const after = await crdHealth.confirm(signal);
  const isSteady =
    before.kind === "whole" && after.kind === "whole" && before.crdUid === after.crdUid && before.crdGeneration === after.crdGeneration;
  if (!isSteady || found.kind !== "found" || found.object.metadata.uid !== uid) return false;
  await caches.snapshots.save(classSnapshotOf(found.object, after), signal);
  return found.object.metadata.resourceVersion === spc.metadata.resourceVersion;
}

/**
 * Hands over the fields of a class if a worker recreated or completed it, and ended before the hand-over. Otherwise an apply by the author
 * could no longer remove anything: an apply keeps fields that others own. The next snapshot does not contain the earlier owners.
 */
export async function handOverClass(
  { kube, caches }: SnapshotPorts,
  { namespace, name, managedFields }: ClassSnapshot,
  signal: AbortSignal,
): Promise<void> {
  const found = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name }, signal);
  const crd = await caches.cluster.crdHealth.confirm(signal);
  if (found.kind !== "found" || crd.kind !== "whole") return;
  const live = found.object.metadata.managedFields ?? [];
  if (!isOwner(FIELD_MANAGER, live)) return;
  const owners = ownersWithout(FIELD_MANAGER, { snapshot: managedFields, live });
  const handed = { resource: RESOURCES.secretProviderClasses, object: found.object, managedFields: owners, isExact: true };
  await handOver(kube, handed, signal);
}

/** Completes a class from its snapshot. A write while its CRD was damaged made the loss of fields permanent. */
export async function completeClass(ports: SnapshotPorts, { snapshot, spc }: CutClass, signal: AbortSignal): Promise<void> {
  const { kube, caches, reporter } = ports;
  const ref = { namespace: snapshot.namespace, name: snapshot.name };
  const found = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, ref, signal);
  const crd = await caches.cluster.crdHealth.confirm(signal);
  if (found.kind !== "found" || crd.kind !== "whole") return;
  const live = found.object;
  if (snapshotDrift(snapshot, live, crd) !== "damaged") {
    // Only the live copy is cut, and no event will correct it: the class has the same resourceVersion, cut or whole.
    if (live.metadata.resourceVersion === spc.metadata.resourceVersion) caches.classes.relist();
    return;
  }
  const completed = await complete(kube, snapshot, live, signal);
  if (snapshotDrift(snapshot, completed, crd) === "damaged") {
    // The current CRD no longer accepts these fields, for example after a rollback of the driver. The remaining fields are the class now.
    await caches.snapshots.save(classSnapshotOf(completed, crd), signal);
    reporter.logger.warn("fields of a class are no longer part of its CRD and are dropped", { class: `${ref.namespace}/${ref.name}` });
    return;
  }
  reporter.countHealed("repaired");
  const message = "a damaged CRD had removed fields of the class; the worker restored them from its snapshot";
  report(reporter, completed, { kind: "completed", reason: "ClassRestored", message });
}

/** Restores only the spec: labels and annotations are not cut, and may be newer than the snapshot. */
async function complete(
  kube: KubeClient,
  snapshot: ClassSnapshot,
  live: SecretProviderClass,
  signal: AbortSignal,
): Promise<SecretProviderClass> {
  const { name, namespace = "", uid, resourceVersion, managedFields = [] } = live.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: missingSpec(snapshot, live) };
  const written = { fieldManager: FIELD_MANAGER };
  const whole = await kube.mergePatch<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name }, patch, written, signal);
  const owners = ownersAfterRepair(snapshot.managedFields, managedFields);
  await handOver(kube, { resource: RESOURCES.secretProviderClasses, object: whole, managedFields: owners }, signal);
  return whole;
}
