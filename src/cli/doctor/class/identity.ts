import { CLASS_ANNOTATIONS } from "../../../domain/annotations.ts";
import { type AccountMode, accountIdentity, audienceOf } from "../../../domain/federation.ts";
import { accountRefusal, grantCommand } from "../../../domain/grants/namespace-grants.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import { KubeError } from "../../../domain/ports/kube-error.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import { unseenCloudFile } from "../../../domain/provider-class/cloud-file.ts";
import type { ClassObject } from "../../../domain/provider-class/object-rules.ts";
import { NO_OBJECTS } from "../../../domain/provider-class/objects.ts";
import { identityModeRefusal, managedIdentityRefusal } from "../../../domain/provider-class/operator-limits.ts";
import type { ClassProblem } from "../../../domain/provider-class/problem.ts";
import { readServicePrincipal } from "../../../domain/provider-class/service-principal.ts";
import type { SupportedIdentity } from "../../../domain/provider-class/this-version.ts";
import type { ParseOptions } from "../../../domain/read-class.ts";
import { type OrderedRead, readInOrder } from "../../../domain/read-in-order.ts";
import { failed, ok, type Result } from "../../../domain/result.ts";
import { secretObjectEntries } from "../../../domain/secret-data/data-entries.ts";
import type { Sensitive } from "../../../domain/sensitive.ts";
import { credentialsSecretName, serviceAccountName } from "../../../domain/sync/identity-names.ts";
import { type ClassContext, insideTheWorker, namesOfConsumers, paddedKeys, paddedText, readGrants } from "../../shared/class-context.ts";
import { whyNot } from "../../shared/viewer.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";

/**
 * Dependencies of the steps that need no vault: the class's text, the operator's limits, and the identity. The steps follow the worker's
 * rules, and use the user's permissions. `doctor plan` ends after them; `doctor class` continues.
 */
export type WayContext = Pick<ClassContext, "viewer" | "install"> & Partial<Pick<ClassContext, "azure">>;

/**
 * Reads a class in the worker's order, with the limits of the operator and the grants. `findIdentity` runs if the operator
 * and the Namespace allow the kind of identity.
 */
export function readOwnClass<Identity, Refusal>(
  context: WayContext,
  spc: SecretProviderClass,
  findIdentity: (mode: SupportedIdentity) => Promise<Result<Identity, Refusal>>,
): Promise<OrderedRead<Identity, Refusal | ClassProblem>> {
  const { namespace = "" } = spc.metadata;
  return readInOrder<Identity, Refusal | ClassProblem>(spc.spec, parseOptionsOf(context, spc), {
    namespace,
    limits: context.install.settings.limits,
    findIdentity: async (mode) => {
      const problem = await identityLimit(context, namespace, mode);
      return problem === undefined ? findIdentity(mode) : failed(problem);
    },
  });
}

export function parseOptionsOf({ install, azure }: WayContext, spc: SecretProviderClass): ParseOptions {
  const { cloudName, identityBindings } = install.settings.limits;
  return { owner: keyOf(spc), cloudName, identityBindings, readCloudFile: azure?.readCloudFile ?? unseenCloudFile };
}

/** Returns a problem if the class has no objects, and no selector that chooses the objects of its Secrets. */
export function lackOfObjects({ spec }: SecretProviderClass, objects: readonly ClassObject[]): ClassProblem | undefined {
  const isSelecting = secretObjectEntries(spec).some(({ isSelected }) => isSelected === true);
  return objects.length === 0 && !isSelecting ? NO_OBJECTS : undefined;
}

/** Returns undefined also if the user may not read the grants. */
async function identityLimit(
  { install, viewer }: WayContext,
  namespace: string,
  { kind }: SupportedIdentity,
): Promise<ClassProblem | undefined> {
  const { limits } = install.settings;
  const forbidden = identityModeRefusal(limits, kind);
  if (forbidden !== undefined || kind !== "managedIdentity") return forbidden;
  const grants = await readGrants(viewer, namespace);
  if (grants.kind === "unseen") return undefined;
  return managedIdentityRefusal(limits, { namespace, isGranted: grants.kind === "seen" && grants.value.managedIdentity });
}

const UNFILLED = "is still a placeholder";

interface Principal {
  /** Secret for messages, such as `Secret shop/credentials`. */
  readonly secret: string;
  readonly identity: Extract<VaultIdentity, { kind: "servicePrincipal" }>;
  /** Keys whose values begin or end with white space. */
  readonly padded: readonly string[];
}

