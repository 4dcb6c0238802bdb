import type { RenderOptions } from "../domain/content/render.ts";
import type { CustomResourceDefinition } from "../domain/healing/crd.ts";
import { type ObjectRef, RESOURCES, type Resource, type SecretProviderClass } from "../domain/kubernetes.ts";
import {
  type Clock,
  type EventSink,
  type KubeClient,
  KubeError,
  type KubeWatcher,
  type Logger,
  type Reflector,
  type VaultClients,
} from "../domain/ports.ts";
import type { OperatorLimits } from "../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../domain/provider-class/parameters.ts";
import { type Outcome, WorkQueue } from "../runtime/workqueue.ts";
import { ClassMemories } from "./class-memory.ts";
import { startConsumers } from "./consumers.ts";
import { createFingerprints } from "./content-hmac.ts";
import { type CrdGate, createCrdGate, type GateState } from "./crd-gate.ts";
import { watchCrd } from "./crd-watch.ts";
import { healCrd } from "./heal-crd.ts";
import { loadHmacKey } from "./hmac-key.ts";
import type { SyncMetrics } from "./metrics.ts";
import { reconcileClass } from "./reconcile-class.ts";
import { startSecretStore } from "./secret-store.ts";
import { startSnapshots } from "./snapshots.ts";
import { startStatusStore } from "./status-store.ts";
import { mirrorFromVault } from "./vault-mirror.ts";
import type { ClassResult, WorkerContext, WorkerSettings } from "./worker-context.ts";

/** Names of the CRDs that classes and their statuses live under. */
const CLASS_CRD = nameOf(RESOURCES.secretProviderClasses);
const STATUS_CRD = nameOf(RESOURCES.secretProviderClassSyncs);

/** Classes looked at a time: vault calls dominate, and each of them has a few objects under way. */
const CLASS_WORKERS = 8;

/** Somebody who keeps damaging a CRD costs a write a second, not a hot loop (milliseconds). */
const AFTER_HEALING_MS = 1_000;

/** How soon a class in a namespace that is being deleted is looked at again (milliseconds). */
const TERMINATING_MS = 10_000;

/** For what the API server could not do; the vault's refusals have a back-off of their own. */
const RETRIES = { baseMs: 1_000, maxMs: 60_000 };

export interface WorkerOptions {
  readonly settings: Omit<WorkerSettings, "cluster">;
  /** `--heal=crds` */
  readonly healsCrds: boolean;
  readonly crds: readonly CustomResourceDefinition[];
  readonly namespace: string;
  readonly credentialsSecretNames: readonly string[];
  readonly limits: OperatorLimits;
  readonly cloudName: string;
  readonly readCloudFile: ReadCloudFile | undefined;
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly vaults: VaultClients;
  readonly render: RenderOptions;
  readonly events: EventSink;
  readonly metrics: SyncMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** What the leader does, until the signal aborts. Resolves when nothing of it runs any more. */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { kube, namespace, logger } = options;
  const cluster = await clusterUid(kube, signal);
  const key = await loadHmacKey({ kube, namespace, logger }, signal);
  const classes = new WorkQueue({
    workers: CLASS_WORKERS,
    backoff: RETRIES,
    clock: options.clock,
    logger: logger.child({ queue: "classes" }),
    random: options.random,
    handle: (classKey, handleSignal) => patiently(async () => outcomeOf(await reconcileClass(context, refOf(classKey), handleSignal))),
  });
  const crds = startCrds(options, signal);
  // The queue runs below, so its handler never sees this before it is there.
  const context = buildContext({ options, cluster, key, classes, crds }, signal);
  options.metrics.observeQueue(() => classes.depth);
  await runTogether([(running) => classes.run(running), (running) => crds.queue.run(running)], signal);
}

/** Where one of them fails the others are stopped first: nothing writes any more when this ends. */
async function runTogether(parts: readonly ((signal: AbortSignal) => Promise<void>)[], signal: AbortSignal): Promise<void> {
  const failure = new AbortController();
  const runs = parts.map((run) => run(AbortSignal.any([signal, failure.signal])));
  try {
    await Promise.all(runs);
  } finally {
    failure.abort();
    await Promise.allSettled(runs);
  }
}

function outcomeOf(result: ClassResult): Outcome {
  return result.kind === "done" ? { kind: "done" } : { kind: "requeueAfter", milliseconds: result.after };
}

/** What the API server refuses for good (a missing right, say) may be mended by people without any event: look again, slowly. */
async function patiently(handle: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await handle();
  } catch (error) {
    // What a namespace takes along while it is deleted is not made again; the classes go in a moment themselves.
    if (error instanceof KubeError && error.code === "Terminating") return { kind: "requeueAfter", milliseconds: TERMINATING_MS };
    if (error instanceof KubeError && error.retry.kind === "never") return { kind: "retry", error, afterMs: RETRIES.maxMs };
    throw error;
  }
}

interface Crds {
  readonly queue: WorkQueue;
  readonly watchedClassCrd: Reflector<CustomResourceDefinition>;
  readonly watchedStatusCrd: Reflector<CustomResourceDefinition>;
  onClassCrd(listener: (live: CustomResourceDefinition | undefined) => void): void;
}

