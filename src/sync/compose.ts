import { randomUUID } from "node:crypto";
import path from "node:path";
import { createVaultClients } from "../azure/vault-clients.ts";
import { LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import { refOfKey } from "../domain/object-key.ts";
import { type Clock, monotonicClock } from "../domain/ports/clock.ts";
import type { EventQueues } from "../domain/ports/event-queue.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { partOf, type Shard, shardLease } from "../domain/shards.ts";
import { queueOfShard } from "../domain/vault-events/queue-setting.ts";
import { createKubeClient } from "../kube/client.ts";
import { createApiContact } from "../kube/contact.ts";
import { createEventSink } from "../kube/events.ts";
import { createLeaderElection } from "../kube/lease.ts";
import type { LeaseTiming } from "../kube/lease-options.ts";
import { loadKubeConfig } from "../kube/load-config.ts";
import { assertOnlyInstance, type OneInstanceOptions } from "../kube/one-instance.ts";
import { createKubeWatcher } from "../kube/reflector.ts";
import { pki } from "../pki/pki.ts";
import { DecodingThreads } from "../pki/threads/decoding-threads.ts";
import type { Config } from "../runtime/config.ts";
import { startEventLoopWatch } from "../runtime/event-loop.ts";
import { startHealthServer } from "../runtime/health.ts";
import { createRegistry } from "../runtime/metrics.ts";
import { packageFolder } from "../runtime/package-folder.ts";
import { createSteadyClock } from "../runtime/steady-clock.ts";
import type { WorkQueue } from "../runtime/workqueue.ts";
import { createLeasedProgress } from "./classes/poll-progress.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { createGatewayMetrics } from "./gateways/gateway-metrics.ts";
import { createGateways, type Gateways, type GatewaysOptions } from "./gateways/gateways.ts";
import { assertGuarded, PROBE_USER_AGENT } from "./guardrails.ts";
import { createComponentMetrics } from "./healing/component-metrics.ts";
import { readCrds } from "./healing/crd-files.ts";
import { restoreOwnDeployment } from "./healing/restore-own-deployment.ts";
import { hasHmacKey } from "./hmac-key.ts";
import { inheritHands } from "./inherit-hands.ts";
import { createSyncMetrics } from "./metrics.ts";
import { processHealth } from "./process-health.ts";
import { createPush } from "./push/push.ts";
import { createPushMetrics } from "./push/push-metrics.ts";
import { Quarantine } from "./quarantine.ts";
import { createRolloutMetrics } from "./rollouts/rollout-metrics.ts";
import { createRollouts } from "./rollouts/rollouts.ts";
import { inNamespaces } from "./served-namespaces.ts";
import { inShard, servedBy } from "./shard.ts";
import { cloudFileReader } from "./vault/cloud-files.ts";
import { createVaultMetrics } from "./vault/vault-metrics.ts";
import { runWorker } from "./worker.ts";

const LEASE = "keyvault-injector-sync";

/**
 * Number of concurrent writes. A single namespace can use half of them. The API server may take seconds for each write if an admission
 * webhook is slow.
 */
const WRITES_AT_A_TIME = 32;

export interface ProcessOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** Default: the machine's clocks. Tests of time pass others. */
  readonly time?: { readonly clock: Clock; readonly monotonic: () => number };
  /** Default: the timing of client-go. Tests that simulate years pass a slower one. */
  readonly lease?: LeaseTiming | undefined;
}

