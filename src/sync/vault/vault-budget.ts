import { type Clock, monotonicClock } from "../../domain/ports/clock.ts";
import type { ObjectReader, VaultAddress, VaultClient, VaultClients } from "../../domain/ports/vault-client.ts";
import { VaultError } from "../../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../domain/ports/vault-identity.ts";
import type { VaultObjectKind } from "../../domain/ports/vault-object.ts";
import { WeakCache } from "../../domain/weak-cache.ts";
import { type GateOptions, type VaultCall, VaultGate } from "./vault-gate.ts";

/** Client of one vault for one identity, within the limits of the vault. */
export interface BudgetedClient {
  /** Returns the factor by which to lengthen the poll interval of the namespace's classes: 1 while the vault does not throttle. */
  stretchFor(namespace: string): number;
  /** Returns the client for a class of the namespace. Its requests wait for the budget in the namespace's line. */
  inLineOf(namespace: string): VaultClient;
}

export interface BudgetedClients {
  /** `namespace`: as in `VaultClients`. */
  clientFor(address: VaultAddress, identity: VaultIdentity, namespace: string): BudgetedClient;
}

/**
 * Puts the clients behind one gate for each vault. The gate is dropped with the last class that names the vault: a class can name a new
 * vault every second. Each client has one budgeted client for as long as it lives.
 */
export function withBudget(vaults: VaultClients, { clock, ...given }: GateOptions): BudgetedClients {
  // The vault counts in real time, even while the worker's clock catches up at twice that pace.
  const options = { ...given, clock: monotonicClock(clock) };
  const gates = new Map<string, VaultGate>();
  const budgeted = new WeakCache<VaultClient, BudgetedClient>();
  options.metrics.vaults.onDrop((isNamed) => {
    for (const vault of gates.keys()) if (!isNamed(vault)) gates.delete(vault);
  });
  const gateOf = (vaultUrl: string): VaultGate => {
    const key = vaultUrl.toLowerCase();
    const known = gates.get(key);
    if (known !== undefined) return known;
    const gate = new VaultGate(vaultUrl, options);
    gates.set(key, gate);
    return gate;
  };
  return {
    clientFor: (address, identity, namespace) => {
      const client = vaults.clientFor(address, identity, namespace);
      return budgeted.getOrCreate(client, () => budget(client, { gateNow: () => gateOf(address.vaultUrl), clock: options.clock }));
    },
  };
}

/** Returns the current gate of a vault. Called for each request: clients outlive gates, and a vault's clients share one. */
type GateNow = () => VaultGate;

interface Budgeting {
  readonly gateNow: GateNow;
  readonly clock: Clock;
}

function budget(client: VaultClient, budgeting: Budgeting): BudgetedClient {
  const { gateNow } = budgeting;
  return {
    inLineOf: (namespace) => ({
      ...budgetedReads(client, gateNow, namespace),
      listVersions: (kind, name, signal) =>
        budgetedPages(budgeting, {
          call: { kind, operation: "versions", namespace },
          pages: client.listVersions(kind, name, signal),
          signal,
        }),
      listObjects: (kind, signal) =>
        budgetedPages(budgeting, { call: { kind, operation: "list", namespace }, pages: client.listObjects(kind, signal), signal }),
    }),
    stretchFor: (namespace) => gateNow().stretchFor(namespace),
  };
}

function budgetedReads(client: VaultClient, gateNow: GateNow, namespace: string): Omit<ObjectReader, "listVersions"> {
  const get = <T>(kind: VaultObjectKind, ask: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    gateNow().pass({ kind, operation: "get", namespace }, ask, signal);
  return {
    getSecret: (name, version, signal) => get("secret", () => client.getSecret(name, version, signal), signal),
    getKey: (name, version, signal) => get("key", () => client.getKey(name, version, signal), signal),
    getCertificate: (name, version, signal) => get("certificate", () => client.getCertificate(name, version, signal), signal),
  };
}

interface Paging<T> {
  readonly call: VaultCall;
  readonly pages: AsyncIterable<T>;
  readonly signal: AbortSignal;
}

/**
 * Milliseconds, for all pauses together, that a list under way waits if other requests make its vault throttle. A list may have hundreds of
 * pages, and a new attempt would request them all again. Even the call that finds the end of a list and sends no request has to pass the
 * gate, because the end is not known beforehand.
 */
const LIST_PAUSES_MS = 30_000;

/** Yields the pages of a list. Each page is a transaction, and waits in the namespace's line. */
async function* budgetedPages<T>({ gateNow, clock }: Budgeting, { call, pages: listed, signal }: Paging<T>): AsyncGenerator<T> {
  const pages = listed[Symbol.asyncIterator]();
  let isBegun = false;
  let left = LIST_PAUSES_MS;
  const next = async (): Promise<IteratorResult<T>> => {
    for (;;) {
      let isAsked = false;
      const ask = (): Promise<IteratorResult<T>> => {
        isAsked = true;
        return pages.next();
      };
      try {
        return await gateNow().pass(call, ask, signal, ({ done }) => done !== true);
      } catch (error) {
        const pause = isBegun && !isAsked ? pauseOf(error) : undefined;
        if (pause === undefined || pause > left) throw error;
        left -= pause;
        await clock.sleep(pause, signal);
      }
    }
  };
  try {
    for (let page = await next(); page.done !== true; page = await next()) {
      isBegun = true;
      yield page.value;
    }
  } finally {
    await pages.return?.();
  }
}

/** Returns the pause in milliseconds; undefined if the error is not a pause that ends by itself. */
function pauseOf(error: unknown): number | undefined {
  if (!(error instanceof VaultError) || error.code !== "Throttled") return undefined;
  return error.retry.kind === "after" ? error.retry.milliseconds : undefined;
}
