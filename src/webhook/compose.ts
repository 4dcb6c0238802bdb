import type { Registry } from "prom-client";
import { serviceDnsNames, WEBHOOK_SERVICE } from "../domain/certificates/names.ts";
import type { InjectionSettings } from "../domain/injection/settings.ts";
import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { Reflector } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { createKubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/load-config.ts";
import { assertOnlyInstance } from "../kube/one-instance.ts";
import { createKubeWatcher } from "../kube/reflector.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Config } from "../runtime/config.ts";
import { startEventLoopWatch } from "../runtime/event-loop.ts";
import { createFairTurns } from "../runtime/fair-turns.ts";
import { startHealthServer } from "../runtime/health.ts";
import { aborted } from "../runtime/lifecycle.ts";
import { createRegistry } from "../runtime/metrics.ts";
import { createPeerSlots } from "../runtime/peer-slots.ts";
import { startChainProbe } from "../tls/chain-probe.ts";
import { startClientAuthorities } from "../tls/client-authorities.ts";
import { startFileCertificates } from "../tls/file-certificates.ts";
import { type Certificates, type CertificatesOptions, startCertificates } from "../tls/start-certificates.ts";
import { type AdmissionGate, createAdmissionGate } from "./admission-gate.ts";
import { startApiAccess } from "./api-access.ts";
import { CLASSES_PATH, createApp, PODS_PATH, WORKLOADS_PATH } from "./app.ts";
import { type ClassCopy, reflectClasses } from "./class-copy.ts";
import { createClassLookup } from "./class-lookup.ts";
import { createAdmissionMetrics, exportExpiry } from "./metrics.ts";
import { createNamespaceLookup, reflectNamespaces } from "./namespace-lookup.ts";
import { createPodHandler, decidePod } from "./pod-handler.ts";
import { createClassHandler, createWorkloadHandler, type PreflightOptions } from "./preflight-handler.ts";
import { createPreflightMetrics } from "./preflight-metrics.ts";
import { type AdmissionServer, createAdmissionServer, type ListenOptions, type TlsParts } from "./server.ts";

/** Fewer than the client's connections, so that reads wait here and not for a connection. One stranger never has the last quarter. */
const LIVE_READS = { slots: 16, most: 12 } as const;

export interface WebhookServerOptions {
  readonly settings: InjectionSettings;
  /** Settings of classes that do not specify their own. */
  readonly clouds: Pick<PreflightOptions, "cloudName" | "identityBindings">;
  readonly listen: ListenOptions;
  readonly tls: TlsParts;
  readonly api: ApiParts;
  readonly process: { readonly registry: Registry; readonly clock: Clock; readonly logger: Logger };
  readonly gate?: AdmissionGate;
}

/** Access to the API server: live copies of the objects that reviews name, and reads of objects that a copy lacks. */
interface ApiParts {
  readonly classes: Pick<ClassCopy, "get">;
  readonly namespaces: Pick<Reflector<KubeObject>, "get">;
  readonly kube: Pick<KubeClient, "read">;
}

/** Creates the admission endpoint with all of the webhook's own parts behind it. */
export function createWebhookServer({ settings, clouds, listen, tls, api, process, gate }: WebhookServerOptions): AdmissionServer {
  const { classes, namespaces, kube } = api;
  const { registry, clock, logger } = process;
  const metrics = createAdmissionMetrics(registry);
  const turns = createFairTurns();
  const reads = { kube, slots: createPeerSlots(LIVE_READS) };
  const lookUp = createClassLookup({ ...reads, classes, onLookup: (result) => metrics.countLookup(result) });
  const lookUpNamespace = createNamespaceLookup({ ...reads, namespaces, onLookup: (result) => metrics.countNamespaceLookup(result) });
  const preflight: PreflightOptions = {
    decidePod: (request, lookUp, peer) => decidePod(request, { settings, lookUp, lookUpNamespace: (name) => lookUpNamespace(name, peer) }),
    lookUp,
    cloudName: clouds.cloudName,
    identityBindings: clouds.identityBindings,
    metrics: createPreflightMetrics(registry),
    logger,
  };
  const app = createApp({
    handlers: {
      [PODS_PATH]: createPodHandler({ settings, lookUp, lookUpNamespace, metrics, logger }),
      [WORKLOADS_PATH]: createWorkloadHandler(preflight),
      [CLASSES_PATH]: createClassHandler(preflight),
    },
    isDraining: () => server.isDraining,
    gate: gate ?? createAdmissionGate(),
    turns,
    onShed: () => void metrics.start()({ kind: "errored", reason: "Overloaded" }),
  });
  const server = createAdmissionServer({ app, turns, listen, tls, clock, logger });
  return server;
}

/**
 * Time in milliseconds for requests in progress after the server stops accepting new ones: the API server waits 5 s for a response.
 * Connections that it opened and has not used yet last as long, because the first request on a closed one would be lost: Go retries only on
 * a connection that served a request before.
 */
const DRAIN_GRACE = 7_000;

export interface ProcessOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** Default: the machine's. Tests that depend on time pass another. */
  readonly time?: { readonly clock: Clock; readonly monotonic: () => number };
}

