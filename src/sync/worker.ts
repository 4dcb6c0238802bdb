import type { RenderOptions } from "../domain/content/render.ts";
import type { CustomResourceDefinition } from "../domain/healing/crd.ts";
import { RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import { refOfKey } from "../domain/object-key.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Decoder } from "../domain/ports/decoder.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { KubeWatcher } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import type { VaultClients } from "../domain/ports/vault-client.ts";
import type { OperatorLimits } from "../domain/provider-class/operator-limits.ts";
import type { ReadCloudFile } from "../domain/provider-class/parameters.ts";
import { Claims } from "../domain/sync/claims.ts";
import { WorkQueue } from "../runtime/workqueue.ts";
import { classFacts } from "./classes/class-facts.ts";
import { ClassMemories } from "./classes/class-memory.ts";
import { startConsumers } from "./classes/consumers.ts";
import { startHeldClasses } from "./classes/held-classes.ts";
import { type PollProgress, polledBefore, polledUntil } from "./classes/poll-progress.ts";
import { reconcileClass } from "./classes/reconcile-class.ts";
import { reviewFreshness } from "./classes/review-freshness.ts";
import { startStatusStore } from "./classes/status-store.ts";
import { createFingerprints, type Fingerprints } from "./fingerprints.ts";
import { createGuardrailKeeper, type Guardrails } from "./guardrails.ts";
import { startComponentCopies } from "./healing/component-copies.ts";
import type { ComponentMetrics } from "./healing/component-metrics.ts";
import { startComponents } from "./healing/components.ts";
import { type CrdGate, createCrdGate } from "./healing/crd-gate.ts";
import { startSnapshots } from "./healing/snapshots.ts";
import { createFreezeTeller, tellTrust } from "./healing/tell-freeze.ts";
import { CLASS_CRD, relistAfterDamage, STATUS_CRD, shipped, startCrds, type WatchedCrds } from "./healing/watched-crds.ts";
import { loadHmacKey } from "./hmac-key.ts";
import type { SyncMetrics } from "./metrics.ts";
import { outcomeOf, patiently, RETRIES } from "./patiently.ts";
import type { Quarantine } from "./quarantine.ts";
import type { Rollouts } from "./rollouts/rollouts.ts";
import { runTogether } from "./run-together.ts";
import { createBlindSecrets } from "./secrets/blind-secrets.ts";
import { lookAtFailing, startDriverSync } from "./secrets/driver-sync.ts";
import { startSecretStore } from "./secrets/secret-store.ts";
import { untilAnswered } from "./until-answered.ts";
import { startGrants } from "./vault/grants.ts";
import { ValuesInHand } from "./vault/values-in-hand.ts";
import type { VaultMetrics } from "./vault/vault-metrics.ts";
import { createMirrors } from "./vault/vault-mirror.ts";
import type { WorkerContext, WorkerSettings } from "./worker-context.ts";

/**
 * Classes that are reconciled at a time. Vault calls dominate, and one that hangs takes half a minute to be given up. A namespace alone gets
 * half of them, which keeps a first sync of thousands of classes busy; six that hang on everything leave one for the next.
 */
const CLASS_WORKERS = 64;
/** Of one namespace, on one vault. */
const CLASS_WORKERS_OF_A_VAULT = 8;

export interface WorkerOptions {
  readonly settings: Omit<WorkerSettings, "cluster">;
  /** `--heal=crds` */
  readonly healsCrds: boolean;
  /** `--heal=components` */
  readonly healsComponents: boolean;
  /** `--heal-node-side` */
  readonly healsNodeSide: boolean;
  readonly crds: readonly CustomResourceDefinition[];
  readonly namespace: string;
  readonly credentialsSecretNames: readonly string[];
  readonly limits: OperatorLimits;
  readonly cloudName: string;
  readonly readCloudFile: ReadCloudFile | undefined;
  readonly kube: KubeClient;
  /** Only for trying what is forbidden. */
  readonly probe: KubeClient;
  /** `--secret-access=blind` */
  readonly isBlind: boolean;
  readonly watcher: KubeWatcher;
  readonly vaults: VaultClients;
  readonly render: RenderOptions;
  /** Passed on from leader to leader; undefined: nobody knows of the one before, and nobody comes after. */
  readonly progress?: PollProgress | undefined;
  readonly decoder: Decoder;
  readonly quarantine: Quarantine;
  /** Undefined with `--restart-workloads=false`. */
  readonly rollouts: Rollouts | undefined;
  readonly events: EventSink;
  readonly metrics: SyncMetrics;
  readonly componentMetrics: ComponentMetrics;
  readonly vaultMetrics: VaultMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Given the queue of classes, for health checks. */
  readonly observeQueue?: (queue: Pick<WorkQueue, "stalledMs">) => void;
}

/** What the leader does, until the signal aborts. Resolves when nothing of it runs any more. */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { kube, logger } = options;
  const cluster = await untilAnswered({ name: "uid of the cluster", make: () => clusterUid(kube, signal) }, options, signal);
  const key = await untilAnswered({ name: "fingerprint key", make: () => loadHmacKey(options, signal) }, options, signal);
  const values = new ValuesInHand();
  const classes = new WorkQueue({
    workers: CLASS_WORKERS,
    sharing: {
      of: (classKey) => ({ tenant: refOfKey(classKey).namespace, backend: vaultOf(context.classes.get(refOfKey(classKey))) }),
      perBackend: CLASS_WORKERS_OF_A_VAULT,
    },
    backoff: RETRIES,
    clock: options.clock,
    logger: logger.child({ queue: "classes" }),
    random: options.random,
    observer: options.metrics.queue.observer,
    handle: async (classKey, handleSignal) => {
      const pause = options.quarantine.admit(classKey, (waiting) => classes.isDueBesides(waiting), context.classes.get(refOfKey(classKey)));
      if (pause > 0) return { kind: "requeueAfter", milliseconds: pause };
      try {
        const outcome = await patiently(async () => outcomeOf(await reconcileClass(context, refOfKey(classKey), handleSignal)));
        options.rollouts?.noteClass(classKey);
        return outcome;
      } finally {
        options.quarantine.end(classKey);
        values.end(classKey);
      }
    },
  });
  const fingerprints = createFingerprints(key.bytes, key.formerUntil);
  const copies = startComponentCopies({ ...options, fingerprints, onChange: (id) => components?.lookAt(id) }, signal);
  const components = options.healsComponents
    ? startComponents({ ...options, copies, metrics: options.componentMetrics }, signal)
    : undefined;
  const crds = startCrds({ ...options, copies }, signal);
  const guardrails = createGuardrailKeeper({
    ...options,
    kube: options.probe,
    onKnown: (policy, isMissing) => options.metrics.guardrailsMissing.set({ policy }, isMissing ? 1 : 0),
  });
  // The queue runs below, so its handler never sees this before it is there.
  const context = buildContext({ options, cluster, fingerprints, classes, crds, guardrails, values }, signal);
  options.metrics.queue.observe(classes);
  options.observeQueue?.(classes);
  options.metrics.observeClasses(classFacts(context));
  options.progress?.observe(polledUntil(context));
  options.vaultMetrics.vaults.observe((classKey) => context.classes.get(refOfKey(classKey)) !== undefined);
  await runTogether(
    [
      (running) => classes.run(running),
      (running) => crds.queue.run(running),
      (running) => copies.renew(running),
      (running) => context.snapshots.renew(running),
      async (running) => components?.run(running),
      (running) => guardrails.run(running),
      (running) => reviewFreshness(context, running),
      async (running) => options.rollouts?.run(context, running),
    ],
    signal,
  );
}

