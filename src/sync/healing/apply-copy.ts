import { type ComponentCopy, managerOf, ownersAfterHealing } from "../../domain/healing/component-copy.ts";
import type { Component } from "../../domain/healing/components.ts";
import { withoutFields } from "../../domain/healing/field-sets.ts";
import { showsWrite } from "../../domain/healing/installer-writes.ts";
import { haveWritten, installerEntries } from "../../domain/healing/installers.ts";
import { mergePatchOf } from "../../domain/healing/merge-patch.ts";
import { comparedFields, type FieldSet, hasFields } from "../../domain/healing/owned-fields.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { findByName } from "../find-by-name.ts";
import { handOver } from "./hand-over.ts";

/**
 * Attempts to hand over `managedFields` before the worker leaves the hand-over for later. Controllers write their status at every change,
 * and each such write makes an attempt fail.
 */
const HAND_OVERS = 10;

export interface CopyToApply {
  readonly component: Component;
  readonly copy: ComponentCopy;
  /** The live object, which must be unchanged since the worker read it; undefined if there is none. */
  readonly live: KubeObject | undefined;
  /** Object to apply if it contains more than the copy. */
  readonly body?: KubeObject;
  /** Fields of the live object that others added and that the worker removes. */
  readonly added?: FieldSet;
  /**
   * Called with the installers' entries of `managedFields` after each write. The API server gives an apply under an installer's name the
   * time of that apply, and accepts no request that changes only times. Such an entry therefore does not show a write of the installer.
   */
  readonly onWritten?: (entries: readonly ManagedFieldsEntry[]) => void;
}

/**
 * Applies the copy under the installer's name, then restores `managedFields` as the installer left it. Returns false if the object changed
 * in the meantime, so that the worker must reconcile it again.
 */
export async function applyCopy(kube: KubeClient, wanted: CopyToApply, signal: AbortSignal): Promise<boolean> {
  const { added = {} } = wanted;
  try {
    const live = wanted.live === undefined ? undefined : await takeOut(kube, { ...wanted, live: wanted.live, added }, signal);
    const applied = await applyOrRewrite(kube, { ...wanted, live }, signal);
    // An apply to an object that is being deleted succeeds, and is lost with the object.
    if (applied.metadata.deletionTimestamp !== undefined) return false;
    return await handBack(kube, { ...wanted, applied }, signal);
  } catch (error) {
    if (error instanceof KubeError && (error.code === "Conflict" || error.code === "NotFound")) return false;
    throw error;
  }
}

async function applyOrRewrite(kube: KubeClient, wanted: CopyToApply, signal: AbortSignal): Promise<KubeObject> {
  const { component, copy, live } = wanted;
  try {
    return await applyOver(kube, wanted, signal);
  } catch (error) {
    if (!(error instanceof KubeError && error.code === "Invalid") || live === undefined) throw error;
    return applyOver(kube, { ...wanted, live: await rewrite(kube, { component, copy, live }, signal) }, signal);
  }
}

async function applyOver(
  kube: KubeClient,
  { component, copy, live, body, onWritten }: CopyToApply,
  signal: AbortSignal,
): Promise<KubeObject> {
  const wanted = body ?? copy.object;
  const object = { ...wanted, metadata: { ...wanted.metadata, ...preconditionsOf(live) } };
  const applied = await kube.apply<KubeObject>(component.resource, object, { fieldManager: managerOf(copy), force: true }, signal);
  onWritten?.(installerEntries(applied));
  return applied;
}

function preconditionsOf(live: KubeObject | undefined): { readonly uid?: string; readonly resourceVersion?: string } {
  const { uid, resourceVersion } = live?.metadata ?? {};
  return uid === undefined || resourceVersion === undefined ? {} : { uid, resourceVersion };
}

interface Cleaned extends CopyToApply {
  readonly live: KubeObject;
  readonly added: FieldSet;
}

/**
 * Removes the fields that others added, because an apply removes no field that its manager does not own. If the API server rejects the
 * removal, first restores the edited fields. An edited field may need an added one (`dnsPolicy: None` needs `dnsConfig`). A policy may also
 * reject the state in between (a variable without its added `value` and not yet with its `valueFrom`).
 */
async function takeOut(kube: KubeClient, wanted: Cleaned, signal: AbortSignal): Promise<KubeObject> {
  const { component, added } = wanted;
  const without = async (live: KubeObject): Promise<KubeObject> => {
    const from: JsonObject = { ...live };
    const patch = mergePatchOf(from, withoutFields(from, added) as JsonObject); // The input is an object.
    if (patch === undefined) return live;
    const body = { ...patch, metadata: preconditionsOf(live) };
    return kube.mergePatch<KubeObject>(component.resource, component.ref, body, { fieldManager: FIELD_MANAGER }, signal);
  };
  try {
    return await without(wanted.live);
  } catch (error) {
    if (!(error instanceof KubeError && error.code === "Invalid")) throw error;
    return without(await applyOrRewrite(kube, wanted, signal));
  }
}

/**
 * Restores lists as a whole, as the installer had them. An apply merges, and the API server rejects the result if someone added a field
 * that excludes the installer's field, such as `valueFrom` beside `value`. This removes what others added to the lists.
 */
function rewrite(
  kube: KubeClient,
  { component, copy, live }: { readonly component: Component; readonly copy: ComponentCopy; readonly live: KubeObject },
  signal: AbortSignal,
): Promise<KubeObject> {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...content } = copy.object;
  const patch = { ...content, metadata: preconditionsOf(live) };
  return kube.mergePatch<KubeObject>(component.resource, component.ref, patch, { fieldManager: FIELD_MANAGER }, signal);
}

function hasLost(now: readonly ManagedFieldsEntry[], before: readonly ManagedFieldsEntry[]): boolean {
  return !hasFields(comparedFields(now), comparedFields(before));
}

export interface ToHandBack extends Omit<CopyToApply, "live" | "body"> {
  /** The component after the worker applied the copy to it. */
  readonly applied: KubeObject;
}

/** Makes the installers the owners that they were. Returns false if someone else has written fields of the copy in the meantime. */
export async function handBack(
  kube: KubeClient,
  { component, copy, applied, added = {}, onWritten }: ToHandBack,
  signal: AbortSignal,
): Promise<boolean> {
  const { resource } = component;
  let object = applied;
  for (let attempt = 1; ; attempt++) {
    const managedFields = ownersAfterHealing(copy, { applied: object.metadata.managedFields ?? [], healer: FIELD_MANAGER, removed: added });
    try {
      const handed = await handOver(kube, { resource, object, managedFields, isExact: true }, signal);
      onWritten?.(installerEntries(handed));
      return true;
    } catch (error) {
      if (!(error instanceof KubeError && error.code === "Conflict") || attempt === HAND_OVERS) throw error;
    }
    const fresh = await findByName(kube, component, signal);
    // If an installer has written in the meantime, its write counts now. If someone took over a field, the hand-over would wrongly name the
    // installer as the owner of that field.
    if (fresh === undefined || haveWritten(installerEntries(fresh), installerEntries(applied))) return false;
    if (hasLost(installerEntries(fresh), installerEntries(applied))) return false;
    if (showsWrite(fresh, { object: applied, owners: installerEntries(applied) })) return false;
    object = fresh;
  }
}
