import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { VaultAddress } from "../../domain/ports/vault-client.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { SupportedIdentity } from "../../domain/provider-class/this-version.ts";
import { vaultReason } from "../../domain/reasons.ts";
import { stillHolds, type VaultListing } from "../../domain/schedule/object-check.ts";
import { shortText } from "../../domain/sync/status-size.ts";
import { findIdentity, type IdentityOptions } from "./find-identity.ts";
import type { CheckTiming, Recheck, Rechecked, Refused } from "./mirror.ts";
import type { ObjectVersionCache } from "./object-version-cache.ts";
import type { BudgetedClient, BudgetedClients } from "./vault-budget.ts";
import type { VaultMetrics } from "./vault-metrics.ts";
import { forgottenFrom, listingsOf, type SeenObject } from "./version-check.ts";

export interface RecheckOptions {
  readonly identities: IdentityOptions;
  readonly vaults: BudgetedClients;
  readonly versionCacheOf: (client: BudgetedClient) => ObjectVersionCache;
  readonly vaultMetrics: VaultMetrics;
  readonly clock: Clock;
}

/** A class whose Secrets matched all of its objects, as the lists alone showed. */
export interface SeenClass {
  readonly provider: SecretProviderClass;
  readonly mode: SupportedIdentity;
  readonly address: VaultAddress;
  /** The cache is dropped with its client, and the number of clients is limited. */
  readonly versionCache: WeakRef<ObjectVersionCache>;
  readonly seen: readonly SeenObject[];
}

const CHANGED: Rechecked = { kind: "changed" };

/** Returns a check that does not parse the class: it compares the identity, and the known objects with the vault's lists. */
export function createRecheck(options: RecheckOptions, seenClass: SeenClass): Recheck {
  return async (timing, signal) => {
    try {
      return await recheck(options, seenClass, timing, signal);
    } catch (error) {
      return refusalOf(error);
    }
  };
}

/** Returns the refusal of a list; the refusal of a GET belongs to its object. Throws an error that is not a {@link VaultError}. */
export function refusalOf(error: unknown): Refused {
  if (!(error instanceof VaultError)) throw error;
  return { kind: "refused", reason: vaultReason(error.code), message: shortText(error.message), retry: error.retry };
}

async function recheck(
  { identities, vaults, versionCacheOf, vaultMetrics, clock }: RecheckOptions,
  { provider, mode, address, versionCache: known, seen }: SeenClass,
  timing: CheckTiming,
  signal: AbortSignal,
): Promise<Rechecked> {
  const classKey = keyOf(provider);
  const { namespace } = refOfKey(classKey);
  const { due, interval, period, credentialsMs } = timing;
  const identity = await findIdentity(identities, { provider, mode, credentialsMs }, signal);
  const versionCache = known.deref();
  if (!identity.ok || versionCache === undefined) return CHANGED;
  if (versionCacheOf(vaults.clientFor(address, identity.value, namespace)) !== versionCache) return CHANGED;
  vaultMetrics.vaults.noteUse(classKey, address.vaultUrl);
  const began = clock.now();
  // A forgotten class has to name its objects again; otherwise the cache would not report changes to it.
  if (!versionCache.interests.keep(classKey, forgottenFrom(versionCache, { classKey, period, now: began }))) return CHANGED;
  const poll = { due, interval, period, namespace };
  const listings = await listingsOf(versionCache, new Set(seen.map(({ type }) => type)), { poll, signal });
  let checkedAt = began;
  for (const object of seen) {
    const listing = listings.get(object.type);
    if (listing === undefined || !isAsSeen(versionCache, object, listing)) return CHANGED;
    checkedAt = Math.min(checkedAt, Math.max(listing.takenAt, object.recorded.lastCheck.queriedAt));
  }
  versionCache.countUnchanged(seen.length);
  return { kind: "unchanged", checkedAt };
}

/** Whether no class has read the object or was refused it since, and the list shows no change. */
function isAsSeen(versionCache: ObjectVersionCache, object: SeenObject, listing: VaultListing): boolean {
  if (versionCache.checkOf(object) !== object.recorded || versionCache.refusals.of(object) !== undefined) return false;
  return stillHolds(object.recorded.lastCheck, listing, object.name);
}