export async function principalOf({ viewer, install }: WayContext, spc: SecretProviderClass): Promise<Result<Principal, ClassFinding>> {
  const { namespace = "" } = spc.metadata;
  const { credentialsSecretNames: allowedNames } = install.settings;
  const name = credentialsSecretName({ provider: spc, allowedNames, ...(await namesOfConsumers(viewer, spc)) });
  if (!name.ok) {
    const fix = `Name one of ${allowedNames.join(", ")} in the annotation ${CLASS_ANNOTATIONS.credentialsSecret} of the class, or add the name to --credentials-secret-names.`;
    return failed(found("credentials-not-allowed", name.error, fix));
  }
  const secret = `Secret ${namespace}/${name.value}`;
  const reading = await viewer.object<Secret>(RESOURCES.secrets, { namespace, name: name.value });
  if (reading.kind === "unseen") {
    const fix = `Ask for permission to get ${secret}, or check with the worker's permissions: ${insideTheWorker(install.namespace, keyOf(spc))}.`;
    return failed(found("credentials-unreadable", reading.why, fix));
  }
  if (reading.kind !== "seen")
    return failed(found("credentials-absent", `${secret} does not exist`, `Create ${secret} with the keys clientid and clientsecret.`));
  const principal = readServicePrincipal(reading.value.data ?? {});
  if (principal.ok) return ok({ secret, identity: principal.value, padded: paddedKeys(reading.value.data ?? {}) });
  const { field, hint, isPlaceholder = false } = principal.error;
  const key = field.replace("data.", "");
  const what = isPlaceholder ? `${secret}: ${key} ${UNFILLED}` : `${secret} has no ${key}`;
  return failed(found("credentials-incomplete", what, `Set ${field} in ${secret}: ${hint}.`));
}

type Account = Required<ObjectRef>;

export async function accountOf(context: WayContext, spc: SecretProviderClass): Promise<Result<Account, ClassFinding>> {
  const seen = await readAccount(context, spc);
  if (!seen.ok) return seen;
  const { account, absence, ungranted } = seen.value;
  // A grant does not help if the ServiceAccount does not exist.
  const problem = absence ?? ungranted;
  return problem === undefined ? ok(account) : failed(problem);
}

interface SeenAccount {
  readonly account: Account;
  /** The worker notices this only when it requests a token, after all other checks. */
  readonly absence: ClassFinding | undefined;
  readonly ungranted: ClassFinding | undefined;
  /** Missing permission without which it is not known whether the account exists. */
  readonly unseen: string | undefined;
}

export async function readAccount({ viewer }: WayContext, spc: SecretProviderClass): Promise<Result<SeenAccount, ClassFinding>> {
  const { namespace = "" } = spc.metadata;
  const name = serviceAccountName({ provider: spc, ...(await namesOfConsumers(viewer, spc)) });
  if (!name.ok) {
    const fix = `Name one ServiceAccount of ${namespace} in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class.`;
    return failed(found("account-unknown", name.error, fix));
  }
  const account = { namespace, name: name.value };
  const reading = await viewer.object<KubeObject>(RESOURCES.serviceAccounts, account);
  const grants = await readGrants(viewer, namespace);
  const refusal = grants.kind === "seen" ? accountRefusal(grants.value, account) : undefined;
  return ok({
    account,
    absence: reading.kind === "absent" ? absentAccount(account) : undefined,
    ungranted:
      refusal === undefined
        ? undefined
        : found("account-not-granted", refusal, `Run ${grantCommand({ namespace, accounts: [name.value] })}.`),
    unseen: reading.kind === "unseen" ? reading.why : undefined,
  });
}

function absentAccount({ namespace, name }: Account): ClassFinding {
  const named = `ServiceAccount ${namespace}/${name}`;
  const fix = `Create ${named}, or name another one in the annotation ${CLASS_ANNOTATIONS.serviceAccount} of the class.`;
  return found("account-absent", `${named} does not exist`, fix);
}

export interface Identity {
  readonly findings: readonly ClassFinding[];
  /** Undefined if this process cannot obtain it. */
  readonly identity: VaultIdentity | undefined;
}

const nobody = (finding: ClassFinding): Identity => ({ findings: [finding], identity: undefined });

export async function lookUpIdentity(context: ClassContext, spc: SecretProviderClass, mode: SupportedIdentity): Promise<Identity> {
  switch (mode.kind) {
    case "servicePrincipal":
      return servicePrincipal(context, spc);
    case "workloadIdentity":
      return lentIdentity(context, spc, mode);
    case "azureTokenProxy":
      return context.azure?.isInCluster === true ? lentIdentity(context, spc, mode) : bindingElsewhere(context, spc, mode.clientId);
    case "managedIdentity":
      return managedIdentity(context, spc, mode);
  }
}