/** Runs the sync worker, from settings to a clean stop. Rejects if the lease was lost, because another replica may already write. */
export async function runProcess({ config, logger, version, time, lease }: ProcessOptions, signal: AbortSignal): Promise<void> {
  const { clock, monotonic } = time ?? { clock: createSteadyClock(), monotonic: () => performance.now() };
  const stopped = new AbortController();
  const registry = createRegistry(version);
  const metrics = createSyncMetrics(registry);
  const vaultMetrics = createVaultMetrics(registry);
  const rolloutMetrics = createRolloutMetrics(registry);
  const componentMetrics = createComponentMetrics(registry);
  const pushMetrics = createPushMetrics(registry);
  const gatewayMetrics = createGatewayMetrics(registry);
  const kubeConfig = loadKubeConfig({ kubeconfig: config.kubeconfig });
  const contact = createApiContact(clock);
  const client = { clock, logger, random: Math.random, userAgent: `keyvault-injector-sync/${version}`, contact };
  const kube = createKubeClient(kubeConfig, client);
  const isBlind = config.secretAccess === "blind";
  const decoder = new DecodingThreads(clock);
  const probe = createKubeClient(kubeConfig, { ...client, userAgent: PROBE_USER_AGENT });
  const watches = createKubeWatcher(kubeConfig, client);
  const served = inNamespaces(watches, config.namespaces);
  const crds = readCrds(config.crdsDir === "" ? path.join(packageFolder(), "manifests/crds") : config.crdsDir);
  const progress = createLeasedProgress();
  // `election` exists before any part of the worker runs.
  const store = async (): Promise<void> => {
    await election.renewNow();
  };
  const quarantine = new Quarantine({ version, clock, logger, store });
  const urgent = createKubeClient(kubeConfig, { ...client, isUrgent: true });
  const election = createLeaderElection(urgent, {
    leases: {
      namespace: config.namespace,
      name: LEASE,
      shards: config.shards,
      ofOneNumber: [LEASE_ANNOTATIONS.polledUntil, LEASE_ANNOTATIONS.pollsOwed],
    },
    identity: `${config.podName}_${randomUUID()}`,
    fieldManager: FIELD_MANAGER,
    clock,
    logger,
    annotations: () => ({ ...progress.annotations(), ...quarantine.annotations() }),
    hasLed: (asked) => hasHmacKey(urgent, config.namespace, asked),
    timing: lease,
  });
  let queue: Pick<WorkQueue, "stalledMs"> | undefined;
  let push: ReturnType<typeof createPush> | undefined;
  let closeEvents: (() => Promise<void>) | undefined;
  let isStarted = false;
  const eventLoop = startEventLoopWatch({ registry, clock, monotonic }, stopped.signal);
  const checks = processHealth({
    eventLoop,
    contact,
    watcher: watches,
    queue: () => queue,
    isStarted: () => isStarted,
    eventQueues: config.eventQueues.length === 0 ? undefined : () => push?.problem(),
  });
  const health = await startHealthServer({ address: config.bindAddress, port: config.healthPort, ...checks, registry });
  try {
    const only = { kube, namespace: config.namespace, clock, logger };
    const guarded = isBlind ? { ...client, kube: probe, namespace: config.namespace, isBlind } : undefined;
    if (!(await mayBegin(only, guarded, signal))) return;
    isStarted = true;
    logger.info("started", { version, healthPort: health.port, crds: crds.map(({ metadata }) => metadata.name) });
    const { divertingVariables: variables } = config;
    if (variables.length > 0) logger.warn("ignoring environment variables that would change the managed identity", { variables });
    metrics.shards.set(config.shards);
    await election.run(async (leading, term) => {
      const shard: Shard = { index: term.shard, count: config.shards };
      const isFirst = shard.index === 0;
      const serves = servedBy(shard);
      const watcher = inShard(served, serves);
      await inheritHands({ election, quarantine, term, isOurs: (classKey) => serves(refOfKey(classKey).namespace) }, leading);
      metrics.isLeader.set(1);
      logger.info("leading", {
        lease: `${config.namespace}/${shardLease(LEASE, shard.index)}`,
        ...(shard.count > 1 ? { shards: shard.count } : {}),
      });
      const holdsLease = (): boolean => election.holdsLease;
      const sink = { component: LEASE, instance: config.podName, fieldManager: FIELD_MANAGER, clock, logger, mayEmit: holdsLease };
      const events = createEventSink(kube, sink);
      closeEvents = () => events.close();
      metrics.observeDroppedEvents(() => events.dropped);
      const leaderKube = createKubeClient(kubeConfig, { ...client, mayWrite: holdsLease, writesAtATime: WRITES_AT_A_TIME });
      const settings = config.eventQueues.map((setting) => queueOfShard(setting, shard.index));
      const pushing = { settings, kube: leaderKube, namespace: config.namespace, metrics: pushMetrics, clock, logger, random: Math.random };
      push = settings.length === 0 ? undefined : createPush({ ...pushing, queues: await openEventQueues(config) });
      await runWorker(
        {
          settings: config,
          install: { namespace: config.namespace, namespaces: config.namespaces, shard: { ...shard, isFirst, serves } },
          // Only the first shard heals what belongs to no namespace.
          healing: { ...config, heal: isFirst ? config.heal : [], crds, componentMetrics },
          api: { kube: leaderKube, probe, isBlind, watcher, watcherOfAllShards: served },
          vaults: {
            vaults: createVaultClients({ proxy: config.proxy, tokenProxy: config.tokenProxy }),
            credentialsSecretNames: config.credentialsSecretNames,
            limits: config,
            readCloudFile: cloudFileReader(config.cloudEnvDir),
            render: {
              pki,
              constructPemChain: config.constructPemChain,
              writeCertAndKeyInSeparateFiles: config.writeCertAndKeyInSeparateFiles,
            },
            decoder,
            vaultMetrics,
          },
          polling: {
            progress: progress.after(term.annotations),
            leadership: { since: monotonicClock(clock).now(), holdsLease },
            quarantine,
            observeQueue: (observed) => {
              queue = observed;
            },
          },
          parts: {
            rollouts: config.restartWorkloads
              ? createRollouts({
                  settings: {
                    mostAtATime: config.maxRolloutsPerNamespace,
                    timeoutMs: config.rolloutTimeout,
                    respectsBudgets: config.respectDisruptionBudgets,
                    watchesArgo: config.restartArgoRollouts,
                    mostInCluster: partOf(config.maxRollouts, shard),
                    controls: { mode: config.restartMode, window: config.restartWindow },
                    filesGraceMs: config.mountedFilesGrace,
                  },
                  watcher,
                  metrics: rolloutMetrics,
                  clock,
                  logger,
                  random: Math.random,
                })
              : undefined,
            gateways: gatewaysOf(config, { watcher, metrics: gatewayMetrics, clock, logger, random: Math.random }),
            push,
          },
          process: { clock, logger, random: Math.random, events, metrics },
        },
        leading,
      );
      quarantine.finish();
    }, signal);
    if (config.heal.includes("components"))
      await restoreOwnDeployment({ kube, namespace: config.namespace, clock, logger }, new AbortController().signal);
  } finally {
    stopped.abort();
    health.startDraining();
    // The lease has been released before this, so the next leader does not wait for these events.
    await closeEvents?.();
    await decoder.close();
    await health.close();
    await kubeConfig.close();
  }
}

/** Returns false if the signal aborts before the API server has answered. Rejects if this process must not begin. */
async function mayBegin(
  only: OneInstanceOptions,
  guarded: Parameters<typeof assertGuarded>[0] | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await assertOnlyInstance(only, signal);
    if (guarded !== undefined) await assertGuarded(guarded, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** Returns undefined unless the operator names Gateway classes or Ingress classes. */
function gatewaysOf(
  { gatewayClasses: Gateway, ingressClasses: Ingress, tenantId, nodeIdentityClientId: nodeClientId }: Config,
  others: Omit<GatewaysOptions, "named" | "tenantId" | "nodeClientId">,
): Gateways | undefined {
  if (Gateway.length + Ingress.length === 0) return undefined;
  return createGateways({ named: { Gateway, Ingress }, tenantId, nodeClientId, ...others });
}

/** Loads the SDK for queues, which takes megabytes, only for an install with queues. */
async function openEventQueues({ proxy }: Pick<Config, "proxy">): Promise<EventQueues> {
  const { createEventQueues } = await import("../azure/event-queues.ts");
  return createEventQueues({ proxy });
}