/** Heals each CRD of ours until it is whole, whenever the watch shows a change of it. */
function startCrds(options: WorkerOptions, signal: AbortSignal): Crds {
  const { kube, logger, watcher, metrics, healsCrds } = options;
  const listeners: ((live: CustomResourceDefinition | undefined) => void)[] = [];
  const queue = new WorkQueue({
    workers: 1,
    backoff: RETRIES,
    clock: options.clock,
    logger: logger.child({ queue: "crds" }),
    random: options.random,
    handle: (name, handleSignal) =>
      patiently(async () => {
        const crd = options.crds.find((candidate) => candidate.metadata.name === name);
        if (crd === undefined || !healsCrds) return { kind: "done" };
        const outcome = await healCrd({ kube, logger, ours: crd }, handleSignal);
        if (outcome.kind === "whole") return { kind: "done" };
        if (outcome.kind === "healed") metrics.crdsHealed.inc();
        return { kind: "requeueAfter", milliseconds: outcome.kind === "again" ? outcome.milliseconds : AFTER_HEALING_MS };
      }),
  });
  const watched = new Map<string, Reflector<CustomResourceDefinition>>();
  for (const { metadata } of options.crds) {
    const onChange = (live: CustomResourceDefinition | undefined): void => {
      if (metadata.name === CLASS_CRD) for (const listener of listeners) listener(live);
      queue.add(metadata.name);
    };
    watched.set(metadata.name, watchCrd(watcher, { name: metadata.name, onChange }, signal));
    // Also without an event: a CRD that is absent from the start makes none.
    queue.add(metadata.name);
  }
  return {
    queue,
    watchedClassCrd: shipped(watched, CLASS_CRD),
    watchedStatusCrd: shipped(watched, STATUS_CRD),
    onClassCrd: (listener) => listeners.push(listener),
  };
}

interface ContextInput {
  readonly options: WorkerOptions;
  readonly cluster: string;
  readonly key: Uint8Array;
  readonly classes: WorkQueue;
  readonly crds: Crds;
}

function buildContext({ options, cluster, key, classes: queue, crds }: ContextInput, signal: AbortSignal): WorkerContext {
  const { kube, watcher, logger, clock } = options;
  const fingerprints = createFingerprints(key);
  const enqueue = (classKey: string): void => queue.add(classKey);
  const classes = watcher.reflect<SecretProviderClass>(
    {
      resource: RESOURCES.secretProviderClasses,
      project: (object) => object,
      onChange: (ref) => enqueue(`${ref.namespace ?? ""}/${ref.name}`),
    },
    signal,
  );
  const secrets = startSecretStore({ watcher, fingerprints, onChange: enqueue }, signal);
  const snapshots = startSnapshots({ kube, watcher, fingerprints, logger, onChange: enqueue }, signal);
  const byName = new Map(options.crds.map((crd) => [crd.metadata.name, crd]));
  const statusGate = createCrdGate({
    kube,
    ours: shipped(byName, STATUS_CRD),
    clock,
    watched: () => crds.watchedStatusCrd.list()[0],
    staleness: () => undefined,
  });
  const statuses = startStatusStore({ kube, watcher, logger, gate: statusGate, onLost: enqueue }, signal);
  const consumers = startConsumers(watcher, signal);
  const gate: CrdGate = createCrdGate({
    kube,
    ours: shipped(byName, CLASS_CRD),
    clock,
    onChange: (state) => tellTrust(options, state),
    watched: () => crds.watchedClassCrd.list()[0],
    staleness: () => {
      const copies = { CRDs: crds.watchedClassCrd, classes, Secrets: secrets, snapshots, pods: consumers };
      const stale = Object.entries(copies).find(([, copy]) => !copy.hasSynced)?.[0];
      if (stale !== undefined) return `the ${stale} have not been listed yet`;
      return statuses.hasSynced || statuses.isUnserved ? undefined : "the status objects have not been listed yet";
    },
  });
  relistAfterDamage(crds, { gate, classes });
  return {
    settings: { ...options.settings, cluster },
    kube,
    clock,
    logger,
    events: options.events,
    metrics: options.metrics,
    random: options.random,
    fingerprints,
    classes,
    secrets,
    snapshots,
    statuses,
    consumers,
    gate,
    memories: new ClassMemories(),
    lookAt: enqueue,
    mirror: (provider, mirrorSignal) => mirrorFromVault({ ...options, consumers }, provider, mirrorSignal),
  };
}

function tellTrust({ metrics, logger }: WorkerOptions, state: GateState): void {
  metrics.isFrozen.set(state.kind === "frozen" ? 1 : 0);
  if (state.kind === "frozen") logger.warn("nothing is changed because of classes at the moment", { why: state.why });
  else logger.info("classes are trusted", { crdUid: state.crdUid });
}

/** What was listed through a damaged CRD may be cut: every change of the CRD is followed by a fresh list. */
function relistAfterDamage(
  crds: Crds,
  { gate, classes }: { readonly gate: CrdGate; readonly classes: Reflector<SecretProviderClass> },
): void {
  let generation: number | undefined;
  crds.onClassCrd((live) => {
    gate.noteWatched(live);
    const current = live?.metadata.generation;
    if (current !== undefined && generation !== undefined && current !== generation) classes.relist();
    generation = current;
  });
}

async function clusterUid(kube: KubeClient, signal: AbortSignal): Promise<string> {
  const found = await kube.read(RESOURCES.namespaces, { name: "kube-system" }, signal);
  return found.kind === "found" ? (found.object.metadata.uid ?? "") : "";
}

function shipped<T>(byName: ReadonlyMap<string, T>, name: string): T {
  const found = byName.get(name);
  if (found === undefined) throw new Error(`the CRD manifests lack ${name}`);
  return found;
}

function nameOf({ plural, group }: Resource): string {
  return `${plural}.${group}`;
}

function refOf(classKey: string): ObjectRef {
  const [namespace = "", name = ""] = classKey.split("/");
  return { namespace, name };
}
