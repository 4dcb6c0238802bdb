import { setTimeout as sleep } from "node:timers/promises";
import type { RequestRecord } from "../../../tools/key-vault-emulator/network/request-log.ts";
import type { SpawnedEmulator } from "../../../tools/key-vault-emulator/spawn.ts";

/** The emulator keeps 50,000 requests: at this interval, the meter misses none. */
const EVERY_MS = 1_000;
const WINDOW_MS = 10_000;

/** Request that a vault, the token endpoint or a queue answered. Challenges cost nothing and are left out. */
export interface VaultRequest {
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly kind: "get" | "list" | "token" | "queue";
  readonly isThrottled: boolean;
  /** Host of the vault or the queue, or the application that signed in. */
  readonly who: string;
  readonly path: string;
}

/** Records all requests to the emulator, in order. */
export interface VaultMeter {
  /** Reads all requests up to now. Resolves with the current time. */
  now(): Promise<number>;
  /** Returns the requests between two times in Unix milliseconds. */
  between(from: number, to: number): readonly VaultRequest[];
  stop(): Promise<void>;
}

export function meterVaults(emulator: SpawnedEmulator): VaultMeter {
  const stopped = new AbortController();
  const requests: VaultRequest[] = [];
  let last = 0;
  let reading = Promise.resolve();
  const read = async (): Promise<void> => {
    const records = await emulator.requests({ after: last });
    const [first] = records;
    if (first !== undefined && first.sequence !== last + 1) throw new Error("the emulator forgot requests before they were counted");
    last = records.at(-1)?.sequence ?? last;
    for (const record of records) requests.push(...toRequest(record));
  };
  const readInTurn = (): Promise<void> => {
    reading = reading.then(read);
    return reading;
  };
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await readInTurn();
      await sleep(EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    now: async () => {
      const now = Date.now();
      await readInTurn();
      return now;
    },
    between: (from, to) => requests.filter(({ at }) => at >= from && at < to),
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

function toRequest({ time, host, path, status, identity }: RequestRecord): readonly VaultRequest[] {
  const at = Date.parse(time);
  if (path.endsWith("/token")) return status === 200 ? [{ at, kind: "token", isThrottled: false, who: identity ?? "", path }] : [];
  if (status === 401) return [];
  if (host.endsWith(".queue.core.windows.net")) return [{ at, kind: "queue", isThrottled: status === 503, who: host, path }];
  if (!host.endsWith(".vault.azure.net")) return [];
  return [{ at, kind: /^\/secrets\/?$/.test(path) ? "list" : "get", isThrottled: status === 429, who: host, path }];
}

/** Returns the requests that count as transactions of a vault. */
export function readsOf(requests: readonly VaultRequest[]): readonly VaultRequest[] {
  return requests.filter(({ kind }) => kind === "get" || kind === "list");
}

/** Returns the maximum number of requests to one vault in any 10 seconds. */
export function busiestWindow(requests: readonly VaultRequest[]): number {
  const byVault = Map.groupBy(readsOf(requests), ({ who }) => who);
  const busiest = [...byVault.values()].map((ofVault) => {
    let start = 0;
    let most = 0;
    for (const [index, { at }] of ofVault.entries()) {
      while ((ofVault[start]?.at ?? at) <= at - WINDOW_MS) start += 1;
      most = Math.max(most, index - start + 1);
    }
    return most;
  });
  return Math.max(0, ...busiest);
}

/** Returns the maximum number of token requests of one identity. */
export function mostTokens(requests: readonly VaultRequest[]): number {
  const byIdentity = Map.groupBy(
    requests.filter(({ kind }) => kind === "token"),
    ({ who }) => who,
  );
  return Math.max(0, ...[...byIdentity.values()].map((ofIdentity) => ofIdentity.length));
}
