import { failed, ok, type Result } from "../result.ts";
import { TLS_KEYS, type TlsEntry } from "./tls-entry.ts";

/** Annotations of azure-workload-identity on a ServiceAccount. */
const CLIENT_ID = "azure.workload.identity/client-id";
const TENANT_ID = "azure.workload.identity/tenant-id";

/** The identity with which a ServiceAccount is federated, according to its annotations. */
export interface FederatedAccount {
  readonly clientId: string;
  readonly tenantId: string;
}

export function federatedAccount(annotations: Readonly<Record<string, string>> = {}): FederatedAccount {
  return { clientId: annotations[CLIENT_ID]?.trim() ?? "", tenantId: annotations[TENANT_ID]?.trim() ?? "" };
}

export interface IdentityFacts {
  /** Undefined if there is no ServiceAccount with the name. */
  readonly accountOf: (name: string) => FederatedAccount | undefined;
  /** `--tenant-id`; empty if not given. */
  readonly tenantId: string;
  /** `--node-identity-client-id`; empty if the node has one identity. */
  readonly nodeClientId: string;
  /** Whether the namespace may use the managed identity of the worker's node. */
  readonly mayUseNode: boolean;
}

/** The identity that reads the certificate: parameters of the class, and the account that it names. */
export interface CertificateReader {
  readonly account: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Returns the account that the entry names. Without an account, it returns the identity of the namespace: the node's managed identity if
 * the namespace may use it, as with App Routing, and otherwise the service principal in the namespace's Secret.
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

/** Names the identity. On a node with several identities, a sign-in that names none fails. */
function nodeParameters(clientId: string): CertificateReader["parameters"] {
  return { useVMManagedIdentity: "true", ...(clientId === "" ? {} : { userAssignedIdentityID: clientId }) };
}
