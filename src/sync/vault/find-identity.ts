import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { type AccountIdentity, type AccountMode, accountIdentity, audienceOf, BINDING_AUDIENCE } from "../../domain/federation.ts";
import { type MirrorConsent, mirrorConsentOf } from "../../domain/grants/mirror-consent.ts";
import { accountRefusal, grantsOf, type NamespaceGrants, NO_GRANTS } from "../../domain/grants/namespace-grants.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { BACKOFF, type Retry } from "../../domain/ports/retry.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../domain/ports/vault-identity.ts";
import { identityModeRefusal, managedIdentityRefusal, type OperatorLimits } from "../../domain/provider-class/operator-limits.ts";
import { describeProblem } from "../../domain/provider-class/problem.ts";
import { readServicePrincipal } from "../../domain/provider-class/service-principal.ts";
import type { SupportedIdentity } from "../../domain/provider-class/this-version.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { failed, ok, type Result } from "../../domain/result.ts";
import type { Sensitive } from "../../domain/sensitive.ts";
import { credentialsSecretName, serviceAccountName } from "../../domain/sync/identity-names.ts";
import { WeakCache } from "../../domain/weak-cache.ts";
import type { RecentSecrets } from "./recent-secrets.ts";

export interface IdentityOptions {
  readonly kube: KubeClient;
  readonly credentials: Pick<RecentSecrets, "read">;
  /** `--credentials-secret-names` */
  readonly credentialsSecretNames: readonly string[];
  readonly limits: OperatorLimits;
  /** Grants of the Namespaces. */
  readonly grants: Pick<Grants, "of">;
  /** Credentials Secrets and ServiceAccounts that the pods of a class use. */
  readonly consumers: {
    credentialsSecretsOf(classKey: string): readonly string[];
    accountsOf(classKey: string): readonly string[];
  };
}

export interface IdentityRefusal {
  readonly reason: SyncReason;
  readonly message: string;
  /** Default: no retry before the next poll. */
  readonly retry?: Retry;
}

export interface ClassIdentity {
  readonly provider: SecretProviderClass;
  readonly mode: SupportedIdentity;
  /** Maximum age in milliseconds of a read of the credentials. 0: the worker reads them now. */
  readonly credentialsMs: number;
}

type Found = Result<VaultIdentity, IdentityRefusal>;

/** Pods and Secrets can change without an event of the class. */

/** Finds the identity that reads the vault for a class: step 8 of the provider's checks. */
export async function findIdentity(options: IdentityOptions, asked: ClassIdentity, signal: AbortSignal): Promise<Found> {
  const { provider, mode } = asked;
  const forbidden = identityModeRefusal(options.limits, mode.kind);
  if (forbidden) return failed({ reason: forbidden.reason, message: describeProblem(forbidden) });
  switch (mode.kind) {
    case "servicePrincipal":
      return servicePrincipal(options, asked, signal);
    case "workloadIdentity":
    case "azureTokenProxy":
      return lentIdentity(options, provider, mode);
    case "managedIdentity":
      return managedIdentity(options, provider, mode);
  }
}

/**
 * Service principals by the Secret that they were read from. Many classes share one read of a Secret, and the cache of clients does not
 * hash the client secret again for the same identity object.
 */
const principals = new WeakCache<Secret, ReturnType<typeof readServicePrincipal>>();

async function servicePrincipal(options: IdentityOptions, { provider, credentialsMs }: ClassIdentity, signal: AbortSignal): Promise<Found> {
  const { namespace = "" } = provider.metadata;
  const consumerNames = options.consumers.credentialsSecretsOf(keyOf(provider));
  const name = credentialsSecretName({ provider, consumerNames, allowedNames: options.credentialsSecretNames });
  if (!name.ok) return failed({ reason: "CredentialsMissing", message: name.error, retry: BACKOFF });
  const found = await options.credentials.read({ namespace, name: name.value }, credentialsMs, signal);
  const principal =
    found.kind === "found"
      ? principals.getOrCreate(found.object, () => readServicePrincipal(found.object.data ?? {}))
      : readServicePrincipal(undefined);
  if (principal.ok) return principal;
  const { reason, message, field, hint } = principal.error;
  const where =
    found.kind === "found"
      ? `Secret ${name.value}, ${field}: ${hint}`
      : `Secret ${name.value} does not exist in the namespace ${namespace}: ${hint}, or name another one in the annotation ${CLASS_ANNOTATIONS.credentialsSecret} of the class`;
  // kubectl shows only the beginning of a message in a column: the remedy comes before the provider's wording of the same problem.
  return failed({ reason, message: `${where} (${message})`, retry: BACKOFF });
}