/** Runs the webhook from its settings to a clean stop: readiness off, drain, close. */
export async function runProcess({ config, logger, version, time }: ProcessOptions, signal: AbortSignal): Promise<void> {
  const { clock, monotonic } = time ?? { clock: systemClock, monotonic: () => performance.now() };
  const registry = createRegistry(version);
  const kubeConfig = loadKubeConfig({ kubeconfig: config.kubeconfig });
  const client = { clock, logger, random: Math.random, userAgent: `keyvault-injector-webhook/${version}` };
  const kube = createKubeClient(kubeConfig, client);
  const watcher = createKubeWatcher(kubeConfig, client);
  // The watches outlive the stop signal, because requests that arrive during the drain need them.
  const stopped = new AbortController();
  const classes = reflectClasses(watcher, stopped.signal);
  const namespaces = reflectNamespaces(watcher, stopped.signal);
  const { namespace, podName } = config;
  const own = { client: kube, watcher, clock, logger, namespace, podName, service: WEBHOOK_SERVICE };
  const certificates = chooseCertificates(config, own, stopped.signal);
  const { clientCaFile } = config;
  const clientAuthorities = clientCaFile === "" ? undefined : startClientAuthorities({ file: clientCaFile, clock, logger }, stopped.signal);
  // With a CA for clients, the server responds to no other client.
  const settings = { version, strictAnnotations: config.strictAnnotations, isCallerTrusted: clientAuthorities !== undefined };
  const server = createWebhookServer({
    settings,
    clouds: config,
    listen: { address: config.bindAddress, port: config.admissionPort },
    tls: { certificates: certificates.source, minVersion: `TLSv${config.tlsMinVersion}`, clientAuthorities },
    api: { classes, namespaces, kube },
    process: { registry, clock, logger },
  });
  exportExpiry(registry, () => ({ ...certificates.expiry() }));
  // Never resolves: if this is the only instance, there is nothing more to wait for.
  const secondInstance = assertOnlyInstance({ kube, namespace, clock, logger }, stopped.signal).then(() => aborted(stopped.signal));
  secondInstance.catch(() => undefined);
  const port = await server.start();
  const chain = startChainProbe(
    {
      address: config.bindAddress,
      port,
      servername: serviceDnsNames(WEBHOOK_SERVICE, namespace)[2] ?? "",
      source: certificates.source,
      trusted: () => certificates.trusted(),
      clock,
    },
    stopped.signal,
  );
  const access = startApiAccess(
    {
      kube,
      copies: [
        { resource: RESOURCES.namespaces, probe: { name: namespace }, copy: namespaces },
        { resource: RESOURCES.secretProviderClasses, probe: { namespace, name: WEBHOOK_SERVICE }, copy: classes },
      ],
      clock,
      logger,
    },
    stopped.signal,
  );
  const health = await startHealthServer({
    address: config.bindAddress,
    port: config.healthPort,
    liveness: [
      startEventLoopWatch({ registry, clock, monotonic }, stopped.signal),
      { name: "api-access", problem: () => access.liveness() },
    ],
    readiness: [
      { name: "admission-server", problem: () => server.problem() },
      { name: "certificate", problem: () => (certificates.ready().ok ? undefined : certificates.ready().message) },
      { name: "serving-chain", problem: () => chain.problem() },
      { name: "api-access", problem: () => access.readiness() },
    ],
    registry,
  });
  logger.info("started", { version, admissionPort: port, healthPort: health.port });
  // A bug in the certificate loop ends the process. Otherwise these promises do not resolve before the stop.
  const loops = [certificates.done, chain.done, access.done, ...(clientAuthorities === undefined ? [] : [clientAuthorities.done])];
  await Promise.race([aborted(signal), ...loops, secondInstance]);
  health.startDraining();
  await server.drain({ delayMs: config.drainDelay, graceMs: DRAIN_GRACE });
  stopped.abort();
  await Promise.all(loops);
  await health.close();
  await kubeConfig.close();
}

/** Uses the certificate of another issuer if its files are named, otherwise our own. */
function chooseCertificates({ tlsCertFile, tlsKeyFile, tlsCaFile }: Config, own: CertificatesOptions, signal: AbortSignal): Certificates {
  if (tlsCertFile === "") return startCertificates(own, signal);
  const files = { certFile: tlsCertFile, keyFile: tlsKeyFile, caFile: tlsCaFile === "" ? undefined : tlsCaFile };
  return startFileCertificates({ files, ...own }, signal);
}
