import { objectIdOf } from "../../../domain/content/object-file.ts";
import { FEDERATION_AUDIENCE } from "../../../domain/federation.ts";
import type { VaultAddress } from "../../../domain/ports/vault-client.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import type { WorkerCode } from "../../shared/worker-code.ts";
import { type ClassFinding, found } from "./leaves.ts";

/** Identity that sent the request, and the vault's address. */
export interface RefusedFetch {
  readonly identity: VaultIdentity;
  readonly address: VaultAddress;
}

export type Failure = Awaited<ReturnType<WorkerCode["fetchObjects"]>>["failures"][number];

interface ObjectLeaf {
  readonly leaf: "object-absent" | "object-disabled" | "object-expired" | "object-not-yet-valid" | "object-invalid";
  readonly fix: (object: string) => string;
}

const OBJECT_LEAVES: Readonly<Partial<Record<SyncReason, ObjectLeaf>>> = {
  ObjectNotFound: { leaf: "object-absent", fix: (id) => `Create ${id} in the vault, or correct objectName or objectVersion.` },
  ObjectDisabled: { leaf: "object-disabled", fix: (id) => `Enable the version of ${id}, or set objectVersion to an enabled one.` },
  ObjectExpired: { leaf: "object-expired", fix: (id) => `Set a new version of ${id} in the vault.` },
  ObjectNotYetValid: {
    leaf: "object-not-yet-valid",
    fix: (id) => `Change the activation date of ${id}, or name a version that is valid.`,
  },
  InvalidObject: {
    leaf: "object-invalid",
    fix: (id) => `Correct ${id} in the vault, or objectFormat, objectEncoding and objectType in the class.`,
  },
};

const THROTTLED = "Wait, poll less often (--rotation-poll-interval), or spread the objects over more vaults.";
const NOT_ASSIGNED = "Assign the identity to the cluster's nodes, or correct userAssignedIdentityID.";
const NOT_BOUND =
  "Bind the managed identity of clientID to this AKS cluster and let the ServiceAccount use it, or remove useAzureTokenProxy to use workload identity.";
const API_VERSION = "In the cloud file that cloudEnvFileName names, set keyVaultAPIVersion to the version in the message.";
const NO_TOKEN =
  "Check again in a minute; if it persists, allow connections to the service that the message names, or check Azure's status.";
const FAILS = "Check again in a minute; if it persists, check the network path to the vault and Azure's status.";

/** Returns the finding for a failure of the worker's fetch. The adapter's message contains names, so it is only shown, never parsed. */
export function findingOfFailure(failure: Failure, refused: RefusedFetch): ClassFinding {
  const { reason, message, object, origin } = failure;
  const id = objectIdOf(object);
  const ofObject = OBJECT_LEAVES[reason];
  if (ofObject !== undefined) return found(ofObject.leaf, message, ofObject.fix(id));
  if (isOfBinding(failure, refused)) return found("identity-binding-refused", message, NOT_BOUND);
  if (reason === "Unauthorized") return unauthorized(failure, refused);
  if (reason === "IdentityUnavailable") return found("managed-identity-refused", message, NOT_ASSIGNED);
  if (reason === "Forbidden") return forbidden(failure, id, refused);
  if (reason === "UnsupportedApiVersion") return found("vault-api-version", message, API_VERSION);
  if (origin === "signIn" || origin === "metadataService" || origin === "apiServer") return found("token-unanswered", message, NO_TOKEN);
  return reason === "Throttled" ? found("vault-throttles", message, THROTTLED) : found("vault-fails", message, FAILS);
}

/** Whether the token proxy refused, and not the vault. The vault's challenge may also name another tenant than the class. */
function isOfBinding({ reason, origin }: Failure, { identity }: RefusedFetch): boolean {
  if (identity.kind !== "identityBinding" || origin === "vault") return false;
  return reason === "IdentityUnavailable" || (reason === "Unauthorized" && origin !== "class");
}

type TokenLeaf = "client-secret-wrong" | "client-secret-expired" | "application-unknown" | "tenant-unknown" | "not-federated";

const ENTRA_LEAVES: Readonly<Record<string, TokenLeaf>> = {
  AADSTS7000215: "client-secret-wrong",
  AADSTS7000222: "client-secret-expired",
  AADSTS700016: "application-unknown",
  AADSTS90002: "tenant-unknown",
  AADSTS70021: "not-federated",
  AADSTS70025: "not-federated",
  AADSTS700211: "not-federated",
  AADSTS700212: "not-federated",
  AADSTS700213: "not-federated",
  AADSTS7002138: "not-federated",
};

const ENTRA = "AADSTS";

const OTHER_TENANT = "Set tenantID of the class to the id of the tenant that the vault belongs to.";
const NO_VAULT = "Correct cloudName or keyvaultName of the class, or what the vault's name resolves to.";

