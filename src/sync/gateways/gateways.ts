import { OWNER_RESOURCES, type OwnerKind, ownerOfKey } from "../../domain/gateways/owner-kinds.ts";
import type { CertificateSecret } from "../../domain/gateways/plan.ts";
import { type NamedClasses, servedClasses } from "../../domain/gateways/served-classes.ts";
import type { ObjectRef } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { KubeWatcher } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { identityModeRefusal, managedIdentityRefusal, type OperatorLimits } from "../../domain/provider-class/operator-limits.ts";
import type { Party } from "../../runtime/ready-keys.ts";
import { WorkQueue } from "../../runtime/workqueue.ts";
import type { HeldClasses } from "../classes/held-classes.ts";
import type { StatusStore } from "../classes/status-store.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import { patiently, RETRIES } from "../patience.ts";
import type { Grants } from "../vault/find-identity.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";
import { GatewayReport } from "./gateway-report.ts";
import { MadeClasses } from "./made-classes.ts";
import { type Owners, startOwners } from "./owners.ts";
import { type OwnerContext, reconcileOwner, SOON } from "./reconcile-owner.ts";

export interface GatewaysOptions {
  /** `--gateway-classes` and `--ingress-classes` */
  readonly named: NamedClasses;
  /** `--tenant-id` */
  readonly tenantId: string;
  /** `--node-identity-client-id` */
  readonly nodeClientId: string;
  readonly watcher: KubeWatcher;
  readonly metrics: GatewayMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Certificates of Gateways and Ingresses: the classes that are made for them, and the references to the Secrets of these classes. */
export interface Gateways {
  /** Call this when the class (`namespace/name`), its Secrets, or its status changed. */
  noteClass(classKey: string): void;
  /** Call this when the grants of the Namespace changed. */
  noteNamespace(namespace: string): void;
  /** Reconciles Gateways and Ingresses until the signal aborts. */
  run(worker: GatewaysWorker, signal: AbortSignal): Promise<void>;
}

/** Dependencies on the rest of the worker. */
export interface GatewaysWorker {
  readonly kube: KubeClient;
  readonly classes: Pick<HeldClasses, "get" | "list">;
  readonly statuses: Pick<StatusStore, "get">;
  readonly grants: Pick<Grants, "of">;
  readonly crdHealth: Pick<CrdHealth, "state" | "confirm">;
  readonly limits: Pick<OperatorLimits, "allowedIdentityModes" | "managedIdentityNamespaces">;
  readonly events: EventSink;
}

/**
 * Number of namespaces whose owners are reconciled concurrently, one owner each. An admission webhook that delays the writes of one
 * namespace affects only that namespace.
 */
const WORKERS = 8;

export function createGateways(options: GatewaysOptions): Gateways {
  const { metrics, clock, logger, random } = options;
  const { served, refused } = servedClasses(options.named);
  // A new leader first reconciles everything, so changes from before that need no handling.
  let noteClass: Gateways["noteClass"] = () => undefined;
  let noteNamespace: Gateways["noteNamespace"] = () => undefined;
  return {
    noteClass: (classKey) => noteClass(classKey),
    noteNamespace: (namespace) => noteNamespace(namespace),
    run: async ({ kube, classes, crdHealth, ...worker }, signal) => {
      for (const { kind, name } of refused) logger.warn("a Gateway or Ingress class belongs to App Routing and is ignored", { kind, name });
      const queue = new WorkQueue({
        workers: WORKERS,
        sharing: { of: partyOf, perBackend: 1 },
        backoff: RETRIES,
        clock,
        logger: logger.child({ queue: "gateways" }),
        random,
        handle: (key, handleSignal) => patiently(() => reconcileOwner(context, key, handleSignal), SOON),
      });
      const made = new MadeClasses(classes);
      const kinds = kindsOf(options.named);
      const enqueue = (key: string): void => {
        if (kinds.includes(ownerOfKey(key).kind)) queue.add(key);
      };
      // The queue starts below, after both of these exist for its handler.
      const owners: Owners = startOwners({ watcher: options.watcher, kinds, served, onChange: enqueue }, signal);
      const context: OwnerContext = {
        kube,
        owners,
        classes: { get: (ref) => classes.get(ref), secretOf: (ref) => secretOf({ ...worker, classes }, ref) },
        made,
        crdHealth,
        settings: {
          served,
          tenantId: options.tenantId,
          nodeClientId: options.nodeClientId,
          mayUseNode: (namespace) => mayUseNode(worker, namespace),
        },
        report: new GatewayReport({ events: worker.events, logger, metrics }),
        logger,
      };
      noteClass = (classKey) => made.noteClass(classKey).forEach(enqueue);
      noteNamespace = (namespace) => owners.keysIn(namespace).forEach(enqueue);
      for (const { metadata } of classes.list()) noteClass(`${metadata.namespace}/${metadata.name}`);
      await queue.run(signal);
    },
  };
}

function partyOf(key: string): Party {
  const { namespace } = ownerOfKey(key).ref;
  return { tenant: namespace, backend: namespace };
}

/** If the operator named no class of a kind, the worker does not watch that kind, and needs no permission for it. */
function kindsOf(named: NamedClasses): readonly OwnerKind[] {
  return (Object.keys(OWNER_RESOURCES) as OwnerKind[]).filter((kind) => named[kind].length > 0); // These are the keys of a literal.
}

function mayUseNode({ limits, grants }: Pick<GatewaysWorker, "limits" | "grants">, namespace: string): boolean {
  if (identityModeRefusal(limits, "managedIdentity") !== undefined) return false;
  return managedIdentityRefusal(limits, { namespace, isGranted: grants.of(namespace).managedIdentity }) === undefined;
}

/**
 * Returns the state of a class and its Secret, which have the same name. A problem that the status reports for an earlier generation of the
 * class does not count.
 */
function secretOf({ statuses, classes }: Pick<GatewaysWorker, "statuses" | "classes">, ref: ObjectRef): CertificateSecret {
  const status = statuses.get(ref);
  const secret = status?.secrets.find(({ name }) => name === ref.name);
  const isWritten = secret?.data.some(({ version }) => version !== undefined) === true;
  const synced = status?.conditions.find(({ type }) => type === "Synced");
  const isCurrent = status !== undefined && status.observedClassGeneration >= (classes.get(ref)?.metadata.generation ?? 0);
  return {
    isMade: secret?.state === "Synced" || (isWritten && secret?.state !== "Conflict"),
    problem: isCurrent && synced?.status === "False" ? `${synced.reason}: ${synced.message}` : undefined,
  };
}
