import { MADE_FOR } from "../../domain/annotations.ts";
import { type HeldOwner, heldOwner } from "../../domain/gateways/held-owner.ts";
import { GATEWAY_MANAGER } from "../../domain/gateways/made-for.ts";
import { OWNER_RESOURCES, ownerKey, ownerOfKey } from "../../domain/gateways/owner-kinds.ts";
import { type MirroredSecret, type OwnerObservation, planOwner } from "../../domain/gateways/plan.ts";
import type { NamedClasses } from "../../domain/gateways/served-classes.ts";
import type { TlsEntry } from "../../domain/gateways/tls-entry.ts";
import type { TlsOwner } from "../../domain/gateways/tls-owner.ts";
import { isOwner } from "../../domain/healing/field-owners.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { type HeldClass, wholeClass } from "../../domain/provider-class/held-class.ts";
import type { Outcome } from "../../runtime/workqueue.ts";
import type { HeldClasses } from "../classes/held-classes.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import type { GatewayReport } from "./gateway-report.ts";
import type { MadeClasses } from "./made-classes.ts";
import type { Owners } from "./owners.ts";
import { giveUp, writeReferences } from "./references.ts";

export interface OwnerContext {
  readonly kube: KubeClient;
  readonly owners: Owners;
  readonly classes: Pick<HeldClasses, "get">;
  readonly made: MadeClasses;
  readonly crdHealth: Pick<CrdHealth, "state" | "confirm">;
  readonly served: NamedClasses;
  readonly tenantId: string;
  readonly nodeClientId: string;
  /** Whether the namespace may use the managed identity of the worker's node. */
  readonly mayUseNode: (namespace: string) => boolean;
  readonly secretOf: (ref: ObjectRef) => MirroredSecret;
  readonly report: GatewayReport;
  readonly logger: Logger;
}

const DONE: Outcome = { kind: "done" };
/** What is waited for brings the owner back itself, but for what is not watched here (milliseconds). */
const UNSETTLED: Outcome = { kind: "requeueAfter", milliseconds: 5_000 };

/** One pass over one Gateway or Ingress, by the key of {@link ownerKey}. */
export async function reconcileOwner(context: OwnerContext, key: string, signal: AbortSignal): Promise<Outcome> {
  const { kind, ref } = ownerOfKey(key);
  const { owners, made, report, crdHealth } = context;
  if (!owners.hasSynced(kind)) return DONE;
  if (!owners.hasAccounts || crdHealth.state.kind === "frozen") return UNSETTLED;
  const owner = owners.get(kind, ref);
  if (owner === undefined) {
    report.forget(key);
    made.forgetWanted(key);
    return removeClasses(context, { key, left: [] }, signal);
  }
  if (owner.object.metadata.deletionTimestamp !== undefined) return DONE;
  return settle(context, owner, signal);
}

async function settle(context: OwnerContext, owner: HeldOwner, signal: AbortSignal): Promise<Outcome> {
  const { kube, report, made } = context;
  // A worker ended, or somebody else wrote, before it gave up what it had written: that comes first, and brings the owner back.
  if (owner.isOwnedByUs) {
    await giveUp(kube, owner, signal);
    return UNSETTLED;
  }
  const observation = observe(context, owner);
  const plan = planOwner(observation);
  made.noteWanted(owner);
  for (const desired of plan.applied)
    await applyClass(context, { owner, desired, live: observation.classOf(desired.metadata.name) }, signal);
  const left = plan.references === undefined ? [] : await writeReferences(kube, owner, plan.references, signal);
  report.say(owner, [...plan.notices, ...left.map(leftNotice)], plan.states);
  if (plan.removed.length === 0) return DONE;
  return removeClasses(context, { key: ownerKey(owner.kind, owner.object.metadata), left }, signal);
}

function leftNotice({ className, reference: { field } }: TlsEntry) {
  const message = `${field} still names the Secret ${className}, which goes: the API server takes no listener without; write another certificate there, or remove the listener`;
  return { reason: "TlsConflict", message } as const;
}

function observe(context: OwnerContext, owner: HeldOwner): OwnerObservation {
  const { owners, classes, made, served, tenantId, nodeClientId, mayUseNode, secretOf } = context;
  const { kind, className, object } = owner;
  const { namespace = "" } = object.metadata;
  return {
    owner,
    isServed: served[kind].includes(className),
    made: made.of(ownerKey(kind, object.metadata)),
    classOf: (name) => classes.get({ namespace, name }),
    isRestored: (spc) => MADE_FOR in (spc.metadata.labels ?? {}) && isOwner(FIELD_MANAGER, wholeClass(spc).metadata.managedFields),
    secretOf: (name) => secretOf({ namespace, name }),
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

/** A class that nobody has seen yet is not taken over: without force, what somebody wrote in between is a conflict. */
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

interface Removing {
  readonly key: string;
  /** Entries whose reference nobody can remove. */
  readonly left: readonly TlsEntry[];
}

/**
 * Those that the owner, as the API server has it now, does not want, once nothing refers to their Secrets: these go as those of any class that was
 * deleted.
 */
async function removeClasses(context: OwnerContext, { key, left }: Removing, signal: AbortSignal): Promise<Outcome> {
  const { kube, made, crdHealth, served, logger } = context;
  const own = made.of(key);
  if (own.length === 0) return DONE;
  if ((await crdHealth.confirm(signal)).kind === "frozen") return UNSETTLED;
  const { kind, ref } = ownerOfKey(key);
  const found = await kube.read<KubeObject>(OWNER_RESOURCES[kind], ref, signal);
  if (found.kind === "unserved") return UNSETTLED;
  const live = found.kind === "absent" ? undefined : heldOwner(kind, found.object, served[kind]);
  const plan = live && planOwner(observe(context, live));
  const isReferredTo = plan?.references?.dropped.some(({ className }) => !left.some((entry) => entry.className === className));
  if (isReferredTo === true) return UNSETTLED;
  for (const { metadata } of plan?.removed ?? own) {
    const { namespace = "", name, uid = "", resourceVersion = "" } = metadata;
    await kube.delete(RESOURCES.secretProviderClasses, { namespace, name }, { uid, resourceVersion }, signal);
    logger.info("class of a Gateway or Ingress removed", { owner: key, class: `${namespace}/${name}` });
  }
  return DONE;
}
