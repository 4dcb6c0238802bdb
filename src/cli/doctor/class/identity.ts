import { CLASS_ANNOTATIONS } from "../../../domain/annotations.ts";
import { FEDERATION_AUDIENCE } from "../../../domain/federation.ts";
import { accountRefusal, grantCommand } from "../../../domain/grants/namespace-grants.ts";
import { readPod } from "../../../domain/injection/pod.ts";
import { CSI_DRIVER } from "../../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { KubeError } from "../../../domain/ports/kube-error.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import { readServicePrincipal } from "../../../domain/provider-class/service-principal.ts";
import type { SupportedIdentity } from "../../../domain/provider-class/this-version.ts";
import type { Sensitive } from "../../../domain/sensitive.ts";
import { credentialsSecretName, serviceAccountName } from "../../../domain/sync/identity-names.ts";
import { type ClassContext, insideTheWorker, keyOf } from "../../shared/class-context.ts";
import { PADDED, paddedKeys } from "../../shared/credentials.ts";
import { lookAtGrants } from "../../shared/grants.ts";
import { listed } from "../../shared/viewer.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";

/** What the pods that mount a class use. */
export interface Consumers {
  readonly credentials: readonly string[];
  readonly accounts: readonly string[];
}

export interface Identity {
  readonly findings: readonly ClassFinding[];
  /** Undefined: it cannot be had here. */
  readonly identity: VaultIdentity | undefined;
}

const nobody = (finding: ClassFinding): Identity => ({ findings: [finding], identity: undefined });

/** The identity of the class's own, by what the user may read: the worker's rules, the user's rights. */
export async function findIdentity(context: ClassContext, provider: SecretProviderClass, mode: SupportedIdentity): Promise<Identity> {
  switch (mode.kind) {
    case "servicePrincipal":
      return servicePrincipal(context, provider);
    case "workloadIdentity":
      return workloadIdentity(context, provider, mode.clientId);
    case "managedIdentity":
      return managedIdentity(context, provider, mode);
  }
}

async function servicePrincipal(context: ClassContext, provider: SecretProviderClass): Promise<Identity> {
  const { namespace = "" } = provider.metadata;
  const { credentials } = await consumersOf(context, provider);
  const { credentialsSecretNames: allowedNames } = context.settings;
  const name = credentialsSecretName({ provider, consumerNames: credentials, allowedNames });
  if (!name.ok) {
    const fix = `Name one of ${allowedNames.join(", ")} in the annotation ${CLASS_ANNOTATIONS.credentialsSecret} of the class, or add the name to --credentials-secret-names.`;
    return nobody(found("credentials-not-allowed", name.error, fix));
  }
  const secret = `Secret ${namespace}/${name.value}`;
  const look = await context.viewer.object<Secret>(RESOURCES.secrets, { namespace, name: name.value });
  if (look.kind === "unseen") {
    const fix = `Ask for the right to get ${secret}, or look with the worker's rights: ${insideTheWorker(context.namespace, keyOf(provider))}.`;
    return nobody(found("credentials-unreadable", `${look.why}: the vault is not asked`, fix));
  }
  if (look.kind !== "seen") {
    const fix = `Create ${secret} with the keys clientid and clientsecret.`;
    return nobody(found("credentials-absent", `there is no ${secret}`, fix));
  }
  const principal = readServicePrincipal(look.value.data ?? {});
  if (!principal.ok) {
    const { field, hint } = principal.error;
    const fix = `Set ${field} in ${secret}: ${hint}.`;
    return nobody(found("credentials-incomplete", `${secret} has no ${field.replace("data.", "")}, or an empty one`, fix));
  }
  const padded = paddedKeys(look.value.data ?? {});
  if (padded.length > 0) {
    const fix = `Write ${padded.join(" and ")} of ${secret} again without it, by kubectl create secret generic --from-literal.`;
    return nobody(found("credentials-padded", `${padded.join(" and ")} of ${secret} ${PADDED}`, fix));
  }
  const message = `service principal ${principal.value.clientId} of ${secret}, read with your own rights`;
  return { findings: [fineLeaf("identity-ok", message)], identity: principal.value };
}

