import { GATEWAY_MANAGER } from "../../domain/gateways/made-for.ts";
import { OWNER_RESOURCES } from "../../domain/gateways/owner-kinds.ts";
import type { GatewayPlan } from "../../domain/gateways/plan.ts";
import type { TlsEntry } from "../../domain/gateways/tls-entry.ts";
import { isOwnEntry, type TlsOwner } from "../../domain/gateways/tls-owner.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { handOver } from "../healing/hand-over.ts";

/**
 * Writes `certificateRefs` of listeners, or `spec.tls` of an Ingress, each step onto the state that the previous one left. Uses server-side
 * apply without force: the API server refuses changes of fields that others own. References to be removed are first applied once more,
 * because only the owner of a field can remove it.
 *
 * Then the worker gives up the fields. While it owned a listener's fields, no one could remove that listener by server-side apply, or give
 * it another protocol: the API server would keep the worker's part of it, and refuse the rest as invalid.
 *
 * Resolves to the dropped entries of {@link GatewayPlan.references} that remain, because the API server accepts no listener without them.
 */
export async function writeReferences(
  kube: KubeClient,
  owner: TlsOwner,
  { claimed, dropped }: NonNullable<GatewayPlan["references"]>,
  signal: AbortSignal,
): Promise<readonly TlsEntry[]> {
  const both = await apply(kube, owner, { at: owner.object, entries: [...claimed, ...dropped] }, signal);
  const { object, left } =
    dropped.length === 0 ? { object: both, left: [] } : await drop(kube, owner, { at: both, claimed, dropped }, signal);
  await release(kube, owner, object, signal);
  return left;
}

interface Dropping {
  readonly at: KubeObject;
  readonly claimed: readonly TlsEntry[];
  readonly dropped: readonly TlsEntry[];
}

async function drop(
  kube: KubeClient,
  owner: TlsOwner,
  { at, claimed, dropped }: Dropping,
  signal: AbortSignal,
): Promise<{ readonly object: KubeObject; readonly left: readonly TlsEntry[] }> {
  try {
    return { object: await apply(kube, owner, { at, entries: claimed }, signal), left: [] };
  } catch (error) {
    if (error instanceof KubeError && error.code === "Invalid") return { object: at, left: dropped };
    throw error;
  }
}

interface Written {
  /** State that the write is based on. */
  readonly at: KubeObject;
  readonly entries: readonly TlsEntry[];
}

function apply(kube: KubeClient, { kind }: TlsOwner, { at, entries }: Written, signal: AbortSignal): Promise<KubeObject> {
  const { apiVersion, metadata } = at;
  const { namespace = "", name, uid = "", resourceVersion = "" } = metadata;
  const spec = entries.length === 0 ? undefined : specOf(entries);
  const body = { apiVersion, kind, metadata: { namespace, name, uid, resourceVersion }, ...(spec === undefined ? {} : { spec }) };
  return kube.apply<KubeObject>(OWNER_RESOURCES[kind], body, { fieldManager: GATEWAY_MANAGER, force: false }, signal);
}

function specOf(entries: readonly TlsEntry[]): unknown {
  const [first] = entries;
  if (first?.listener === "") return { tls: referenceOf(first) };
  return { listeners: entries.map((entry) => ({ name: entry.listener, tls: { certificateRefs: referenceOf(entry) } })) };
}

/** The value of a reference to be removed does not matter: it is the present value, and the next step removes it. */
function referenceOf({ reference: { wanted, present } }: TlsEntry): unknown {
  return wanted ?? present;
}

/** Gives up fields that an earlier write left in the worker's name. */
export async function giveUp(kube: KubeClient, owner: TlsOwner, signal: AbortSignal): Promise<void> {
  const found = await kube.read<KubeObject>(OWNER_RESOURCES[owner.kind], owner.object.metadata, signal);
  if (found.kind === "found") await release(kube, owner, found.object, signal);
}

/** The API server ignores an empty list. A list with one empty entry removes all owners. */
const NOBODY: readonly ManagedFieldsEntry[] = [{}];

/**
 * Gives up the worker's fields, even if the worker is the only owner, which an author can cause. Otherwise a later apply in the worker's
 * name would remove what that author wrote.
 */
async function release(kube: KubeClient, { kind }: TlsOwner, object: KubeObject, signal: AbortSignal): Promise<void> {
  const { managedFields = [] } = object.metadata;
  const others = managedFields.filter((entry) => !isOwnEntry(entry));
  if (others.length === managedFields.length) return;
  const left = others.length === 0 ? NOBODY : others;
  await handOver(kube, { resource: OWNER_RESOURCES[kind], object, managedFields: left, isExact: true }, signal);
}
