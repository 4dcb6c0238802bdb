import { randomUUID } from "node:crypto";
import path from "node:path";
import { createVaultClients } from "../azure/vault-clients.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { createKubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/config.ts";
import { createEventSink } from "../kube/events.ts";
import { createLeaderElection } from "../kube/lease.ts";
import { assertOnlyInstance } from "../kube/one-instance.ts";
import { createKubeWatcher } from "../kube/reflector.ts";
import { pki } from "../pki/pki.ts";
import type { Config } from "../runtime/config.ts";
import { startHealthServer } from "../runtime/health.ts";
import { createRegistry } from "../runtime/metrics.ts";
import { packageFolder } from "../runtime/package-folder.ts";
import { createSteadyClock } from "../runtime/steady-clock.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { assertGuarded, PROBE_USER_AGENT } from "./guardrails.ts";
import { createComponentMetrics } from "./healing/component-metrics.ts";
import { readCrds } from "./healing/crd-files.ts";
import { restoreOwnDeployment } from "./healing/last-look.ts";
import { createSyncMetrics } from "./metrics.ts";
import { createRolloutMetrics } from "./rollouts/rollout-metrics.ts";
import { createRollouts } from "./rollouts/rollouts.ts";
import { inNamespaces } from "./served-namespaces.ts";
import { cloudFileReader } from "./vault/cloud-files.ts";
import { createVaultMetrics } from "./vault/vault-metrics.ts";
import { runWorker } from "./worker.ts";

const LEASE = "keyvault-injector-sync";

export interface ProcessOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
}

/** The sync worker, from settings to a clean stop. Rejects when the lease was lost: another replica may be writing by now. */
export async function runProcess({ config, logger, version }: ProcessOptions, signal: AbortSignal): Promise<void> {
  const clock = createSteadyClock();
  const registry = createRegistry(version);
  const metrics = createSyncMetrics(registry);
  const vaultMetrics = createVaultMetrics(registry);
  const rolloutMetrics = createRolloutMetrics(registry);
  const componentMetrics = createComponentMetrics(registry);
  const kubeConfig = loadKubeConfig({ kubeconfig: config.kubeconfig });
  const client = { clock, logger, random: Math.random, userAgent: `keyvault-injector-sync/${version}` };
  const kube = createKubeClient(kubeConfig, client);
  const isBlind = config.secretAccess === "blind";
  const probe = createKubeClient(kubeConfig, { ...client, userAgent: PROBE_USER_AGENT });
  const watcher = inNamespaces(createKubeWatcher(kubeConfig, client), config.namespaces);
  const crds = readCrds(config.crdsDir === "" ? path.join(packageFolder(), "manifests/crds") : config.crdsDir);
  const election = createLeaderElection(kube, {
    namespace: config.namespace,
    name: LEASE,
    identity: `${config.podName}_${randomUUID()}`,
    fieldManager: FIELD_MANAGER,
    clock,
    logger,
  });
  await assertOnlyInstance({ kube, namespace: config.namespace, clock, logger }, signal);
  if (isBlind) await assertGuarded({ kube: probe, namespace: config.namespace, isBlind }, signal);
  const health = await startHealthServer({
    address: config.bindAddress,
    port: config.healthPort,
    liveness: [{ name: "event-loop", problem: () => undefined }],
    readiness: [{ name: "process", problem: () => undefined }],
    registry,
  });
  logger.info("started", { version, healthPort: health.port, crds: crds.map(({ metadata }) => metadata.name) });
  const { divertingVariables: variables } = config;
  if (variables.length > 0) logger.warn("environment variables that change what a managed identity is are ignored", { variables });
  try {
    await election.run(async (leading) => {
      metrics.isLeader.set(1);
      logger.info("leading", { lease: `${config.namespace}/${LEASE}` });
      const sink = { component: LEASE, instance: config.podName, fieldManager: FIELD_MANAGER, clock, logger };
      const events = createEventSink(kube, sink, leading);
      metrics.observeDroppedEvents(() => events.dropped);
      await runWorker(
        {
          settings: {
            syncSecret: config.syncSecret,
            enableSecretRotation: config.enableSecretRotation,
            rotationPollInterval: config.rotationPollInterval,
            syncMode: config.syncMode,
            unusedGrace: config.unusedGrace,
            expiryWarning: config.expiryWarning,
            adoptsDriverSecrets: config.adoptDriverSecrets,
            restoresClasses: config.heal.includes("classes"),
          },
          healsCrds: config.heal.includes("crds"),
          healsComponents: config.heal.includes("components"),
          healsNodeSide: config.healNodeSide,
          crds,
          namespace: config.namespace,
          credentialsSecretNames: config.credentialsSecretNames,
          limits: {
            vaults: config.allowedVaults,
            identityModes: config.allowedIdentityModes,
            managedIdentityNamespaces: config.managedIdentityNamespaces,
            cloudName: config.cloudName,
          },
          cloudName: config.cloudName,
          readCloudFile: cloudFileReader(config.cloudEnvDir),
          kube: createKubeClient(kubeConfig, { ...client, mayWrite: () => election.holdsLease }),
          probe,
          isBlind,
          watcher,
          rollouts: config.restartWorkloads
            ? createRollouts({
                settings: { mostAtATime: config.maxRolloutsPerNamespace, timeoutMs: config.rolloutTimeout },
                watcher,
                metrics: rolloutMetrics,
                clock,
                logger,
                random: Math.random,
              })
            : undefined,
          vaults: createVaultClients({ proxy: config.proxy }),
          render: {
            pki,
            constructPemChain: config.constructPemChain,
            writeCertAndKeyInSeparateFiles: config.writeCertAndKeyInSeparateFiles,
          },
          events,
          metrics,
          componentMetrics,
          vaultMetrics,
          clock,
          logger,
          random: Math.random,
        },
        leading,
      );
    }, signal);
    if (config.heal.includes("components"))
      await restoreOwnDeployment({ kube, namespace: config.namespace, clock, logger }, new AbortController().signal);
  } finally {
    health.startDraining();
    await health.close();
    await kubeConfig.close();
  }
}
