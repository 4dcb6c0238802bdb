import type { InstallKey } from "../domain/install-key.ts";
import type { SecretProviderClass } from "../domain/kubernetes.ts";
import { keyOf, refOfKey } from "../domain/object-key.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { HeldClass } from "../domain/provider-class/held-class.ts";
import { switchedOffBy } from "../domain/sync/switched-off.ts";
import { WorkQueue } from "../runtime/workqueue.ts";
import { classFacts } from "./classes/class-metrics.ts";
import { ClassStates } from "./classes/class-states.ts";
import { startConsumers } from "./classes/consumers.ts";
import { type HeldClassesOptions, startHeldClasses } from "./classes/held-classes.ts";
import { LostClasses } from "./classes/lost-classes.ts";
import { earlierPolls, pollsMade } from "./classes/poll-progress.ts";
import type { ClassPorts } from "./classes/ports.ts";
import { type Reconciling, reconcileClass } from "./classes/reconcile-class.ts";
import { retryFailed } from "./classes/retry-failed.ts";
import { reviewStatuses } from "./classes/review-statuses.ts";
import { startStatusStore } from "./classes/status-store.ts";
import { mayBeOutdated, UnansweredEdits } from "./classes/unanswered-edits.ts";
import { clusterUid } from "./cluster-uid.ts";
import { type Copies, startCopies as startSecretCopies } from "./copies/copies.ts";
import { createFingerprints, type Fingerprints } from "./fingerprints.ts";
import { createPolicyMonitor, type Guardrails } from "./guardrails.ts";
import { startComponentCopies } from "./healing/component-copies.ts";
import { startComponents } from "./healing/components.ts";
import { type CrdHealth, createCrdHealth } from "./healing/crd-health.ts";
import { createFreezeReporter, reportTrust } from "./healing/report-freeze.ts";
import { startSnapshots } from "./healing/snapshots.ts";
import { CLASS_CRD, POD_STATUS_CRD, relistAfterDamage, STATUS_CRD, shipped, startCrds, type WatchedCrds } from "./healing/watched-crds.ts";
import { awaitHmacKey, keepHmacKey, loadHmacKey } from "./hmac-key.ts";
import { patiently, RETRIES, untilAnswered } from "./patience.ts";
import type { Push } from "./push/push.ts";
import { pushedClasses } from "./pushed-classes.ts";
import { followedBy } from "./rollouts/rollouts.ts";
import { runTogether } from "./run-together.ts";
import { createBlindSecrets } from "./secrets/blind-secrets.ts";
import { startDriverSync } from "./secrets/driver-sync.ts";
import { startSecretStore } from "./secrets/secret-store.ts";
import { createSecretWriter } from "./secrets/secret-writer.ts";
import { startGrants } from "./vault/find-identity.ts";
import type { FetchMirror } from "./vault/mirror.ts";
import { ValuesInHand } from "./vault/values-in-hand.ts";
import { createMirrors } from "./vault/vault-mirror.ts";
import type { WorkerOptions } from "./worker-options.ts";

/**
 * Number of classes that the worker reconciles at a time. Vault calls take most of the time, and a call that hangs ends only after half a
 * minute. A single namespace gets half of the workers, which keeps a first sync of thousands of classes busy. Six namespaces in which
 * everything hangs leave one worker for the next.
 */
const CLASS_WORKERS = 64;
/** Number of workers for one namespace on one vault. */
const CLASS_WORKERS_OF_A_VAULT = 8;

