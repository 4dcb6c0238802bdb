/** Grants that the user names. Anyone who can write a class can add other grants to the list of missing ones. */
import { meant } from "../shared/absence.ts";
import { CommandFailure } from "../shared/command.ts";
import type { OptionValues } from "../shared/options.ts";
import { type MissingGrant, missingGrants, type Needs } from "./needs.ts";

interface WantedGrants {
  readonly accounts: readonly string[];
  readonly managedIdentity: boolean;
}

/** Returns undefined if the user names no grant, which means all. */
export function wantedGrants({ account: accounts = [], "managed-identity": identity }: OptionValues): WantedGrants | undefined {
  const managedIdentity = identity !== undefined;
  return accounts.length === 0 && !managedIdentity ? undefined : { accounts, managedIdentity };
}

/** Returns only the needs that the user names. */
export function wantedNeeds(needs: Needs, wanted: WantedGrants | undefined): Needs {
  if (wanted === undefined) return needs;
  const used = new Set(needs.namespaces.flatMap(({ accounts }) => accounts.map(({ account }) => account)));
  const unused = wanted.accounts.find((account) => !used.has(account));
  if (unused !== undefined)
    throw new CommandFailure(`--account: no synced class or event queue uses the ServiceAccount ${unused}${meant(unused, [...used])}`);
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
 * Divides the missing grants into those that `--apply` writes, and those that it leaves. An author's permissions cover the use of an
 * account, but nothing covers the node's identity, so `--apply` grants it only if the user names it.
 */
export function dividedGrants(needs: Needs, wanted: WantedGrants | undefined) {
  const missing = missingGrants(needs);
  if (wanted?.managedIdentity === true) return { applicable: missing, left: [] };
  return {
    applicable: missing.flatMap((grant) => (grant.accounts === undefined ? [] : [{ ...grant, managedIdentity: false }])),
    left: missing.flatMap((grant): readonly MissingGrant[] => (grant.managedIdentity ? [{ ...grant, accounts: undefined }] : [])),
  };
}

/** Returns the needs after these grants were added. Each grant covers all accounts of its Namespace, its node's identity, or both. */
export function needsAfter(needs: Needs, applied: readonly MissingGrant[]): Needs {
  const namespaces = needs.namespaces.map((each) => {
    const grant = applied.find(({ namespace }) => namespace === each.namespace);
    if (grant === undefined) return each;
    const { accounts: granted = each.granted } = grant;
    const identity = each.managedIdentity;
    return {
      ...each,
      accounts: each.accounts.map((used) => ({ ...used, isGranted: granted.includes(used.account) })),
      managedIdentity: identity && { ...identity, isGranted: identity.isGranted || grant.managedIdentity },
      granted,
    };
  });
  return { ...needs, namespaces };
}