/** Texts that `doctor class` appends to the messages of these leaves. */
const SAID_BESIDES: Readonly<Partial<Record<ClassFinding["leaf"], string>>> = {
  "credentials-unreadable": ": the vault was not queried",
  "credentials-incomplete": ", or an empty one",
};

async function servicePrincipal(context: ClassContext, spc: SecretProviderClass): Promise<Identity> {
  const principal = await principalOf(context, spc);
  if (!principal.ok) {
    const { message, leaf } = principal.error;
    return nobody({ ...principal.error, message: `${message}${message.endsWith(UNFILLED) ? "" : (SAID_BESIDES[leaf] ?? "")}` });
  }
  const { secret, identity, padded } = principal.value;
  if (padded.length > 0) {
    const fix = `Write ${padded.join(" and ")} of ${secret} again without it, with kubectl create secret generic --from-literal.`;
    return nobody(found("credentials-padded", paddedText(padded, secret), fix));
  }
  return {
    findings: [fineLeaf("identity-ok", `service principal ${identity.clientId} of ${secret}, read with your own permissions`)],
    identity,
  };
}

async function lentIdentity(context: ClassContext, spc: SecretProviderClass, mode: AccountMode): Promise<Identity> {
  const account = await accountOf(context, spc);
  if (!account.ok) return nobody(account.error);
  const token = await requestToken(context, spc, { account: account.value, audience: audienceOf(mode) });
  if (!token.ok) return nobody(token.error);
  const { namespace, name } = account.value;
  const way = mode.kind === "azureTokenProxy" ? ", and with an identity binding" : "";
  const message = `application ${mode.clientId}, with a token of ServiceAccount ${namespace}/${name} that you can request${way}`;
  const identity = accountIdentity(mode, account.value, async () => token.value);
  return { findings: [fineLeaf("identity-ok", message)], identity };
}

/** Checks the ServiceAccount, and reports that only pods can use an identity binding. */
async function bindingElsewhere(context: ClassContext, spc: SecretProviderClass, clientId: string): Promise<Identity> {
  const account = await accountOf(context, spc);
  if (!account.ok) return nobody(account.error);
  const message = `application ${clientId}, with an identity binding: only pods can reach its token proxy, so the vault was not queried`;
  const fix = `Check from the worker's own pod: ${insideTheWorker(context.install.namespace, keyOf(spc))}.`;
  return nobody(found("identity-binding-elsewhere", message, fix));
}

/** Shortest token lifetime that the API server accepts, in seconds. */
const EXPIRATION_SECONDS = 600;

async function requestToken(
  context: ClassContext,
  spc: SecretProviderClass,
  { account, audience }: { readonly account: Account; readonly audience: string },
): Promise<Result<Sensitive, ClassFinding>> {
  const named = `ServiceAccount ${account.namespace}/${account.name}`;
  try {
    const request = { audience, expirationSeconds: EXPIRATION_SECONDS };
    return ok(await context.kube.requestToken(account, request, context.signal));
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "NotFound") return failed(absentAccount(account));
    const [first, message] = error.lacksPermission
      ? [
          `Ask for permission to create serviceaccounts/token of ${named}`,
          `you lack permission to get a token of ${named}, so the vault was not queried`,
        ]
      : [
          "Correct the cause that the message names",
          `the vault was not queried, because doctor ${whyNot(`get a token of ${named}`, error)}`,
        ];
    const fix = `${first}, or check with the worker's permissions: ${insideTheWorker(context.install.namespace, keyOf(spc))}.`;
    return failed(found("token-request-forbidden", message, fix));
  }
}

function managedIdentity(
  { azure, install: { namespace } }: ClassContext,
  spc: SecretProviderClass,
  mode: Extract<VaultIdentity, { kind: "managedIdentity" }>,
): Identity {
  const who = mode.clientId === undefined ? "the system-assigned identity of the worker's node" : `the node's identity ${mode.clientId}`;
  if (azure?.isInCluster !== true) {
    const fix = `Check from the worker's own pod: ${insideTheWorker(namespace, keyOf(spc))}.`;
    return nobody(found("managed-identity-elsewhere", `${who} is not available on this machine, so the vault was not queried`, fix));
  }
  return { findings: [fineLeaf("identity-ok", who)], identity: mode };
}