/** Does the work of a leader until the signal aborts. Resolves when nothing of it runs any more. */
export async function runWorker(options: WorkerOptions, signal: AbortSignal): Promise<void> {
  const { settings, install, healing, api, polling, parts, process } = options;
  const { rollouts, gateways } = parts;
  const { quarantine } = polling;
  const { kube } = api;
  const { logger, clock, random, metrics, events } = process;
  const cluster = await untilAnswered({ name: "uid of the cluster", make: () => clusterUid(kube, signal) }, process, signal);
  const { isFirst, serves } = install.shard;
  const keyed = { kube, namespace: install.namespace, logger, clock };
  const makeKey = (): Promise<InstallKey> => (isFirst ? loadHmacKey(keyed, signal) : awaitHmacKey(keyed, signal));
  const key = await untilAnswered({ name: "fingerprint key", make: makeKey }, process, signal);
  const values = new ValuesInHand();
  const queue = new WorkQueue({
    workers: CLASS_WORKERS,
    sharing: {
      of: (classKey) => ({ tenant: refOfKey(classKey).namespace, backend: vaultOf(live.classes.get(refOfKey(classKey))) }),
      perBackend: CLASS_WORKERS_OF_A_VAULT,
    },
    backoff: RETRIES,
    clock,
    logger: logger.child({ queue: "classes" }),
    random,
    observer: metrics.queue.observer,
    handle: async (classKey, handleSignal) => {
      const pause = quarantine.admit(classKey, (waiting) => queue.isDueBesides(waiting), live.classes.get(refOfKey(classKey)));
      if (pause > 0) return { kind: "requeueAfter", milliseconds: pause };
      try {
        return await patiently(() => reconcileClass(reconciling, classKey, handleSignal));
      } finally {
        // Also after a reconcile that failed, because its Secrets may still have new versions.
        rollouts?.noteClass(classKey);
        gateways?.noteClass(classKey);
        quarantine.end(classKey);
        values.end(classKey);
      }
    },
  });
  const fingerprints = createFingerprints(key.bytes, key.formerUntil);
  const watched = { kube, watcher: api.watcher, namespace: install.namespace, process };
  const copies = startComponentCopies({ ...watched, fingerprints, onChange: (id) => components?.requeue(id) }, signal);
  const components = healing.heal.includes("components") ? startComponents({ ...watched, healing, copies }, signal) : undefined;
  const crds = startCrds({ ...watched, healing, copies }, signal);
  const guardrails = createPolicyMonitor({
    ...watched,
    ...process,
    isBlind: api.isBlind,
    events: ofInstall(options),
    kube: api.probe,
    onKnown: (policy, isMissing) => metrics.guardrailsMissing.set({ policy }, isMissing ? 1 : 0),
  });
  // The queue runs only below, so its handler never uses these before they exist.
  const enqueue = (classKey: string): void => {
    // A class of another shard is not in the live copies, so the worker would treat it as deleted.
    if (serves(refOfKey(classKey).namespace)) queue.add(classKey);
  };
  const push = parts.push?.start(enqueue);
  // If blind, the worker reads no Secret that it could copy.
  const secretCopies = api.isBlind
    ? undefined
    : startSecretCopies({ kube, watcher: api.watcherOfAllShards, settings, install, fingerprints, process }, signal);
  const live = startCopies({ options, fingerprints, crds, enqueue, push, secretCopies }, signal);
  const ports = portsOf({ options, fingerprints, enqueue, push }, live, guardrails);
  const before = earlierPolls({ progress: polling.progress, clock });
  const mirror = quarantine.guarded(mirrorsOf({ options, enqueue, fingerprints }, live, values));
  const restarts = rollouts !== undefined;
  const reconciling: Reconciling = { ports, mirror, process, cluster, earlierPolls: before, classesAtRest: new Map(), restarts };
  metrics.queue.observe(queue);
  polling.observeQueue?.(queue);
  const sources = { ...live, consumers: live.pods.consumers, settings, clock };
  metrics.observeClasses(classFacts(sources));
  polling.progress?.observe(pollsMade({ ...sources, before }));
  options.vaults.vaultMetrics.vaults.observe((classKey) => live.classes.get(refOfKey(classKey)) !== undefined);
  const isSwitchedOff = (spc: HeldClass): boolean => switchedOffBy(spc, settings) !== undefined;
  await runTogether(
    [
      (running) => queue.run(running),
      (running) => keepHmacKey({ ...keyed, key, isFirst }, running),
      (running) => crds.queue.run(running),
      async (running) => (isFirst ? copies.renew(running) : undefined),
      (running) => live.snapshots.renew(running),
      async (running) => components?.run(running),
      (running) => guardrails.run(running),
      (running) => reviewStatuses(ports, { logger, random, cluster, earlierPolls: before }, running),
      async (running) => rollouts?.run({ live, isSwitchedOff, enqueue, kube, clock, logger, events }, running),
      async (running) => gateways?.run({ ...live, grants: live.pods.grants, kube, limits: options.vaults.limits, events }, running),
      async (running) => secretCopies?.run(live, running),
      async (running) =>
        push?.run(
          pushedClasses({ ...options.vaults, ...install, settings }, { ...live, clock, isFollowed: followedBy(rollouts) }),
          running,
        ),
    ],
    signal,
  );
}