/** As its author wrote it: enough to tell the classes of one vault from those of others. */
function vaultOf(provider: SecretProviderClass | undefined): string | undefined {
  return provider?.spec?.parameters?.["keyvaultName"]?.trim().toLowerCase();
}

interface ContextInput {
  readonly options: WorkerOptions;
  readonly cluster: string;
  readonly fingerprints: Fingerprints;
  readonly classes: WorkQueue;
  readonly crds: WatchedCrds;
  readonly guardrails: Guardrails;
  readonly values: ValuesInHand;
}

function buildContext(
  { options, cluster, fingerprints, classes: queue, crds, guardrails, values }: ContextInput,
  signal: AbortSignal,
): WorkerContext {
  const { kube, watcher, logger, clock } = options;
  const enqueue = (classKey: string): void => queue.add(classKey);
  const claims = new Claims();
  const memories = new ClassMemories();
  const classes = startHeldClasses({ watcher, kube, onChange: (change) => claims.note(change), lookAt: enqueue }, signal);
  const blind = options.isBlind ? createBlindSecrets((ref) => statuses.get(ref)) : undefined;
  const secrets = blind ?? startSecretStore({ watcher, fingerprints, onChange: enqueue }, signal);
  const driverSync = options.isBlind ? undefined : startDriverSync(watcher, () => lookAtFailing(context), signal);
  const snapshots = startSnapshots({ kube, watcher, fingerprints, clock, random: options.random, logger, onChange: enqueue }, signal);
  const byName = new Map(options.crds.map((crd) => [crd.metadata.name, crd]));
  const statusGate = createCrdGate({
    kube,
    ours: shipped(byName, STATUS_CRD),
    clock,
    watched: () => crds.watchedStatusCrd.list()[0],
    staleness: () => undefined,
  });
  const statuses = startStatusStore({ kube, watcher, logger, gate: statusGate, onLost: enqueue }, signal);
  const onUseChanged = (classKey: string, isUsed: boolean): void => {
    if (isUsed) memories.noteUse(classKey);
    if (classes.get(refOfKey(classKey)) !== undefined) enqueue(classKey);
  };
  const consumers = startConsumers({ watcher, onUseChanged }, signal);
  const grants = startGrants(watcher, (namespace) => lookAtFailing(context, namespace), signal);
  const gate: CrdGate = createCrdGate({
    kube,
    ours: shipped(byName, CLASS_CRD),
    clock,
    onChange: (state) => tellTrust(options, state),
    watched: () => crds.watchedClassCrd.list()[0],
    staleness: () => {
      const copies = {
        CRDs: crds.watchedClassCrd,
        classes,
        Secrets: secrets,
        snapshots,
        pods: consumers,
        Namespaces: grants,
        ...(driverSync === undefined ? {} : { "role bindings": driverSync }),
      };
      const stale = Object.entries(copies).find(([, copy]) => !copy.hasSynced)?.[0];
      if (stale !== undefined) return `the ${stale} have not been listed yet`;
      return statuses.hasSynced || statuses.isUnserved ? undefined : "the status objects have not been listed yet";
    },
  });
  relistAfterDamage(crds, { gate, classes, lookAt: enqueue });
  const context: WorkerContext = {
    settings: { ...options.settings, cluster },
    kube,
    clock,
    logger,
    events: options.events,
    metrics: options.metrics,
    random: options.random,
    fingerprints,
    classes,
    claims,
    secrets,
    blind,
    driverSync,
    guardrails,
    snapshots,
    statuses,
    consumers,
    gate,
    memories,
    polledUntil: polledBefore(options),
    lookAt: enqueue,
    tellFreeze: createFreezeTeller(options),
    mirror: options.quarantine.guarded(
      createMirrors({
        ...options,
        consumers,
        grants,
        values,
        onChange: (classKey) => {
          const isKnown = memories.noteChange(classKey, clock.now());
          if (isKnown) enqueue(classKey);
          return isKnown;
        },
      }),
    ),
  };
  return context;
}

async function clusterUid(kube: KubeClient, signal: AbortSignal): Promise<string> {
  const found = await kube.read(RESOURCES.namespaces, { name: "kube-system" }, signal);
  return found.kind === "found" ? (found.object.metadata.uid ?? "") : "";
}
