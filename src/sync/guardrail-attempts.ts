import { CLASS_ANNOTATIONS, PREFIX } from "../domain/annotations.ts";
import { FEDERATION_AUDIENCE } from "../domain/federation.ts";
import { OWNER_RESOURCES } from "../domain/gateways/owner-kinds.ts";
import { TLS_KEYS } from "../domain/gateways/tls-entry.ts";
import { componentsOf, OWN_DEPLOYMENT } from "../domain/healing/components.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Resource } from "../domain/kubernetes.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { WORKLOADS } from "../domain/rollout/workload-kinds.ts";
import { FIELD_MANAGER } from "./field-manager.ts";
import { HMAC_KEY_SECRET } from "./hmac-key.ts";

export interface ProbeOptions {
  /** Its requests carry the user agent of the probes. */
  readonly kube: KubeClient;
  /** Of the install. */
  readonly namespace: string;
  /** Whether the worker may PUT. */
  readonly isBlind: boolean;
}

/** Something that a policy forbids the worker; resolves where nothing stopped it, with `NOT_TRIED` where there was nothing to try it on. */
export type GuardrailAttempt = (options: ProbeOptions, signal: AbortSignal) => Promise<unknown>;

const NAME = "keyvault-injector-guardrail-probe";
const AUTHORITY_SECRET = "keyvault-injector-ca";
const SERVICE = "keyvault-injector-webhook";
const DEFINITION = "secretproviderclasssyncs.keyvault-injector.dev";
const DRY = { fieldManager: FIELD_MANAGER, dryRun: true };

/** No sign of a missing policy. */
export const NOT_TRIED = Symbol("not tried");

const secret = (namespace: string, name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { namespace, name }, type: "Opaque" });

const createForeign: GuardrailAttempt = ({ kube, namespace }, signal) =>
  kube.create(RESOURCES.secrets, secret(namespace, NAME), DRY, signal);

/** The answer to a PUT holds what was sent, and nothing of what is there. */
const replaceForeign: GuardrailAttempt = async ({ kube, namespace, isBlind }, signal) => {
  if (!isBlind) return NOT_TRIED;
  return kube.replace(RESOURCES.secrets, secret(namespace, AUTHORITY_SECRET), DRY, signal);
};

const deleteUnmarked: GuardrailAttempt = async ({ kube, namespace }, signal) =>
  (await kube.delete(RESOURCES.secrets, { namespace, name: HMAC_KEY_SECRET }, { dryRun: true }, signal)) ? undefined : NOT_TRIED;

const createRevision: GuardrailAttempt = ({ kube, namespace }, signal) =>
  kube.create(
    RESOURCES.controllerRevisions,
    { apiVersion: "apps/v1", kind: "ControllerRevision", metadata: { namespace, name: NAME }, revision: 1, data: {} },
    DRY,
    signal,
  );

/** Of the worker's own account, which no grant covers, and whose token the worker has anyway: one got by mistake adds nothing. */
const requestToken =
  (audience: string): GuardrailAttempt =>
  ({ kube, namespace }, signal) =>
    kube.requestToken({ namespace, name: OWN_DEPLOYMENT }, { audience, expirationSeconds: 600 }, signal);

/** What the worker may heal, it never holds: a finalizer is no part of a repair. */
const hold =
  (resource: Resource, refIn: (namespace: string) => ObjectRef): GuardrailAttempt =>
  ({ kube, namespace }, signal) =>
    kube.mergePatch(resource, refIn(namespace), { metadata: { finalizers: [`${PREFIX}/${NAME}`] } }, DRY, signal);

/**
 * An annotation for the pods of each component that has some: the same policy guards it as guards the image, and hardly anybody else's
 * does. The API server names one of all who refuse.
 */
function annotatePods(): readonly GuardrailAttempt[] {
  const workloads = componentsOf("").filter(({ resource }) => resource === WORKLOADS.Deployment || resource === WORKLOADS.DaemonSet);
  const patch = { spec: { template: { metadata: { annotations: { [NAME]: "" } } } } };
  return workloads.map(
    ({ resource, ref, isNodeSide }): GuardrailAttempt =>
      ({ kube, namespace }, signal) =>
        kube.mergePatch(resource, isNodeSide ? ref : { ...ref, namespace }, patch, DRY, signal),
  );
}