/** Distinguishes refusals by origin and code: only a vault, and the SDK before it requests a token, detect another tenant. */
function unauthorized(failure: Failure, refused: RefusedFetch): ClassFinding {
  const { message, origin, serviceCode: code } = failure;
  if (origin === "signIn") return tokenRefused(failure, refused);
  // A vault always returns a code; without one, the SDK itself rejected the vault's challenge.
  return origin === "vault" && code === undefined
    ? found("vault-fails", message, NO_VAULT)
    : found("vault-other-tenant", message, OTHER_TENANT);
}

/** Returns the advice for an OAuth error. Sign-in services other than Entra, such as AD FS, return no Entra code. */
function oauthFix(word: string, { identity, address }: RefusedFetch): string {
  const application = identity.kind === "managedIdentity" ? "" : identity.clientId;
  switch (word) {
    case "invalid_client":
    case "unauthorized_client":
      return identity.kind === "servicePrincipal"
        ? "Correct clientid and clientsecret of the credentials Secret, or tenantID of the class."
        : `Correct clientID or tenantID of the class, or add a federated credential to ${application} with ${federationOf(identity)}.`;
    case "access_denied":
      return `Ask an administrator of the tenant ${address.tenantId} which policy stops the sign-in of application ${application}.`;
    default:
      return `Correct tenantID and cloudName of the class: the sign-in service rejects the request with ${word}.`;
  }
}

function tokenRefused({ message, serviceCode: code = "an unknown code" }: Failure, refused: RefusedFetch): ClassFinding {
  const { identity, address } = refused;
  if (!code.startsWith(ENTRA)) return found("token-refused", message, oauthFix(code, refused));
  const leaf = ENTRA_LEAVES[code];
  const application = identity.kind === "managedIdentity" ? "" : identity.clientId;
  if (leaf === undefined) {
    return found("token-refused", message, `Look up ${code} at ${address.authorityHost}error?code=${code.slice(ENTRA.length)}.`);
  }
  const fix: Readonly<Record<TokenLeaf, string>> = {
    "client-secret-wrong": `Put a client secret of application ${application} into clientsecret: its value, not its id.`,
    "client-secret-expired": `Add a new client secret to application ${application}, and put it into clientsecret.`,
    "application-unknown": `Correct ${identity.kind === "servicePrincipal" ? "clientid of the credentials Secret" : "clientID"} or tenantID.`,
    "tenant-unknown": `Correct tenantID of the class: tenant ${address.tenantId} does not exist.`,
    "not-federated": `Add a federated credential to ${application} with ${federationOf(identity)}.`,
  };
  return found(leaf, message, fix[leaf]);
}

function federationOf(identity: VaultIdentity): string {
  if (identity.kind !== "workloadIdentity") return "the ServiceAccount's subject";
  const { namespace, name } = identity.account;
  return `subject system:serviceaccount:${namespace}:${name}, the cluster's issuer, and audience ${FEDERATION_AUDIENCE}`;
}

/** Distinguishes the vault's refusals by code: it blocks the network, or the identity lacks permission. */
function forbidden(failure: Failure, id: string, { address }: RefusedFetch): ClassFinding {
  const { message, serviceCode = "" } = failure;
  const [vault = ""] = new URL(address.vaultUrl).hostname.split(".");
  switch (serviceCode) {
    case "ForbiddenByFirewall":
      return found(
        "vault-firewall",
        message,
        `Allow this machine's outbound address in the firewall of ${vault}, or use a private endpoint.`,
      );
    case "ForbiddenByConnection": {
      const fix = `Check from the worker's pod; if it reports the same, approve a private endpoint of ${vault} in the cluster's network, and have the vault's name resolve to it.`;
      return found("vault-private", message, fix);
    }
    case "ForbiddenByNsp": {
      const fix = `Allow this machine's outbound address in an inbound access rule of the perimeter around ${vault}.`;
      return found("vault-perimeter", message, fix);
    }
    default:
      return found("permission-missing", `${id}: ${message}`, `Grant ${grantOf(serviceCode, id, vault)}.`);
  }
}

/** Returns the permission to grant: a role or an access policy, depending on which of them the vault uses. */
function grantOf(serviceCode: string, id: string, vault: string): string {
  const permission = id.startsWith("cert/") ? "certificates" : `${id.split("/")[0] ?? "object"}s`;
  const role = { secrets: "Key Vault Secrets User", keys: "Key Vault Crypto User", certificates: "Key Vault Certificate User" }[permission];
  const byRole = `the role ${role ?? "Key Vault Reader"} on ${vault}`;
  switch (serviceCode) {
    case "AccessDenied":
    case "ForbiddenByPolicy":
      return `Get on ${permission} in the access policies of ${vault}`;
    case "ForbiddenByRbac":
      return byRole;
    default:
      return `${byRole}, or Get on ${permission} if ${vault} uses access policies`;
  }
}
