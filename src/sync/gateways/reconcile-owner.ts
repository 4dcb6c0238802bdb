import { MADE_FOR } from "../../domain/annotations.ts";
import { type HeldOwner, heldOwner } from "../../domain/gateways/held-owner.ts";
import { GATEWAY_MANAGER } from "../../domain/gateways/made-for.ts";
import { OWNER_RESOURCES, ownerKey, ownerOfKey } from "../../domain/gateways/owner-kinds.ts";
import {
  type Certificate,
  type CertificateSecret,
  type CertificateState,
  type GatewayNotice,
  type GatewayPlan,
  type OwnerObservation,
  planOwner,
} from "../../domain/gateways/plan.ts";
import type { NamedClasses } from "../../domain/gateways/served-classes.ts";
import type { TlsEntry } from "../../domain/gateways/tls-entry.ts";
import type { TlsOwner } from "../../domain/gateways/tls-owner.ts";
import { isOwner } from "../../domain/healing/field-owners.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { KubeError } from "../../domain/ports/kube-error.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { type HeldClass, wholeClass } from "../../domain/provider-class/held-class.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { HeldClasses } from "../classes/held-classes.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import { soonestOf } from "../patience.ts";
import { writeRefusal } from "../refusals.ts";
import type { GatewayReport } from "./gateway-report.ts";
import type { MadeClasses } from "./made-classes.ts";
import type { Owners } from "./owners.ts";
import { giveUp, writeReferences } from "./references.ts";

export interface OwnerContext {
  readonly kube: KubeClient;
  readonly owners: Owners;
  readonly classes: Pick<HeldClasses, "get"> & { readonly secretOf: (ref: ObjectRef) => CertificateSecret };
  readonly made: MadeClasses;
  readonly crdHealth: Pick<CrdHealth, "state" | "confirm">;
  readonly settings: OwnerSettings;
  readonly report: GatewayReport;
  readonly logger: Logger;
}

export interface OwnerSettings {
  readonly served: NamedClasses;
  readonly tenantId: string;
  readonly nodeClientId: string;
  /** Whether the namespace may use the managed identity of the worker's node. */
  readonly mayUseNode: (namespace: string) => boolean;
}

/** Delays by error code (milliseconds). Except for `Terminating`, someone wrote meanwhile, and the watch is about to show the new state. */
export const SOON = { Conflict: 500, NotFound: 500, AlreadyExists: 500, Terminating: 10_000 };

const DONE: Outcome = { kind: "done" };
/** Delay for causes that the worker does not watch here (milliseconds). All others enqueue the owner themselves. */
const UNSETTLED: Outcome = { kind: "requeueAfter", milliseconds: 5_000 };

/** Reconciles one Gateway or Ingress, given by the key of {@link ownerKey}. */
export async function reconcileOwner(context: OwnerContext, key: string, signal: AbortSignal): Promise<Outcome> {
  const { kind, ref } = ownerOfKey(key);
  const { owners, made, report, crdHealth } = context;
  if (!owners.hasSynced(kind) || !owners.hasAccounts || crdHealth.state.kind === "frozen") return UNSETTLED;
  const owner = owners.get(kind, ref);
  if (owner === undefined) {
    report.forget(key);
    made.forgetWanted(key);
    const refused = new Refused();
    const outcome = await removeClasses(context, { key, left: [], refused }, signal);
    refused.throwSoonest();
    return outcome;
  }
  if (owner.object.metadata.deletionTimestamp !== undefined) return DONE;
  return settle(context, owner, signal);
}

/** Does everything that the API server accepts, and reports all of it. After a refusal, the queue tries again. */
async function settle(context: OwnerContext, owner: HeldOwner, signal: AbortSignal): Promise<Outcome> {
  const { made, report } = context;
  const observation = observe(context, owner);
  const plan = planOwner(observation);
  made.noteWanted(owner);
  const refused = new Refused();
  for (const desired of plan.applied) {
    const { name } = desired.metadata;
    const write = () => applyClass(context, { owner, desired, live: observation.classOf(name) }, signal);
    await refused.attempt({ what: `the SecretProviderClass ${name} cannot be written`, classNames: [name] }, write);
  }
  const left = await settleReferences(context, { owner, plan, refused }, signal);
  const removing = { key: ownerKey(owner.kind, owner.object.metadata), left, refused };
  const outcome = plan.removed.length === 0 ? DONE : await removeClasses(context, removing, signal);
  report.say(owner, [...plan.notices, ...left.map(leftNotice), ...refused.notices], refused.statesOf(plan.certificates));
  refused.throwSoonest();
  return owner.isOwnedByUs ? UNSETTLED : outcome;
}

interface Settling {
  readonly owner: HeldOwner;
  readonly plan: GatewayPlan;
  readonly refused: Refused;
}

/**
 * Writes the certificate references. If the worker still owns fields, because it ended or someone else wrote before it gave them up, it
 * only gives them up now. That change reconciles the owner again. Resolves to the entries that the worker cannot remove.
 */
async function settleReferences(
  { kube }: OwnerContext,
  { owner, plan: { references }, refused }: Settling,
  signal: AbortSignal,
): Promise<readonly TlsEntry[]> {
  let left: readonly TlsEntry[] = [];
  const classNames = references?.claimed.map(({ className }) => className) ?? [];
  await refused.attempt({ what: `the certificate references of the ${owner.kind} cannot be written`, classNames }, async () => {
    if (owner.isOwnedByUs) await giveUp(kube, owner, signal);
    else if (references !== undefined) left = await writeReferences(kube, owner, references, signal);
  });
  return left;
}