async function workloadIdentity(context: ClassContext, provider: SecretProviderClass, clientId: string): Promise<Identity> {
  const { namespace = "" } = provider.metadata;
  const { accounts } = await consumersOf(context, provider);
  const name = serviceAccountName({ provider, consumerAccounts: accounts });
  if (!name.ok) {
    const fix = `Name one ServiceAccount of ${namespace} in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class.`;
    return nobody(found("account-unknown", name.error, fix));
  }
  const account = { namespace, name: name.value };
  const grants = await lookAtGrants(context.viewer, namespace);
  const ungranted = grants.kind === "seen" ? accountRefusal(grants.value, account) : undefined;
  if (ungranted !== undefined) return nobody(found("account-not-granted", ungranted, `Run ${grantCommand(namespace)}.`));
  const token = await requestToken(context, account, provider);
  if ("leaf" in token) return nobody(token);
  const message = `application ${clientId}, by a token of ServiceAccount ${namespace}/${name.value} that you may ask for`;
  const identity: VaultIdentity = { kind: "workloadIdentity", clientId, account, requestToken: async () => token };
  return { findings: [fineLeaf("identity-ok", message)], identity };
}

/** The least that the API server takes. */
const EXPIRATION_SECONDS = 600;

type Account = { readonly namespace: string; readonly name: string };

async function requestToken(context: ClassContext, account: Account, provider: SecretProviderClass): Promise<Sensitive | ClassFinding> {
  const named = `ServiceAccount ${account.namespace}/${account.name}`;
  try {
    const request = { audience: FEDERATION_AUDIENCE, expirationSeconds: EXPIRATION_SECONDS };
    return await context.kube.requestToken(account, request, context.signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "NotFound") {
      const fix = `Create ${named}, or name another one in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class.`;
      return found("account-absent", `there is no ${named}`, fix);
    }
    const fix = `Ask for the right to create serviceaccounts/token of ${named}, or look with the worker's rights: ${insideTheWorker(context.namespace, keyOf(provider))}.`;
    return found("token-request-forbidden", `no token of ${named} for you (${error.code}): the vault is not asked`, fix);
  }
}

function managedIdentity(
  { azure, namespace }: ClassContext,
  provider: SecretProviderClass,
  mode: Extract<VaultIdentity, { kind: "managedIdentity" }>,
): Identity {
  const who = mode.clientId === undefined ? "the system-assigned identity of the worker's node" : `the node's identity ${mode.clientId}`;
  if (azure?.isInCluster !== true) {
    const fix = `Look from the worker's own pod: ${insideTheWorker(namespace, keyOf(provider))}.`;
    return nobody(found("managed-identity-elsewhere", `${who} is not to be had on this machine: the vault is not asked`, fix));
  }
  return { findings: [fineLeaf("identity-ok", who)], identity: mode };
}

/** Pods that the user may not list are not known, as for a class that none mounts: the class's own word, or the default, then counts. */
export async function consumersOf({ viewer }: Pick<ClassContext, "viewer">, { metadata }: SecretProviderClass): Promise<Consumers> {
  const { namespace = "", name } = metadata;
  const pods = listed(await viewer.all<KubeObject & PodSpec>(RESOURCES.pods, { namespace }));
  const mounting = pods.flatMap((object) => {
    const pod = readPod(object);
    const volumes = pod.ok ? pod.value.volumes.filter(({ csi }) => csi?.driver === CSI_DRIVER && csi.secretProviderClass === name) : [];
    return volumes.length === 0 ? [] : [{ account: object.spec?.serviceAccountName ?? "default", volumes }];
  });
  const credentials = mounting.flatMap(({ volumes }) => volumes.flatMap(({ csi }) => csi?.credentialsSecret ?? []));
  return { credentials: unique(credentials), accounts: unique(mounting.map(({ account }) => account)) };
}

interface PodSpec {
  readonly spec?: { readonly serviceAccountName?: string };
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
