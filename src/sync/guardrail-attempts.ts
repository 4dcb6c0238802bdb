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
  /** Client whose requests have the user agent of the probes. */
  readonly kube: KubeClient;
  /** Namespace of the install. */
  readonly namespace: string;
  /** Whether the worker is blind, and so has permission to PUT. */
  readonly isBlind: boolean;
}

/**
 * An attempt at something that a policy forbids the worker. Resolves if nothing rejected it, with `NOT_TRIED` if there was no object for
 * it.
 */
export type GuardrailAttempt = (options: ProbeOptions, signal: AbortSignal) => Promise<unknown>;

const NAME = "keyvault-injector-guardrail-probe";
const AUTHORITY_SECRET = "keyvault-injector-ca";
const SERVICE = "keyvault-injector-webhook";
const DEFINITION = "secretproviderclasssyncs.keyvault-injector.dev";
const DRY = { fieldManager: FIELD_MANAGER, dryRun: true };

/** Result of an attempt that was not made. It does not show that a policy is missing. */
export const NOT_TRIED = Symbol("not tried");

const secret = (namespace: string, name: string) => ({ apiVersion: "v1", kind: "Secret", metadata: { namespace, name }, type: "Opaque" });

const createForeign: GuardrailAttempt = ({ kube, namespace }, signal) =>
  kube.create(RESOURCES.secrets, secret(namespace, NAME), DRY, signal);

/** Tries a PUT, whose answer contains what was sent and nothing of the existing Secret. */
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

/**
 * Requests a token of the worker's own account, which no grant covers. The worker has a token of this account anyway, so that one received
 * by mistake adds nothing.
 */
const requestToken =
  (audience: string): GuardrailAttempt =>
  ({ kube, namespace }, signal) =>
    kube.requestToken({ namespace, name: OWN_DEPLOYMENT }, { audience, expirationSeconds: 600 }, signal);

/** Tries to add a finalizer to an object that the worker can heal. No repair adds a finalizer, so the policy forbids it. */
const hold =
  (resource: Resource, refIn: (namespace: string) => ObjectRef): GuardrailAttempt =>
  ({ kube, namespace }, signal) =>
    kube.mergePatch(resource, refIn(namespace), { metadata: { finalizers: [`${PREFIX}/${NAME}`] } }, DRY, signal);

/**
 * Returns attempts to add an annotation to the pods of each component that has pods. The policy that guards the image also guards this
 * annotation, and hardly any other policy does. If several policies reject a request, the API server names only one of them.
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

/**
 * Returns an attempt on the first existing object of a kind, for kinds of which the install has no object of its own. If the worker has no
 * permission to list the kind, there is nothing to try.
 */
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

/**
 * Tries to request a certificate. For an Ingress of this name, the policy requires a permission that the worker does not have, because the
 * worker can get the token of any account.
 */
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

/** Attempts by policy: the smallest actions that each policy forbids, and that work as a dry run and by name alone. */
export const ATTEMPTS = {
  // For this one name, the policy treats the worker like everyone else: the worker has no permission to read the Secret whose use the class
  // requests.
  "keyvault-injector-class-identities": [createClass({ name: NAME, annotations: { [CLASS_ANNOTATIONS.credentialsSecret]: NAME } })],
  // The worker has permission for this one Ingress only if it provides certificates for Gateways or Ingresses. The policy is part of the
  // same component.
  "keyvault-injector-gateway-identities": [askForCertificate],
  "keyvault-injector-sync-classes": [createClass({ name: `${NAME}-of-classes`, finalizers: [`${PREFIX}/${NAME}`] })],
  "keyvault-injector-sync-components": [hold(RESOURCES.services, (namespace) => ({ namespace, name: SERVICE }))],
  "keyvault-injector-sync-definitions": [hold(RESOURCES.customResourceDefinitions, () => ({ name: DEFINITION }))],
  "keyvault-injector-sync-gateways": [annotateFirst(OWNER_RESOURCES.Gateway), annotateFirst(OWNER_RESOURCES.Ingress)],
  // If the PodTemplate of a component is missing, the policy rejects nothing.
  "keyvault-injector-sync-pods": annotatePods(),
  "keyvault-injector-sync-secrets": [createForeign, deleteUnmarked, replaceForeign],
  "keyvault-injector-sync-snapshots": [createRevision],
  // No service accepts a token for the first audience. The second audience is for Entra: without it, a policy that does not check grants
  // would pass.
  "keyvault-injector-sync-tokens": [requestToken(NAME), requestToken(FEDERATION_AUDIENCE)],
  "keyvault-injector-sync-webhooks": [hold(RESOURCES.mutatingWebhookConfigurations, () => ({ name: "keyvault-injector" }))],
  "keyvault-injector-sync-workloads": [hold(WORKLOADS.Deployment, (namespace) => ({ namespace, name: OWN_DEPLOYMENT }))],
} as const satisfies Readonly<Record<string, readonly GuardrailAttempt[]>>;

/** Policy that rejects writes to all objects of the webhook, for installs where policies inject instead. */
const NO_WEBHOOK = "keyvault-injector-sync-no-webhook";

/**
 * Other policies that may reject the attempts first, by the policy under test: if component healing is left out, in whole or for the node
 * side, or if there is no webhook.
 */
export const ALSO_STOPPED_BY: Readonly<Record<string, readonly string[]>> = {
  "keyvault-injector-sync-components": [NO_WEBHOOK],
  "keyvault-injector-sync-pods": ["keyvault-injector-sync-workloads", NO_WEBHOOK],
  "keyvault-injector-sync-webhooks": [NO_WEBHOOK],
};
