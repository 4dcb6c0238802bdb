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

/** If more pairs of vault and identity than this take turns, each use costs a challenge. A client is small. */
const MAX_CLIENTS = 1_024;

/** If more identities than this take turns, each use costs a token request. */
const MAX_IDENTITIES = 1_024;
const KEY_BYTES = 32;

export interface VaultClientsOptions {
  readonly maxClients?: number;
  /** Time limit of one request to a vault in milliseconds. */
  readonly timeoutMs?: number;
  /** Time limit of one sign-in in milliseconds. */
  readonly signInTimeoutMs?: number;
  /** If absent, the SDK reads the environment. */
  readonly proxy?: OutboundProxy | undefined;
  /** Address of the token proxy for identity bindings; absent if there are none here. */
  readonly tokenProxy?: TokenProxyPlace | undefined;
  /** Returns milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
}

/**
 * Creates one sign-in per identity for all vaults that it reads, because they take the same token, and one client per cloud, tenant, vault
 * and identity, because a new client costs a 401 challenge. A changed client secret is another identity, so it takes effect at the next
 * call; the old client drops out of the cache. The same application with another ServiceAccount is also another identity: one of them may
 * get a token that the other may not. If there are too many entries, the namespace with the most loses its oldest.
 */
export function createVaultClients(options: VaultClientsOptions = {}): VaultClients {
  silenceSdkLog();
  const { maxClients = MAX_CLIENTS, now = () => performance.now() } = options;
  const clients = new SharedCache<VaultClient>({ capacity: maxClients, now });
  const signIns = new SharedCache<SignIn>({ capacity: MAX_IDENTITIES, now });
  const digestKey = randomBytes(KEY_BYTES);
  const fingerprints = new WeakCache<VaultIdentity, string>();
  const network = sdkNetwork(options.proxy);
  // One for all identities: the cluster has only one.
  const tokenProxy = options.tokenProxy && createTokenProxy(options.tokenProxy, { now });
  const signInOptions = { network, tokenProxy, timeoutMs: options.signInTimeoutMs };
  const timeout = options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs };
  return {
    clientFor(address: VaultAddress, identity: VaultIdentity, namespace: string): VaultClient {
      const { authorityHost, customScope = "", apiVersion = "" } = address;
      // Classes may spell these differently. Each spelling would need another client and another sign-in.
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

/** No class that polls uses an entry this rarely. To recreate it costs a challenge and a token (milliseconds). */
const IDLE_MS = 3_600_000;

interface Entry<Value> {
  readonly value: Value;
  readonly holders: Set<string>;
  usedAt: number;
}

interface SharedCacheOptions {
  readonly capacity: number;
  /** Returns milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** The wanted entry, and the namespace that wants it. */
interface Wanted {
  readonly key: string;
  readonly holder: string;
}

/**
 * Keeps up to `capacity` entries, each for all holders that use it. If there are more, first drops entries that are long unused, then the
 * oldest of the holder with the most: a holder that always wants new entries loses its own. Each map and set is in the order of last use.
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

  /** Of several, returns the one whose last use is longest ago. */
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