function managedIdentity({ limits, grants }: IdentityOptions, provider: SecretProviderClass, mode: VaultIdentity): Found {
  const { namespace = "" } = provider.metadata;
  const forbidden = managedIdentityRefusal(limits, { namespace, isGranted: grants.of(namespace).managedIdentity });
  return forbidden === undefined ? ok(mode) : failed({ reason: forbidden.reason, message: describeProblem(forbidden) });
}

function lentIdentity({ kube, consumers, grants }: IdentityOptions, provider: SecretProviderClass, mode: AccountMode): Found {
  const { namespace = "" } = provider.metadata;
  const name = serviceAccountName({ provider, consumerAccounts: consumers.accountsOf(keyOf(provider)) });
  if (!name.ok) return failed({ reason: "IdentityUnavailable", message: name.error, retry: BACKOFF });
  const account = { namespace, name: name.value };
  const ungranted = accountRefusal(grants.of(namespace), account);
  if (ungranted !== undefined) return failed({ reason: "IdentityUnavailable", message: ungranted });
  const asked = { account, audience: audienceOf(mode) };
  return ok(accountIdentity(mode, account, (signal) => requestFederatedToken(kube, asked, signal)));
}

/** Minimum that the API server accepts, and maximum that the policy of the install allows. The token is exchanged at once and not kept. */
const EXPIRATION_SECONDS = 600;

interface AskedToken {
  readonly account: AccountIdentity["account"];
  readonly audience: string;
}

/**
 * Requests a token of the account, which Entra or the cluster's token proxy exchanges. Rejects with a `VaultError` that names what is
 * missing, or with the signal's reason.
 */
export async function requestFederatedToken(
  kube: Pick<KubeClient, "requestToken">,
  { account, audience }: AskedToken,
  signal: AbortSignal,
): Promise<Sensitive> {
  try {
    return await kube.requestToken(account, { audience, expirationSeconds: EXPIRATION_SECONDS }, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const isAbsent = error.code === "NotFound";
    throw new VaultError("IdentityUnavailable", explain(error, { account, audience }), {
      retry: isAbsent || error.isByPolicy(POLICY) ? { kind: "backoff" } : error.retry,
      origin: isAbsent || error.isByPolicy(POLICY) ? "class" : "apiServer",
    });
  }
}

/** Policy for token requests. It reads the Namespace itself, so it also denies a grant that was withdrawn after the worker read it. */
const POLICY = "keyvault-injector-sync-tokens";

/** The refusal names the policy, but not which of its rules denied the request. */
const NO_BINDINGS = `the policy ${POLICY} denies the request: to allow the audience ${BINDING_AUDIENCE}, apply manifests/components/identity-bindings or set the chart's value identityBindings. If the install allows it already:`;

function explain(error: KubeError, { account, audience }: AskedToken): string {
  const { namespace, name } = account;
  if (error.isByPolicy(POLICY)) {
    const ungranted = accountRefusal(NO_GRANTS, account) ?? error.message;
    return audience === BINDING_AUDIENCE ? `${NO_BINDINGS} ${ungranted}` : ungranted;
  }
  if (error.code !== "NotFound") return `no token for the ServiceAccount ${name}: ${error.message}`;
  return `ServiceAccount ${name} does not exist in the namespace ${namespace}; create it, or name another one in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class`;
}

/** Current grants and consents of the Namespaces. */
export interface Grants {
  readonly hasSynced: boolean;
  of(namespace: string): NamespaceGrants;
  /** Undefined if the Namespace does not exist. */
  consentOf(namespace: string): MirrorConsent | undefined;
}

interface SeenNamespace {
  readonly grants: NamespaceGrants;
  readonly consent: MirrorConsent;
}

const NOTHING: SeenNamespace = { grants: NO_GRANTS, consent: { from: [], isTerminating: false } };

/** Watches the Namespaces. Calls `onChange` with each Namespace whose grants, or consents to copies, have changed. */
export function startGrants(watcher: KubeWatcher, onChange: (namespace: string) => void, signal: AbortSignal): Grants {
  const reflector: Reflector<SeenNamespace> = watcher.reflect<SeenNamespace>(
    {
      resource: RESOURCES.namespaces,
      project: (object) => ({ grants: grantsOf(object), consent: mirrorConsentOf(object) }),
      onChange: ({ name }, { previous, current }) => {
        if (JSON.stringify(previous ?? NOTHING) !== JSON.stringify(current ?? NOTHING)) onChange(name);
      },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    of: (namespace) => reflector.get({ name: namespace })?.grants ?? NO_GRANTS,
    consentOf: (namespace) => reflector.get({ name: namespace })?.consent,
  };
}
