/** The grants that a user names: anybody who may write a class can have more of them listed. */
import { CommandFailure } from "../shared/command.ts";
import type { OptionValues } from "../shared/options.ts";
import { type MissingGrant, missingGrants, type Needs } from "./needs.ts";

interface WantedGrants {
  readonly accounts: readonly string[];
  readonly managedIdentity: boolean;
}

/** Undefined: all of them. */
export function wantedGrants({ account: accounts = [], "managed-identity": identity }: OptionValues): WantedGrants | undefined {
  const managedIdentity = identity !== undefined;
  return accounts.length === 0 && !managedIdentity ? undefined : { accounts, managedIdentity };
}

/** The needs that a user named, and those alone. */
export function wantedNeeds(needs: Needs, wanted: WantedGrants | undefined): Needs {
  if (wanted === undefined) return needs;
  const used = new Set(needs.namespaces.flatMap(({ accounts }) => accounts.map(({ account }) => account)));
  const unused = wanted.accounts.find((account) => !used.has(account));
  if (unused !== undefined)
    throw new CommandFailure(`--account: no synced class and no event queue uses the ServiceAccount ${unused} there`);
  const namespaces = needs.namespaces.map((each) => ({
    ...each,
    accounts: each.accounts.filter(({ account }) => wanted.accounts.includes(account)),
    managedIdentity: wanted.managedIdentity ? each.managedIdentity : undefined,
  }));
  return {
    ...needs,
    namespaces: namespaces.filter(({ accounts, managedIdentity }) => accounts.length > 0 || managedIdentity !== undefined),
  };
}

/**
 * What `--apply` writes, and what it leaves. No permission of a class's author stands for the node's identity, unlike for an account: it is
 * granted only to whom a user names it for.
 */
export function dividedGrants(needs: Needs, wanted: WantedGrants | undefined) {
  const missing = missingGrants(needs);
  if (wanted?.managedIdentity === true) return { missing, applicable: missing, left: [] };
  return {
    missing,
    applicable: missing.flatMap((grant) => (grant.accounts === undefined ? [] : [{ ...grant, managedIdentity: false }])),
    left: missing.flatMap((grant): readonly MissingGrant[] => (grant.managedIdentity ? [{ ...grant, accounts: undefined }] : [])),
  };
}