/** Returns the sink for events about the install, and not about a class. Only the first shard emits them. */
function ofInstall({ process, install }: Pick<WorkerOptions, "process" | "install">): EventSink {
  return install.shard.isFirst ? process.events : { emit: () => undefined };
}

/**
 * Returns the vault name that the author wrote, without surrounding spaces and in lower case. This is enough to distinguish the classes of
 * one vault from those of others.
 */
function vaultOf(spc: SecretProviderClass | undefined): string | undefined {
  return spc?.spec?.parameters?.["keyvaultName"]?.trim().toLowerCase();
}

/** Live copies of the cluster, and the states that the worker remembers of its classes. */
type LiveCopies = ReturnType<typeof startCopies>;

interface CopiesInput {
  readonly options: WorkerOptions;
  readonly fingerprints: Fingerprints;
  readonly crds: WatchedCrds;
  readonly enqueue: (classKey: string) => void;
  readonly push: Push | undefined;
  readonly secretCopies: Copies | undefined;
}

function startCopies({ options, fingerprints, crds, enqueue, push, secretCopies }: CopiesInput, signal: AbortSignal) {
  const { api, process } = options;
  const { kube, watcher, isBlind } = api;
  const { logger, clock } = process;
  const states = new ClassStates();
  const edits = new UnansweredEdits(
    (spc) => mayBeOutdated({ settings: options.settings, consumers }, statuses, spc),
    () => clock.now(),
  );
  const lost = new LostClasses(options.settings, () => ({ classes, snapshots, crdHealth }));
  const onClassChange: HeldClassesOptions["onChange"] = (change) => [edits, push?.named, lost].forEach((noted) => noted?.note(change));
  const requeue = (classKey: string): void => {
    enqueue(classKey);
    secretCopies?.noteClass(classKey);
  };
  const classes = startHeldClasses({ watcher, kube, onChange: onClassChange, requeue }, signal);
  const blind = isBlind ? createBlindSecrets((ref) => statuses.get(ref)) : undefined;
  const secrets = blind ?? startSecretStore({ watcher, fingerprints, logger, onChange: requeue }, signal);
  const retryIfFailed = (classKey: string): void => retryFailed({ states, clock, enqueue }, classKey);
  const retryFailing = (namespace?: string): void => {
    if (namespace !== undefined) options.parts.gateways?.noteNamespace(namespace);
    for (const spc of classes.list()) {
      if (namespace !== undefined && spc.metadata.namespace !== namespace) continue;
      retryIfFailed(keyOf(spc));
    }
  };
  const driverSync = isBlind ? undefined : startDriverSync(watcher, () => retryFailing(), signal);
  const snapshots = startSnapshots({ kube, watcher, fingerprints, process, onChange: enqueue }, signal);
  const byName = new Map(options.healing.crds.map((crd) => [crd.metadata.name, crd]));
  const statusGate = createCrdHealth({
    kube,
    ours: shipped(byName, STATUS_CRD),
    clock,
    watched: () => crds.watchedStatusCrd.list()[0],
    staleness: () => undefined,
  });
  const statuses = startStatusStore(
    { kube, watcher, logger, crdHealth: statusGate, isOfClass: (ref) => classes.get(ref) !== undefined, onLost: enqueue },
    signal,
  );
  const onUseChanged = (classKey: string, isUsed: boolean): void => {
    if (isUsed) states.note(classKey, { kind: "used" });
    const spc = classes.get(refOfKey(classKey));
    if (spc === undefined) return;
    edits.note({ previous: undefined, current: spc });
    enqueue(classKey);
    // A pod that waits for its Secret does not wait for the end of a backoff, too.
    if (isUsed) retryIfFailed(classKey);
  };
  const onIdentitiesChanged = (classKey: string): void => {
    if (consumers.isUsed(classKey)) retryIfFailed(classKey);
  };
  const consumers = startConsumers({ watcher, onUseChanged, onIdentitiesChanged }, signal);
  const onGrantsChange = (namespace: string): void => {
    retryFailing(namespace);
    secretCopies?.noteNamespace(namespace);
  };
  const grants = startGrants(watcher, onGrantsChange, signal);
  const crdHealth: CrdHealth = createCrdHealth({
    kube,
    ours: shipped(byName, CLASS_CRD),
    clock,
    onChange: (state) => reportTrust(process, state),
    watched: () => crds.watchedClassCrd.list()[0],
    staleness: () => {
      const copies = {
        CRDs: crds.watchedClassCrd,
        classes,
        Secrets: secrets,
        snapshots,
        pods: consumers.watch,
        Namespaces: grants,
        ...(driverSync === undefined ? {} : { "role bindings": driverSync }),
      };
      const stale = Object.entries(copies).find(([, copy]) => !copy.hasSynced)?.[0];
      if (stale !== undefined) return `the ${stale} have not been listed yet`;
      return statuses.hasSynced || statuses.isUnserved ? undefined : "the status objects have not been listed yet";
    },
  });
  const podStatusCrd = createCrdHealth({
    kube,
    ours: shipped(byName, POD_STATUS_CRD),
    clock,
    watched: () => crds.watchedPodStatusCrd.list()[0],
    staleness: () => (crds.watchedPodStatusCrd.hasSynced ? undefined : "the CRDs have not been listed yet"),
  });
  relistAfterDamage(crds, { crdHealth, classes, requeue });
  const pods = { consumers, driverSync, grants };
  return { classes, lost, secrets, blind, snapshots, statuses, edits, states, pods, crdHealth, podStatusCrd };
}

