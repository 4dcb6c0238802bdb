/** Converts a store of External Secrets Operator with provider `azurekv` to the vault of a class and the identity that reads it. */
import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { membersOf, nonEmptyText, objectAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { CLOUDS } from "../provider-class/clouds.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import type { Texts, VaultAccess } from "./class-draft.ts";
import type { AccessOptions } from "./options.ts";
import { isSameNamespace, type PeerObject } from "./peer-object.ts";

/** Access of a store. The author of the ExternalSecret reads the warnings, which name the fields of the store. */
export interface StoreAccess {
  readonly access: VaultAccess;
  readonly warnings: readonly string[];
}

export interface StoreQuestion {
  readonly store: PeerObject;
  /** Namespace of the ExternalSecret. Accounts and credentials must be in it. */
  readonly namespace: string | undefined;
  readonly accountOf: (name: string, namespace: string | undefined) => PeerObject | undefined;
  readonly options: AccessOptions;
}

type Identity = Result<{ readonly parameters: Texts; readonly annotations: Texts; readonly warnings: readonly string[] }, string>;

export function accessOfStore(question: StoreQuestion): Result<StoreAccess, string> {
  const { store, options } = question;
  const provider = membersOf(objectAt(store.object, ["spec", "provider"]));
  const azure = objectAt(provider, ["azurekv"]);
  if (azure === undefined) {
    const [other = "none"] = Object.keys(provider);
    return failed(`its provider is ${other}, but a class reads only Azure Key Vault`);
  }
  const vault = vaultOf(azure);
  if (!vault.ok) return vault;
  const identity = identityOf(azure, question);
  if (!identity.ok) return identity;
  const tenant = nonEmptyText(azure["tenantId"]) ?? accountText(question, azure, "tenant-id") ?? options.tenantId;
  if (tenant === undefined) return failed("spec.provider.azurekv.tenantId is missing, but a class needs it; write it, or use --tenant-id");
  const { parameters, annotations, warnings } = identity.value;
  return ok({ access: { parameters: { ...vault.value, tenantID: tenant, ...parameters }, annotations }, warnings });
}

const PUBLIC = "AzurePublicCloud";
const CLOUD_OF: ReadonlyMap<string, string> = new Map([
  ["PublicCloud", PUBLIC],
  ["USGovernmentCloud", "AzureUSGovernmentCloud"],
  ["ChinaCloud", "AzureChinaCloud"],
  ["GermanCloud", "AzureGermanCloud"],
]);

/** Returns `keyvaultName`, and `cloudName` outside the public cloud. */
function vaultOf(azure: JsonObject): Result<Texts, string> {
  const environment = nonEmptyText(azure["environmentType"]) ?? "PublicCloud";
  const cloud = CLOUDS.find(({ name }) => name === CLOUD_OF.get(environment));
  if (cloud === undefined || azure["customCloudConfig"] !== undefined)
    return failed("it describes a custom cloud; write the class manually, with cloudEnvFileName, as the how-to for custom clouds shows");
  const url = nonEmptyText(azure["vaultUrl"]) ?? "";
  const [, name, suffix] = /^https:\/\/([-A-Za-z0-9]{3,24})\.([-.a-z0-9]+?)(?::443)?\/*$/.exec(url) ?? [];
  if (name === undefined) {
    const fix = /\$\{|\{\{/.test(url)
      ? "convert the file that Flux, Helm, or envsubst renders"
      : `write https://<vault>.${cloud.vaultSuffix}`;
    return failed(`spec.provider.azurekv.vaultUrl ${quoted(url)} is not the address of a vault; ${fix}`);
  }
  if (suffix !== cloud.vaultSuffix)
    return failed(
      `spec.provider.azurekv.vaultUrl is not in the cloud ${environment}, whose vaults are in ${cloud.vaultSuffix}; correct one of the two`,
    );
  return ok(cloud.name === PUBLIC ? { keyvaultName: name } : { keyvaultName: name, cloudName: cloud.name });
}

function identityOf(azure: JsonObject, question: StoreQuestion): Identity {
  const type = nonEmptyText(azure["authType"]) ?? "ServicePrincipal";
  switch (type) {
    case "ServicePrincipal":
      return servicePrincipal(azure, question);
    case "ManagedIdentity":
      return ok({
        parameters: managedIdentity(nonEmptyText(azure["identityId"]) ?? question.options.identityId),
        annotations: {},
        warnings: [],
      });
    case "WorkloadIdentity":
      return workloadIdentity(azure, question);
    default:
      return failed(
        `spec.provider.azurekv.authType ${quoted(type)} is unknown; write ServicePrincipal, ManagedIdentity or WorkloadIdentity`,
      );
  }
}

/** Returns the parameters for the managed identity of the node on which the worker runs. */
export function managedIdentity(clientId: string | undefined): Texts {
  return { useVMManagedIdentity: "true", ...(clientId === undefined ? {} : { userAssignedIdentityID: clientId }) };
}

/** The Secret that the worker reads if a class names none. */
const DEFAULT_CREDENTIALS = "secrets-store-creds";

interface SecretKey {
  readonly name: string;
  readonly key: string;
  readonly namespace: string | undefined;
}

function secretKey(azure: JsonObject, field: string): SecretKey | undefined {
  const found = objectAt(azure, ["authSecretRef", field]);
  const [name, key] = [nonEmptyText(found?.["name"]), nonEmptyText(found?.["key"])];
  return name === undefined || key === undefined ? undefined : { name, key, namespace: nonEmptyText(found?.["namespace"]) };
}

function servicePrincipal(azure: JsonObject, { namespace }: StoreQuestion): Identity {
  const [id, secret] = [secretKey(azure, "clientId"), secretKey(azure, "clientSecret")];
  if (objectAt(azure, ["authSecretRef", "clientCertificate"]) !== undefined)
    return failed("it signs in with a client certificate, which a class does not support; use a client secret, or workload identity");
  if (id === undefined || secret === undefined)
    return failed("spec.provider.azurekv.authSecretRef does not name clientId and clientSecret; complete it, or use workload identity");
  const isUsable = id.name === secret.name && id.key.toLowerCase() === "clientid" && secret.key.toLowerCase() === "clientsecret";
  if (!isUsable) {
    const from = `the key ${id.key} of Secret ${id.name} and the key ${secret.key} of Secret ${secret.name}`;
    const make = `create a Secret ${DEFAULT_CREDENTIALS} with the keys clientid and clientsecret in the class's namespace, from ${from}`;
    return ok({ parameters: {}, annotations: {}, warnings: [make] });
  }
  const elsewhere = isSameNamespace(id.namespace, namespace)
    ? []
    : [`copy Secret ${id.name} from namespace ${id.namespace} into the class's namespace`];
  const listed =
    id.name === DEFAULT_CREDENTIALS
      ? []
      : [`add ${id.name} to --credentials-secret-names of the worker and to its ClusterRole, so that it can read the credentials`];
  return ok({ parameters: {}, annotations: { [CLASS_ANNOTATIONS.credentialsSecret]: id.name }, warnings: [...elsewhere, ...listed] });
}

/** Prefix of the ServiceAccount annotations that the webhook of workload identity reads. */
const ACCOUNT_PREFIX = "azure.workload.identity/";

function accountRef(azure: JsonObject): { readonly name: string; readonly namespace: string | undefined } | undefined {
  const found = objectAt(azure, ["serviceAccountRef"]);
  const name = nonEmptyText(found?.["name"]);
  return name === undefined ? undefined : { name, namespace: nonEmptyText(found?.["namespace"]) };
}

function accountText({ store, accountOf, namespace }: StoreQuestion, azure: JsonObject, key: string): string | undefined {
  const ref = accountRef(azure);
  if (ref === undefined || azure["authType"] !== "WorkloadIdentity") return undefined;
  const account = accountOf(ref.name, ref.namespace ?? store.namespace ?? namespace);
  return nonEmptyText(objectAt(account?.object, ["metadata", "annotations"])?.[`${ACCOUNT_PREFIX}${key}`]);
}

function workloadIdentity(azure: JsonObject, question: StoreQuestion): Identity {
  const { namespace, options } = question;
  const ref = accountRef(azure);
  const account = ref?.name ?? options.serviceAccount;
  const clientId = accountText(question, azure, "client-id") ?? options.clientId;
  if (account === undefined)
    return failed(
      "it has no serviceAccountRef: the operator uses its own identity, which a class cannot do; use --service-account and --client-id",
    );
  if (clientId === undefined)
    return failed(
      `the client id of ServiceAccount ${account} is not in these files; add the ServiceAccount with its annotation ${ACCOUNT_PREFIX}client-id, or use --client-id`,
    );
  const isElsewhere = ref !== undefined && !isSameNamespace(ref.namespace, namespace);
  const federate = `create a ServiceAccount ${account} in the class's namespace, and a federated credential for it: a class cannot use an account of namespace ${ref?.namespace}`;
  return ok({
    parameters: { clientID: clientId },
    annotations: { [CLASS_ANNOTATIONS.serviceAccount]: account },
    warnings: isElsewhere ? [federate] : [],
  });
}
