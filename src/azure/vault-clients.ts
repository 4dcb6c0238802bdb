import { randomBytes } from "node:crypto";
import type { VaultAddress, VaultClient, VaultClients } from "../domain/ports/vault-client.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import { WeakCache } from "../domain/weak-cache.ts";
import type { OutboundProxy } from "../runtime/outbound-proxy.ts";
import type { TokenProxyPlace } from "../runtime/token-proxy-place.ts";
import { fingerprintOf } from "./credential.ts";
import { silenceSdkLog } from "./sdk-logging.ts";
import { sdkNetwork } from "./sdk-network.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";
import { createTokenProxy } from "./token-proxy.ts";
import { createVaultClient } from "./vault-client.ts";

/** More than this many vault and identity pairs in turn cost a challenge each. A client holds little. */
const MAX_CLIENTS = 1_024;

/** More than this many identities in turn cost a token request each. */
const MAX_IDENTITIES = 1_024;
const KEY_BYTES = 32;

export interface VaultClientsOptions {
  readonly maxClients?: number;
  /** Bound of one request to a vault (milliseconds). */
  readonly timeoutMs?: number;
  /** Bound of one sign-in (milliseconds). */
  readonly signInTimeoutMs?: number;
  /** Absent: as the SDK reads the environment. */
  readonly proxy?: OutboundProxy | undefined;
  /** Of identity bindings; absent: there are none here. */
  readonly tokenProxy?: TokenProxyPlace | undefined;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/**
 * One sign-in per identity, whichever vaults it reads: they all take the same token. One client per cloud, tenant, vault and
 * identity: a new one costs a 401 challenge. A changed client secret is another identity, so it counts at the next call; the old
 * client falls out of the cache. Where there are too many, the namespace that has most loses its oldest. So is the same application by another ServiceAccount: what one may get, the other may not.
 */
export function createVaultClients(options: VaultClientsOptions = {}): VaultClients {
  silenceSdkLog();
  const { maxClients = MAX_CLIENTS, now = () => performance.now() } = options;
  const clients = new SharedCache<VaultClient>({ capacity: maxClients, now });
  const signIns = new SharedCache<SignIn>({ capacity: MAX_IDENTITIES, now });
  const digestKey = randomBytes(KEY_BYTES);
  const fingerprints = new WeakCache<VaultIdentity, string>();
  const network = sdkNetwork(options.proxy);
  // One for all identities: the cluster has one.
  const tokenProxy = options.tokenProxy && createTokenProxy(options.tokenProxy, { now });
  const signInOptions = { network, tokenProxy, timeoutMs: options.signInTimeoutMs };
  const timeout = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
  return {
    clientFor(address: VaultAddress, identity: VaultIdentity, namespace: string): VaultClient {
      const { authorityHost, customScope = "", apiVersion = "" } = address;
      // However a class spells them: each spelling would be a client and a sign-in more.
      const [tenantId, vaultUrl] = [address.tenantId.toLowerCase(), address.vaultUrl.toLowerCase()];
      const fingerprint = fingerprints.getOrCreate(identity, () => fingerprintOf(identity, digestKey));
      const who = [authorityHost, customScope, tenantId, fingerprint];
      const signIn = signIns.getOrCreate({ key: JSON.stringify(who), holder: namespace }, () =>
        createSignIn(address, identity, signInOptions),
      );
      const key = JSON.stringify([...who, vaultUrl, apiVersion]);
      return clients.getOrCreate({ key, holder: namespace }, () => createVaultClient(address, identity, { network, signIn, ...timeout }));
    },
  };
}

/** Nobody who polls uses a thing this seldom; to make it anew costs a challenge and a token (milliseconds). */
const IDLE_MS = 3_600_000;

interface Entry<Value> {
  readonly value: Value;
  readonly holders: Set<string>;
  usedAt: number;
}

interface SharedCacheOptions {
  readonly capacity: number;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** What is wanted, and for whom. */
interface Wanted {
  readonly key: string;
  readonly holder: string;
}

/**
 * Keeps so many entries, each for all who use it. Where there are more, those go that nobody has used for long, then the oldest of the holder
 * that has most: whoever wants ever new ones loses their own. Each map and set is in the order of last use.
 */
class SharedCache<Value> {
  readonly #options: SharedCacheOptions;
  readonly #entries = new Map<string, Entry<Value>>();
  readonly #shares = new Map<string, Set<string>>();

  constructor(options: SharedCacheOptions) {
    this.#options = options;
  }

  getOrCreate({ key, holder }: Wanted, create: () => Value): Value {
    const { capacity, now } = this.#options;
    const entry = this.#entries.get(key) ?? { value: create(), holders: new Set<string>(), usedAt: 0 };
    entry.usedAt = now();
    entry.holders.add(holder);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const share = this.#shares.get(holder) ?? new Set<string>();
    share.delete(key);
    share.add(key);
    this.#shares.delete(holder);
    this.#shares.set(holder, share);
    while (this.#entries.size > capacity) this.#makeRoom(entry.usedAt);
    return entry.value;
  }

  #makeRoom(now: number): void {
    const [oldest] = this.#entries;
    if (oldest !== undefined && now - oldest[1].usedAt >= IDLE_MS) {
      const [key, { holders }] = oldest;
      for (const holder of holders) this.#release(key, holder);
      return;
    }
    const holder = this.#largest();
    const [key] = this.#shares.get(holder) ?? [];
    if (key !== undefined) this.#release(key, holder);
  }

  /** Of several, the one that came last longest ago. */
  #largest(): string {
    let largest = "";
    let most = 0;
    for (const [holder, { size }] of this.#shares) {
      if (size <= most) continue;
      largest = holder;
      most = size;
    }
    return largest;
  }

  #release(key: string, holder: string): void {
    const share = this.#shares.get(holder);
    share?.delete(key);
    if (share?.size === 0) this.#shares.delete(holder);
    const holders = this.#entries.get(key)?.holders;
    holders?.delete(holder);
    if (holders?.size === 0) this.#entries.delete(key);
  }
}