/** Of a kind of which nothing is the install's own: one that is there. Without the right to it nothing has to be tried. */
function annotateFirst(resource: Resource): GuardrailAttempt {
  return async ({ kube }, signal) => {
    const [first] = await kube.list<KubeObject>(resource, { metadataOnly: true }, signal);
    if (first === undefined) return NOT_TRIED;
    const { namespace = "", name } = first.metadata;
    return kube.mergePatch(resource, { namespace, name }, { metadata: { annotations: { [`${PREFIX}/${NAME}`]: "" } } }, DRY, signal);
  };
}

const createClass =
  (metadata: Readonly<Record<string, unknown>> & { readonly name: string }): GuardrailAttempt =>
  ({ kube, namespace }, signal) =>
    kube.create(
      RESOURCES.secretProviderClasses,
      {
        apiVersion: "secrets-store.csi.x-k8s.io/v1",
        kind: "SecretProviderClass",
        metadata: { ...metadata, namespace },
        spec: { provider: "azure", parameters: {} },
      },
      DRY,
      signal,
    );

/** Under this name the policy asks the worker, which may have any account's token, for a right that nobody has. */
const askForCertificate: GuardrailAttempt = ({ kube, namespace }, signal) =>
  kube.apply(
    OWNER_RESOURCES.Ingress,
    {
      apiVersion: "networking.k8s.io/v1",
      kind: OWNER_RESOURCES.Ingress.kind,
      metadata: { namespace, name: NAME, annotations: { [TLS_KEYS.account]: NAME } },
      spec: { ingressClassName: NAME, defaultBackend: { service: { name: SERVICE, port: { number: 443 } } } },
    },
    { ...DRY, force: true },
    signal,
  );

/** By policy: the least that each forbids, and that works by dry run and by name alone. */
export const ATTEMPTS = {
  // The policy judges the worker under this one name as everybody else: it may not read the Secret that the class would lend.
  "keyvault-injector-class-identities": [createClass({ name: NAME, annotations: { [CLASS_ANNOTATIONS.credentialsSecret]: NAME } })],
  // The worker has the right to this one Ingress where it gives certificates to Gateways or Ingresses, which brings the policy.
  "keyvault-injector-gateway-identities": [askForCertificate],
  "keyvault-injector-sync-classes": [createClass({ name: `${NAME}-of-classes`, finalizers: [`${PREFIX}/${NAME}`] })],
  "keyvault-injector-sync-components": [hold(RESOURCES.services, (namespace) => ({ namespace, name: SERVICE }))],
  "keyvault-injector-sync-definitions": [hold(RESOURCES.customResourceDefinitions, () => ({ name: DEFINITION }))],
  "keyvault-injector-sync-gateways": [annotateFirst(OWNER_RESOURCES.Gateway), annotateFirst(OWNER_RESOURCES.Ingress)],
  // Where the PodTemplate of one is gone, the policy lets it be.
  "keyvault-injector-sync-pods": annotatePods(),
  "keyvault-injector-sync-secrets": [createForeign, deleteUnmarked, replaceForeign],
  "keyvault-injector-sync-snapshots": [createRevision],
  // Nobody accepts a token for the first audience. The second one is for Entra: without it, a policy that knows no grants would do.
  "keyvault-injector-sync-tokens": [requestToken(NAME), requestToken(FEDERATION_AUDIENCE)],
  "keyvault-injector-sync-webhooks": [hold(RESOURCES.mutatingWebhookConfigurations, () => ({ name: "keyvault-injector" }))],
  "keyvault-injector-sync-workloads": [hold(WORKLOADS.Deployment, (namespace) => ({ namespace, name: OWN_DEPLOYMENT }))],
} as const satisfies Readonly<Record<string, readonly GuardrailAttempt[]>>;

/** Refuses all of the webhook's objects where policies inject instead. */
const NO_WEBHOOK = "keyvault-injector-sync-no-webhook";

/** What may refuse first what another one guards: where component healing is left out, whole or on the node side, and where there is no webhook. */
export const ALSO_STOPPED_BY: Readonly<Record<string, readonly string[]>> = {
  "keyvault-injector-sync-components": [NO_WEBHOOK],
  "keyvault-injector-sync-pods": ["keyvault-injector-sync-workloads", NO_WEBHOOK],
  "keyvault-injector-sync-webhooks": [NO_WEBHOOK],
};
