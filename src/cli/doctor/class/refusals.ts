import { objectIdOf } from "../../../domain/content/object-file.ts";
import { FEDERATION_AUDIENCE } from "../../../domain/federation.ts";
import type { VaultAddress } from "../../../domain/ports/vault-client.ts";
import type { VaultIdentity } from "../../../domain/ports/vault-identity.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import type { WorkerCode } from "../../shared/worker-code.ts";
import { type ClassFinding, found } from "./leaves.ts";

/** Who asked, and where. */
export interface Refused {
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
const NOT_ASSIGNED = "Assign the identity to the machines of the cluster, or correct userAssignedIdentityID.";
const NOT_BOUND =
  "Bind the managed identity of clientID to this cluster of AKS and let the ServiceAccount use it, or remove useAzureTokenProxy, which leaves workload identity.";
const API_VERSION = "Set keyVaultAPIVersion in the cloud file that cloudEnvFileName names to the version that the message names.";
const NO_TOKEN = "Look again in a minute; where it stays so, open the way to the place that the message names, or see the state of Azure.";
const FAILS = "Look again in a minute; where it stays so, see the way to the vault and the state of Azure.";

/** The end of the tree that a failure of the worker's fetch stands for. The message is the adapter's: it holds codes and names only. */
export function refusalOf({ reason, message, object, origin }: Failure, refused: Refused): ClassFinding {
  const id = objectIdOf(object);
  const ofObject = OBJECT_LEAVES[reason];
  if (ofObject !== undefined) return found(ofObject.leaf, message, ofObject.fix(id));
  if (refused.identity.kind === "identityBinding" && (reason === "Unauthorized" || reason === "IdentityUnavailable"))
    return origin === "vault" ? unauthorized(message, refused) : found("identity-binding-refused", message, NOT_BOUND);
  if (reason === "Unauthorized") return unauthorized(message, refused);
  if (reason === "IdentityUnavailable") return found("managed-identity-refused", message, NOT_ASSIGNED);
  if (reason === "Forbidden") return forbidden(message, id, refused);
  if (reason === "UnsupportedApiVersion") return found("vault-api-version", message, API_VERSION);
  if (origin === "signIn" || origin === "metadataService" || origin === "apiServer") return found("token-unanswered", message, NO_TOKEN);
  return reason === "Throttled" ? found("vault-throttles", message, THROTTLED) : found("vault-fails", message, FAILS);
}

type TokenLeaf = "client-secret-wrong" | "client-secret-expired" | "application-unknown" | "tenant-unknown" | "not-federated";

const ENTRA_LEAVES: Readonly<Record<string, TokenLeaf>> = {
  AADSTS7000215: "client-secret-wrong",
  AADSTS7000222: "client-secret-expired",
  AADSTS700016: "application-unknown",
  AADSTS90002: "tenant-unknown",
  AADSTS70021: "not-federated",
  AADSTS700211: "not-federated",
  AADSTS700212: "not-federated",
  AADSTS700213: "not-federated",
  AADSTS7002138: "not-federated",
};

function unauthorized(message: string, { identity, address }: Refused): ClassFinding {
  const code = /AADSTS\d{2,9}/.exec(message)?.[0];
  if (code === undefined)
    return found("vault-other-tenant", message, "Set tenantID of the class to the id of the tenant that the vault belongs to.");
  const leaf = ENTRA_LEAVES[code];
  const application = identity.kind === "managedIdentity" ? "" : identity.clientId;
  if (leaf === undefined) {
    return found("token-refused", message, `Look up ${code} at ${address.authorityHost}error?code=${code.slice("AADSTS".length)}.`);
  }
  const fix: Readonly<Record<TokenLeaf, string>> = {
    "client-secret-wrong": `Put a client secret of application ${application}, its value and not its id, into clientsecret.`,
    "client-secret-expired": `Add a new client secret to application ${application}, and put it into clientsecret.`,
    "application-unknown": `Correct ${identity.kind === "servicePrincipal" ? "clientid of the credentials Secret" : "clientID"} or tenantID.`,
    "tenant-unknown": `Correct tenantID of the class: there is no tenant ${address.tenantId}.`,
    "not-federated": `Add a federated credential to ${application} with ${federationOf(identity)}.`,
  };
  return found(leaf, message, fix[leaf]);
}

function federationOf(identity: VaultIdentity): string {
  if (identity.kind !== "workloadIdentity") return "the ServiceAccount's subject";
  const { namespace, name } = identity.account;
  return `subject system:serviceaccount:${namespace}:${name}, the cluster's issuer and audience ${FEDERATION_AUDIENCE}`;
}

/** By the vault's own codes, which the adapter's message holds. */
const NETWORK_LEAVES = {
  ForbiddenByFirewall: {
    leaf: "vault-firewall",
    fix: (vault: string) => `Allow this machine's outbound address in the firewall of ${vault}, or use a private endpoint.`,
  },
  ForbiddenByConnection: {
    leaf: "vault-private",
    fix: (vault: string) =>
      `Look from the worker's pod; where it says the same, approve a private endpoint of ${vault} in the cluster's network, and have its name resolve to that.`,
  },
  ForbiddenByNsp: {
    leaf: "vault-perimeter",
    fix: (vault: string) => `Allow this machine's outbound address by an inbound access rule of the perimeter that ${vault} is in.`,
  },
} as const;

function forbidden(message: string, id: string, { address }: Refused): ClassFinding {
  const [vault = ""] = new URL(address.vaultUrl).hostname.split(".");
  const code = /ForbiddenBy(?:Firewall|Connection|Nsp)/.exec(message)?.[0] as keyof typeof NETWORK_LEAVES | undefined; // One of those.
  if (code !== undefined) return found(NETWORK_LEAVES[code].leaf, message, NETWORK_LEAVES[code].fix(vault));
  const permission = id.startsWith("cert/") ? "certificates" : `${id.split("/")[0] ?? "object"}s`;
  const role = { secrets: "Key Vault Secrets User", keys: "Key Vault Crypto User", certificates: "Key Vault Certificate User" }[permission];
  const byRole = `Grant the role ${role ?? "Key Vault Reader"} on ${vault}`;
  const fix = /AccessDenied|ForbiddenByPolicy/.test(message)
    ? `Grant Get on ${permission} in the access policies of ${vault}.`
    : `${byRole}${message.includes("ForbiddenByRbac") ? "" : `, or Get on ${permission} where ${vault} uses access policies`}.`;
  return found("permission-missing", `${id}: ${message}`, fix);
}
