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

/** Controllers write their status at every change: so often the record is handed over anew before it is left for later. */
const HAND_OVERS = 10;

export interface CopyToApply {
  readonly component: Component;
  readonly copy: ComponentCopy;
  /** What is to be there, and has to be as it was read; undefined: nothing is there. */
  readonly live: KubeObject | undefined;
  /** What to apply where it is more than the copy's. */
  readonly body?: KubeObject;
  /** What others added to the live object, and is to go. */
  readonly added?: FieldSet;
  /**
   * Told of the installers' entries after each write. The API server stamps an apply under an installer's name with its own time, and takes no
   * request that would change times alone: such an entry is no write of the installer's.
   */
  readonly onWritten?: (entries: readonly ManagedFieldsEntry[]) => void;
}

/**
 * Applies what the installer applied, under the installer's name, and puts the record of owners back as the installer left it.
 * False where something moved meanwhile: look again.
 */
export async function applyCopy(kube: KubeClient, wanted: CopyToApply, signal: AbortSignal): Promise<boolean> {
  const { added = {} } = wanted;
  try {
    const live = wanted.live === undefined ? undefined : await takeOut(kube, { ...wanted, live: wanted.live, added }, signal);
    const applied = await applyOrRewrite(kube, { ...wanted, live }, signal);
    // An apply onto an object that is going away succeeds and is lost with it.
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
 * An apply takes out nothing that its manager does not own. Where an edited field needs what was added beside it (`dnsPolicy: None` its
 * `dnsConfig`), the field goes back first; where a policy wants both at once (a variable that has lost its `value` and not yet its `valueFrom`),
 * as well.
 */
async function takeOut(kube: KubeClient, wanted: Cleaned, signal: AbortSignal): Promise<KubeObject> {
  const { component, added } = wanted;
  const without = async (live: KubeObject): Promise<KubeObject> => {
    const from: JsonObject = { ...live };
    const patch = mergePatchOf(from, withoutFields(from, added) as JsonObject); // Of an object.
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
 * An apply merges, and what somebody added beside a field may exclude it: `value` beside `valueFrom`. Then lists are written whole, as
 * the installer had them, and what others had added to them goes.
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
  /** The component as the copy was applied onto it. */
  readonly applied: KubeObject;
}

/** Makes the installers the owners that they were. False where somebody else has written what the copy has. */
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
    // An installer came in between, and what it wrote is what counts now; or somebody took a field, which would be called the installer's.
    if (fresh === undefined || haveWritten(installerEntries(fresh), installerEntries(applied))) return false;
    if (hasLost(installerEntries(fresh), installerEntries(applied))) return false;
    if (showsWrite(fresh, { object: applied, owners: installerEntries(applied) })) return false;
    object = fresh;
  }
}
