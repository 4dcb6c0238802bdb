import { failed, ok, type Result } from "../result.ts";
import { TLS_KEYS, type TlsEntry } from "./tls-entry.ts";

/** Annotations of azure-workload-identity on a ServiceAccount. */
const CLIENT_ID = "azure.workload.identity/client-id";
const TENANT_ID = "azure.workload.identity/tenant-id";

/** What a ServiceAccount says of the identity that it is federated with. */
export interface FederatedAccount {
  readonly clientId: string;
  readonly tenantId: string;
}

export function federatedAccount(annotations: Readonly<Record<string, string>> = {}): FederatedAccount {
  return { clientId: annotations[CLIENT_ID]?.trim() ?? "", tenantId: annotations[TENANT_ID]?.trim() ?? "" };
}

export interface IdentityFacts {
  /** Undefined where there is none of that name. */
  readonly accountOf: (name: string) => FederatedAccount | undefined;
  /** `--tenant-id`; empty: not given. */
  readonly tenantId: string;
  /** `--node-identity-client-id`; empty: the node has one identity. */
  readonly nodeClientId: string;
  /** The namespace may use the managed identity of the worker's node. */
  readonly mayUseNode: boolean;
}

/** Who reads the certificate: parameters of the class, and the account that it names. */
export interface CertificateReader {
  readonly account: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The account that the entry names. Without one it is the namespace's: the node's managed identity where it may use that, as with App Routing,
 * else the service principal in its Secret.
 */
export function classIdentity({ account, field }: TlsEntry, facts: IdentityFacts): Result<CertificateReader, string> {
  if (account === undefined) return ownIdentity(field, facts);
  const found = facts.accountOf(account);
  const at = `${field}: ${TLS_KEYS.account}`;
  if (found === undefined) return failed(`${at}: the namespace has no ServiceAccount with that name; create it, or name another one`);
  const { clientId: clientID } = found;
  if (clientID === "")
    return failed(
      `${at}: the ServiceAccount has no annotation ${CLIENT_ID}; set it to the client id of the identity that can read the vault`,
    );
  const tenantID = found.tenantId || facts.tenantId;
  if (tenantID === "")
    return failed(`${at}: the vault's tenant is not known; set ${TENANT_ID} on the ServiceAccount, or the setting --tenant-id`);
  return ok({ account, parameters: { clientID, tenantID } });
}

function ownIdentity(field: string, { tenantId: tenantID, nodeClientId, mayUseNode }: IdentityFacts): Result<CertificateReader, string> {
  if (tenantID === "")
    return failed(`${field}: without ${TLS_KEYS.account}, the vault's tenant is not known; name a ServiceAccount, or set --tenant-id`);
  return ok({ account: undefined, parameters: { tenantID, ...(mayUseNode ? nodeParameters(nodeClientId) : {}) } });
}

/** A sign-in that leaves open which identity fails on a node with several of them. */
function nodeParameters(clientId: string): CertificateReader["parameters"] {
  return { useVMManagedIdentity: "true", ...(clientId === "" ? {} : { userAssignedIdentityID: clientId }) };
}