function portsOf(
  { options, fingerprints, enqueue, push }: Omit<CopiesInput, "crds" | "secretCopies">,
  { classes, secrets, blind, snapshots, statuses, edits, states, crdHealth, pods: { consumers, driverSync } }: LiveCopies,
  guardrails: Guardrails,
): ClassPorts {
  const { settings, process } = options;
  const { clock, logger, events, metrics } = process;
  const { kube } = options.api;
  const healed = { restored: metrics.classesRestored, repaired: metrics.classesRepaired };
  return {
    kube,
    clock,
    caches: {
      settings,
      classes,
      secrets,
      snapshots,
      statuses,
      consumers,
      parts: { isFollowed: followedBy(options.parts.rollouts), hints: push?.hints },
      cluster: { crdHealth, driverSync, guardrails },
    },
    memory: { edits, states },
    secretWriter: createSecretWriter({ kube, fingerprints, logger, blind, writes: metrics.secretWrites }),
    reporter: {
      events,
      logger,
      countHealed: (how) => healed[how].inc(),
      reportFreeze: createFreezeReporter({ namespace: options.install.namespace, events: ofInstall(options) }),
    },
    enqueue,
  };
}

function mirrorsOf(
  { options, enqueue, fingerprints }: Pick<CopiesInput, "options" | "enqueue" | "fingerprints">,
  { pods: { consumers, grants }, states }: LiveCopies,
  values: ValuesInHand,
): FetchMirror {
  const { clock, random } = options.process;
  const onChange = (classKey: string): boolean => {
    const isKnown = states.note(classKey, { kind: "objectChanged" }) !== undefined;
    if (isKnown) enqueue(classKey);
    return isKnown;
  };
  const { credentialsSecretNames, limits, readCloudFile, render, decoder, vaults, vaultMetrics } = options.vaults;
  return createMirrors({
    cloud: { cloudName: limits.cloudName, identityBindings: limits.identityBindings, readCloudFile },
    identities: { kube: options.api.kube, credentialsSecretNames, limits, consumers, grants },
    content: { render, decoder, values, saltKeyOf: (namespace) => fingerprints.saltKeyOf(namespace) },
    vaults,
    clock,
    random,
    vaultMetrics,
    onChange,
    leadership: options.polling.leadership,
    portion: 1 / options.install.shard.count,
  });
}
