import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { qualifiedPlural, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { WorkQueue } from "../../runtime/workqueue.ts";
import { patiently, RETRIES } from "../patience.ts";
import type { ProcessParts } from "../process-parts.ts";
import type { ComponentCopies } from "./component-copies.ts";
import type { CrdHealth } from "./crd-health.ts";
import type { HealingOptions } from "./heal-context.ts";
import { healCrd } from "./heal-crd.ts";
import { isGoing, readInstall } from "./install-state.ts";

/** Names of the CRDs of classes, of the driver's records of mounts, and of class statuses. */
export const CLASS_CRD = qualifiedPlural(RESOURCES.secretProviderClasses);
export const POD_STATUS_CRD = qualifiedPlural(RESOURCES.secretProviderClassPodStatuses);
export const STATUS_CRD = qualifiedPlural(RESOURCES.secretProviderClassSyncs);

/** Pause in milliseconds after a repair. If someone keeps damaging a CRD, this costs one write per second instead of a hot loop. */
const AFTER_HEALING_MS = 1_000;
/** Time in milliseconds until the next reconcile while the copies have not been listed. */
const STARTING_MS = 100;
/**
 * Time in milliseconds until the next reconcile while the install is being removed. The worker then heals nothing, but a user may remove
 * the mark again.
 */
const REMOVING_MS = 5_000;

export interface CrdOptions {
  readonly healing: Pick<HealingOptions, "heal" | "crds">;
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  /** Namespace of the install. */
  readonly namespace: string;
  readonly copies: ComponentCopies;
  readonly process: Omit<ProcessParts, "events">;
}

export interface WatchedCrds {
  readonly queue: WorkQueue;
  readonly watchedClassCrd: Reflector<CustomResourceDefinition>;
  readonly watchedStatusCrd: Reflector<CustomResourceDefinition>;
  /** CRD of the driver's records of what pods have mounted. */
  readonly watchedPodStatusCrd: Reflector<CustomResourceDefinition>;
  onClassCrd(listener: (live: CustomResourceDefinition | undefined) => void): void;
}

/** Heals each shipped CRD until it is whole, when a watch shows that it changed. */
export function startCrds(options: CrdOptions, signal: AbortSignal): WatchedCrds {
  const { kube, watcher, namespace, copies } = options;
  const { heal, crds } = options.healing;
  const { clock, logger, metrics, random } = options.process;
  const isHeld = async (held: AbortSignal): Promise<boolean> => isGoing(await readInstall({ kube, namespace }, held));
  const listeners: ((live: CustomResourceDefinition | undefined) => void)[] = [];
  const queue = new WorkQueue({
    workers: 1,
    backoff: RETRIES,
    clock,
    logger: logger.child({ queue: "crds" }),
    random,
    handle: (name, handleSignal) =>
      patiently(async () => {
        const crd = crds.find((candidate) => candidate.metadata.name === name);
        if (crd === undefined || !heal.includes("crds")) return { kind: "done" };
        if (!copies.hasSynced) return { kind: "requeueAfter", milliseconds: STARTING_MS };
        const outcome = await healCrd({ kube, clock, logger, ours: crd, copies, isHeld }, handleSignal);
        if (outcome.kind === "whole") return { kind: "done" };
        if (outcome.kind === "held") return { kind: "requeueAfter", milliseconds: REMOVING_MS };
        if (outcome.kind === "healed") metrics.crdsHealed.inc();
        return { kind: "requeueAfter", milliseconds: outcome.kind === "again" ? outcome.milliseconds : AFTER_HEALING_MS };
      }),
  });
  const watched = new Map<string, Reflector<CustomResourceDefinition>>();
  for (const { metadata } of crds) {
    const onChange = (live: CustomResourceDefinition | undefined): void => {
      if (metadata.name === CLASS_CRD) for (const listener of listeners) listener(live);
      queue.add(metadata.name);
    };
    watched.set(metadata.name, watchCrd(watcher, { name: metadata.name, onChange }, signal));
    // Add the name without an event, too: a CRD that is absent from the start causes none.
    queue.add(metadata.name);
  }
  return {
    queue,
    watchedClassCrd: shipped(watched, CLASS_CRD),
    watchedStatusCrd: shipped(watched, STATUS_CRD),
    watchedPodStatusCrd: shipped(watched, POD_STATUS_CRD),
    onClassCrd: (listener) => listeners.push(listener),
  };
}

/** Lists the classes again after every change of the class CRD, because a list through a damaged CRD may contain cut classes. */
export function relistAfterDamage(
  crds: WatchedCrds,
  {
    crdHealth,
    classes,
    requeue,
  }: {
    readonly crdHealth: CrdHealth;
    readonly classes: Pick<Reflector<SecretProviderClass>, "list" | "relist">;
    readonly requeue: (classKey: string) => void;
  },
): void {
  let generation: number | undefined;
  crds.onClassCrd((live) => {
    crdHealth.noteWatched(live);
    const current = live?.metadata.generation;
    if (current !== undefined && generation !== undefined && current !== generation) classes.relist();
    generation = current;
    // The classes are unchanged, but what the worker may do because of them is not.
    for (const provider of classes.list()) requeue(keyOf(provider));
  });
}

export function shipped<T>(byName: ReadonlyMap<string, T>, name: string): T {
  const found = byName.get(name);
  if (found === undefined) throw new Error(`the CRD manifests lack ${name}`);
  return found;
}

/** Starts a watch of one shipped CRD. RBAC by name allows no wider watch. */
function watchCrd(
  watcher: KubeWatcher,
  { name, onChange }: { readonly name: string; readonly onChange: (live: CustomResourceDefinition | undefined) => void },
  signal: AbortSignal,
): Reflector<CustomResourceDefinition> {
  return watcher.reflect<CustomResourceDefinition>(
    {
      resource: RESOURCES.customResourceDefinitions,
      fieldSelector: `metadata.name=${name}`,
      project: (object) => object as CustomResourceDefinition, // The watch reads this kind only.
      onChange: (_ref, { current }) => onChange(current),
    },
    signal,
  );
}
