import { type FederatedAccount, federatedAccount } from "./class-identity.ts";

/** Of an id, which has 36. */
const MAX_ID_CHARACTERS = 100;

/** Its annotations that name an identity. */
const ID_KEYS = ["azure.workload.identity/client-id", "azure.workload.identity/tenant-id"];

/** A ServiceAccount as the worker holds it. */
export interface HeldAccount extends FederatedAccount {
  /** Why nothing is held of its annotations, and what to write. */
  readonly problem?: string;
}

/** What most ServiceAccounts of a cluster are, held once. */
const WITHOUT_IDENTITY: HeldAccount = { clientId: "", tenantId: "" };

/** The length counts as it stands there: what is cut off by trimming would be held with what is left. */
export function heldAccount(annotations: Readonly<Record<string, string>> = {}): HeldAccount {
  const tooLong = ID_KEYS.find((key) => (annotations[key] ?? "").length > MAX_ID_CHARACTERS);
  if (tooLong !== undefined) {
    const problem = `the annotation ${tooLong} of the ServiceAccount has more than ${MAX_ID_CHARACTERS} characters; write only the id`;
    return { ...WITHOUT_IDENTITY, problem };
  }
  const account = federatedAccount(annotations);
  return account.clientId === "" && account.tenantId === "" ? WITHOUT_IDENTITY : account;
}
