import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { VaultAddress } from "../../domain/ports/vault-client.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import type { SupportedIdentity } from "../../domain/provider-class/this-version.ts";
import { vaultReason } from "../../domain/reasons.ts";
import { stillHolds, type VaultListing } from "../../domain/schedule/object-look.ts";
import { shortText } from "../../domain/sync/status-size.ts";
import { findIdentity, type IdentityOptions, identityOptionsOf } from "./find-identity.ts";
import type { Recheck, Rechecked, Timing } from "./mirror.ts";
import type { ObjectVersionCache } from "./object-version-cache.ts";
import type { RecentSecrets } from "./recent-secrets.ts";
import type { BudgetedClient, BudgetedClients } from "./vault-budget.ts";
import type { VaultMetrics } from "./vault-metrics.ts";
import { forgottenFrom, type SeenObject } from "./version-check.ts";

export interface RecheckOptions {
  readonly identities: Omit<IdentityOptions, "readSecret">;
  readonly credentials: RecentSecrets;
  readonly vaults: BudgetedClients;
  readonly versionCacheOf: (client: BudgetedClient) => ObjectVersionCache;
  readonly vaultMetrics: VaultMetrics;
  readonly clock: Clock;
}

/** A class all of whose objects were as its Secrets have them, by the lists alone. */
export interface SeenClass {
  readonly provider: SecretProviderClass;
  readonly mode: SupportedIdentity;
  readonly address: VaultAddress;
  readonly versionCache: ObjectVersionCache;
  readonly seen: readonly SeenObject[];
}

const CHANGED: Rechecked = { kind: "changed" };

/** Looks at the class again without reading it: who asks, and whether the lists still say the same of the same objects. */
export function createRecheck(options: RecheckOptions, seenClass: SeenClass): Recheck {
  return async (timing, signal) => {
    try {
      return await recheck(options, seenClass, timing, signal);
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      return { kind: "refused", reason: vaultReason(error.code), message: shortText(error.message), retry: error.retry };
    }
  };
}

async function recheck(
  options: RecheckOptions,
  { provider, mode, address, versionCache, seen }: SeenClass,
  timing: Timing,
  signal: AbortSignal,
): Promise<Rechecked> {
  const classKey = keyOf(provider);
  const { namespace } = refOfKey(classKey);
  const { vaults, versionCacheOf, vaultMetrics, clock } = options;
  const identity = await findIdentity(identityOptionsOf(options, timing.credentialsMs), { provider, mode }, signal);
  if (!identity.ok || versionCacheOf(vaults.clientFor(address, identity.value, namespace)) !== versionCache) return CHANGED;
  vaultMetrics.vaults.noteUse(classKey, address.vaultUrl);
  const began = clock.now();
  versionCache.interests.keep(classKey, forgottenFrom(versionCache, { classKey, fetchRequest: timing, now: began }));
  const lists = new Map<ObjectType, VaultListing | undefined>();
  const { due, interval, period } = timing;
  for (const type of new Set(seen.map((object) => object.type)))
    lists.set(type, await versionCache.listings.current(type, { due, interval, period, namespace }, signal));
  let checkedAt = began;
  for (const object of seen) {
    const listing = lists.get(object.type);
    if (listing === undefined || !isAsSeen(versionCache, object, listing)) return CHANGED;
    checkedAt = Math.min(checkedAt, Math.max(listing.takenAt, object.recorded.look.lookedAt));
  }
  versionCache.countUnchanged(seen.length);
  return { kind: "unchanged", checkedAt };
}

/** Nobody has looked at it since, nor was refused it, and the list shows no change. */
function isAsSeen(versionCache: ObjectVersionCache, object: SeenObject, listing: VaultListing): boolean {
  if (versionCache.lookOf(object) !== object.recorded || versionCache.refusals.has(object)) return false;
  return stillHolds(object.recorded.look, listing, object.name);
}
