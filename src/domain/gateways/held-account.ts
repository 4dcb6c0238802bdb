import { type FederatedAccount, federatedAccount } from "./class-identity.ts";

/** Maximum length in characters of an id. An id has 36. */
const MAX_ID_CHARACTERS = 100;

/** ServiceAccount annotations that name an identity. */
const ID_KEYS = ["azure.workload.identity/client-id", "azure.workload.identity/tenant-id"];

/** The part of a ServiceAccount that the worker keeps in memory. */
export interface HeldAccount extends FederatedAccount {
  /** Reason why the worker keeps none of its annotations, and the fix. */
  readonly problem?: string;
}

/** One shared value for most ServiceAccounts of a cluster. */
const WITHOUT_IDENTITY: HeldAccount = { clientId: "", tenantId: "" };

/** Checks the length before trimming, because a trimmed text keeps the whole original in memory. */
export function heldAccount(annotations: Readonly<Record<string, string>> = {}): HeldAccount {
  const tooLong = ID_KEYS.find((key) => (annotations[key] ?? "").length > MAX_ID_CHARACTERS);
  if (tooLong !== undefined) {
    const problem = `the annotation ${tooLong} of the ServiceAccount has more than ${MAX_ID_CHARACTERS} characters; write only the id`;
    return { ...WITHOUT_IDENTITY, problem };
  }
  const account = federatedAccount(annotations);
  return account.clientId === "" && account.tenantId === "" ? WITHOUT_IDENTITY : account;
}