function leftNotice({ className, reference: { field } }: TlsEntry) {
  const message = `${field} still names the Secret ${className}, which the worker deletes, and the API server accepts no listener without a certificate; name another certificate there, or remove the listener`;
  return { reason: "TlsConflict", message } as const;
}

function observe(context: OwnerContext, owner: HeldOwner): OwnerObservation {
  const { owners, classes, made } = context;
  const { served, tenantId, nodeClientId, mayUseNode } = context.settings;
  const { kind, className, object } = owner;
  const { namespace = "" } = object.metadata;
  return {
    owner,
    isServed: served[kind].includes(className),
    made: made.of(ownerKey(kind, object.metadata)),
    classOf: (name) => classes.get({ namespace, name }),
    isRestored: (spc) => MADE_FOR in (spc.metadata.labels ?? {}) && isOwner(FIELD_MANAGER, wholeClass(spc).metadata.managedFields),
    secretOf: (name) => classes.secretOf({ namespace, name }),
    identities: {
      accountOf: (name) => owners.accountOf({ namespace, name }),
      tenantId,
      nodeClientId,
      mayUseNode: mayUseNode(namespace),
    },
  };
}

interface AppliedClass {
  readonly owner: TlsOwner;
  readonly desired: SecretProviderClass;
  readonly live: HeldClass | undefined;
}

/** Applies a class. Does not take over a class that the worker has not seen yet: without force, a write that someone made meanwhile is a conflict. */
async function applyClass({ kube, logger }: OwnerContext, { owner, desired, live }: AppliedClass, signal: AbortSignal): Promise<void> {
  const { uid, resourceVersion } = live?.metadata ?? {};
  const exact = uid === undefined || resourceVersion === undefined ? {} : { uid, resourceVersion };
  const body = { ...desired, metadata: { ...desired.metadata, ...exact } };
  await kube.apply(RESOURCES.secretProviderClasses, body, { fieldManager: GATEWAY_MANAGER, force: live !== undefined }, signal);
  logger.info("class written for a Gateway or Ingress", {
    owner: ownerKey(owner.kind, owner.object.metadata),
    class: `${desired.metadata.namespace}/${desired.metadata.name}`,
  });
}

/** Refusals of the API server for one owner. */
class Refused {
  readonly notices: GatewayNotice[] = [];
  readonly #classNames = new Set<string>();
  readonly #errors: KubeError[] = [];

  /** `classNames`: classes whose certificates count as failed if the write fails. */
  async attempt(
    { what, classNames = [] }: { readonly what: string; readonly classNames?: readonly string[] },
    write: () => Promise<void>,
  ): Promise<void> {
    const error = await writeRefusal(write);
    if (error === undefined) return;
    this.#errors.push(error);
    if (error.code in SOON) return;
    this.notices.push({ reason: "CertificateNotSynced", message: `${what}: ${error.message}` });
    for (const className of classNames) this.#classNames.add(className);
  }

  statesOf(certificates: readonly Certificate[]): readonly CertificateState[] {
    return certificates.map(({ className, state }) => (this.#classNames.has(className) ? "failed" : state));
  }

  throwSoonest(): void {
    const error = soonestOf(this.#errors, SOON);
    if (error !== undefined) throw error;
  }
}

interface Removing {
  readonly key: string;
  /** Entries whose reference the worker cannot remove. */
  readonly left: readonly TlsEntry[];
  readonly refused: Refused;
}

/**
 * Deletes the classes that the owner, as the API server has it now, does not want, once nothing refers to their Secrets. These Secrets are
 * deleted like those of any deleted class.
 */
async function removeClasses(context: OwnerContext, removing: Removing, signal: AbortSignal): Promise<Outcome> {
  const { kube, made, logger } = context;
  const { key, refused } = removing;
  if (made.of(key).length === 0) return DONE;
  let removed: readonly HeldClass[] | undefined;
  await refused.attempt({ what: "the SecretProviderClasses that are no longer requested cannot be removed" }, async () => {
    removed = await removable(context, removing, signal);
  });
  if (removed === undefined) return UNSETTLED;
  for (const { metadata } of removed) {
    const { namespace = "", name, uid = "", resourceVersion = "" } = metadata;
    await refused.attempt({ what: `the SecretProviderClass ${name} cannot be removed` }, async () => {
      await kube.delete(RESOURCES.secretProviderClasses, { namespace, name }, { uid, resourceVersion }, signal);
      logger.info("class of a Gateway or Ingress removed", { owner: key, class: `${namespace}/${name}` });
    });
  }
  return DONE;
}

/** Returns undefined while something still refers to one of the classes' Secrets, or this is unknown. */
async function removable(context: OwnerContext, { key, left }: Removing, signal: AbortSignal): Promise<readonly HeldClass[] | undefined> {
  const { kube, made, crdHealth, settings } = context;
  if ((await crdHealth.confirm(signal)).kind === "frozen") return undefined;
  const { kind, ref } = ownerOfKey(key);
  const found = await kube.read<KubeObject>(OWNER_RESOURCES[kind], ref, signal);
  if (found.kind === "unserved") return undefined;
  const live = found.kind === "absent" ? undefined : heldOwner(kind, found.object, settings.served[kind]);
  const plan = live && planOwner(observe(context, live));
  const isReferredTo = plan?.references?.dropped.some(({ className }) => !left.some((entry) => entry.className === className));
  return isReferredTo === true ? undefined : (plan?.removed ?? made.of(key));
}
