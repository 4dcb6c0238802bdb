import { Gauge, type Registry } from "prom-client";
import type { InjectionSettings } from "../domain/injection/settings.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import type { CertificateSource, Clock, KubeClient, KubeWatcher, Logger, Reflector } from "../domain/ports.ts";
import { createKubeClient } from "../kube/client.ts";
import { loadKubeConfig } from "../kube/config.ts";
import { createKubeWatcher } from "../kube/reflector.ts";
import { systemClock } from "../runtime/clock.ts";
import type { Config } from "../runtime/config.ts";
import { startHealthServer } from "../runtime/health.ts";
import { aborted } from "../runtime/lifecycle.ts";
import { createRegistry } from "../runtime/metrics.ts";
import { type Certificates, startCertificates } from "../tls/start-certificates.ts";
import { createApp } from "./app.ts";
import { createClassLookup } from "./class-lookup.ts";
import { createAdmissionMetrics } from "./metrics.ts";
import { createPodHandler } from "./pod-handler.ts";
import { type AdmissionServer, createAdmissionServer } from "./server.ts";

export interface WebhookServerOptions {
  readonly settings: InjectionSettings;
  readonly address: string;
  readonly port: number;
  readonly certificates: CertificateSource;
  readonly classes: Pick<Reflector<SecretProviderClass>, "get">;
  readonly kube: Pick<KubeClient, "read">;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The admission endpoint with everything of the webhook's own behind it. */
export function createWebhookServer(options: WebhookServerOptions): AdmissionServer {
  const { settings, certificates, classes, kube, registry, clock, logger, address, port } = options;
  const metrics = createAdmissionMetrics(registry);
  const lookUp = createClassLookup({ classes, kube, onLookup: (result) => metrics.countLookup(result) });
  const handlePod = createPodHandler({ settings, lookUp, metrics, logger });
  const app = createApp({ handlePod, isDraining: () => server.isDraining });
  const server = createAdmissionServer({ app, certificates, address, port, clock, logger });
  return server;
}

/** The cache behind the lookup. Of a class only its identity is kept: `objects` may be large and is not our business here. */
export function reflectClasses(watcher: KubeWatcher, signal: AbortSignal): Reflector<SecretProviderClass> {
  return watcher.reflect<SecretProviderClass>({ resource: RESOURCES.secretProviderClasses, project: identityOf }, signal);
}

function identityOf(object: KubeObject): SecretProviderClass {
  const { spec } = object as SecretProviderClass; // The reflector asked for this kind, and the CRD's schema holds.
  const { objects: _objects, ...parameters } = spec?.parameters ?? {};
  const { name, namespace } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: { ...(spec?.provider === undefined ? {} : { provider: spec.provider }), parameters },
  };
}

/** Endpoints take a moment to leave every API server and kube-proxy; the Deployment grants 40 s in all. */
const DRAIN = { delayMs: 5_000, graceMs: 15_000 };

const SERVICE = "keyvault-injector-webhook";

export interface ProcessOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
}

/** The webhook, from settings to a clean stop: readiness off, drain, close. */
export async function runProcess({ config, logger, version }: ProcessOptions, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const registry = createRegistry(version);
  const kubeConfig = loadKubeConfig({ kubeconfig: config.kubeconfig });
  const client = { clock, logger, random: Math.random, userAgent: `keyvault-injector-webhook/${version}` };
  const kube = createKubeClient(kubeConfig, client);
  const watcher = createKubeWatcher(kubeConfig, client);
  // The watches outlive the stop signal: requests that come in while draining need them.
  const stopped = new AbortController();
  const classes = reflectClasses(watcher, stopped.signal);
  const { namespace, podName } = config;
  const certificates = startCertificates({ client: kube, watcher, clock, logger, namespace, podName, service: SERVICE }, stopped.signal);
  const settings = { version, strictAnnotations: config.strictAnnotations };
  const server = createWebhookServer({
    settings,
    address: config.bindAddress,
    port: config.admissionPort,
    certificates: certificates.source,
    classes,
    kube,
    registry,
    clock,
    logger,
  });
  exportExpiry(registry, certificates);
  const port = await server.start();
  const health = await startHealthServer({
    address: config.bindAddress,
    port: config.healthPort,
    liveness: [{ name: "event-loop", problem: () => undefined }],
    readiness: [
      { name: "admission-server", problem: () => server.problem() },
      { name: "certificate", problem: () => (certificates.ready().ok ? undefined : certificates.ready().message) },
    ],
    registry,
  });
  logger.info("started", { version, admissionPort: port, healthPort: health.port });
  // A bug in the certificate loop ends the process; nothing else resolves this before the stop.
  await Promise.race([aborted(signal), certificates.done]);
  health.startDraining();
  await server.drain(DRAIN);
  stopped.abort();
  await certificates.done;
  await health.close();
  await kubeConfig.close();
}

function exportExpiry(registry: Registry, certificates: Certificates): void {
  const gauge: Gauge<"certificate"> = new Gauge({
    name: "keyvault_injector_certificate_not_after_seconds",
    help: "End of validity, in seconds since the epoch, of the served certificate (leaf) and of its CA (authority).",
    labelNames: ["certificate"],
    registers: [registry],
    collect: () => {
      const { leaf, authority } = certificates.expiry();
      if (leaf !== undefined) gauge.set({ certificate: "leaf" }, leaf / 1_000);
      if (authority !== undefined) gauge.set({ certificate: "authority" }, authority / 1_000);
    },
  });
}
