import { type ComponentCopy, managerOf, ownersAfterHealing } from "../../domain/healing/component-copy.ts";
import type { Component } from "../../domain/healing/components.ts";
import { haveWritten, installerEntries } from "../../domain/healing/installers.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
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
}

/**
 * Applies what the installer applied, under the installer's name, and puts the record of owners back as the installer left it.
 * False where something moved meanwhile: look again.
 */
export async function applyCopy(kube: KubeClient, wanted: CopyToApply, signal: AbortSignal): Promise<boolean> {
  const { component, copy, live } = wanted;
  try {
    const applied = await applyOver(kube, wanted, signal).catch(async (error: unknown) => {
      if (!(error instanceof KubeError && error.code === "Invalid") || live === undefined) throw error;
      return applyOver(kube, { ...wanted, live: await rewrite(kube, { component, copy, live }, signal) }, signal);
    });
    // An apply onto an object that is going away succeeds and is lost with it.
    if (applied.metadata.deletionTimestamp !== undefined) return false;
    return await handBack(kube, { component, copy, applied }, signal);
  } catch (error) {
    if (error instanceof KubeError && (error.code === "Conflict" || error.code === "NotFound")) return false;
    throw error;
  }
}

function applyOver(kube: KubeClient, { component, copy, live, body }: CopyToApply, signal: AbortSignal): Promise<KubeObject> {
  const wanted = body ?? copy.object;
  const object = { ...wanted, metadata: { ...wanted.metadata, ...preconditionsOf(live) } };
  return kube.apply<KubeObject>(component.resource, object, { fieldManager: managerOf(copy), force: true }, signal);
}

function preconditionsOf(live: KubeObject | undefined): { readonly uid?: string; readonly resourceVersion?: string } {
  const { uid, resourceVersion } = live?.metadata ?? {};
  return uid === undefined || resourceVersion === undefined ? {} : { uid, resourceVersion };
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

interface Applied {
  readonly component: Component;
  readonly copy: ComponentCopy;
  readonly applied: KubeObject;
}

async function handBack(kube: KubeClient, { component, copy, applied }: Applied, signal: AbortSignal): Promise<boolean> {
  const { resource } = component;
  let object = applied;
  for (let attempt = 1; ; attempt++) {
    const managedFields = ownersAfterHealing(copy, object.metadata.managedFields ?? [], FIELD_MANAGER);
    try {
      await handOver(kube, { resource, object, managedFields, isExact: true }, signal);
      return true;
    } catch (error) {
      if (!(error instanceof KubeError && error.code === "Conflict") || attempt === HAND_OVERS) throw error;
    }
    const fresh = await findByName(kube, component, signal);
    // An installer came in between: what it wrote is what counts now.
    if (fresh === undefined || haveWritten(installerEntries(fresh), installerEntries(applied))) return false;
    object = fresh;
  }
}
