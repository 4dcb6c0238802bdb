import type { ObjectReader, VaultAddress, VaultClient, VaultClients } from "../../domain/ports/vault-client.ts";
import type { VaultIdentity } from "../../domain/ports/vault-identity.ts";
import type { VaultObjectKind } from "../../domain/ports/vault-object.ts";
import { WeakCache } from "../../domain/weak-cache.ts";
import { type GateOptions, type VaultCall, VaultGate } from "./vault-gate.ts";

/** One vault as one identity sees it, asked within the vault's limits. */
export interface BudgetedClient {
  /** By how much polls of the namespace's classes are to be further apart at the moment: 1 while the vault does not throttle. */
  stretchFor(namespace: string): number;
  /** For a class of the namespace, which waits for the budget in that namespace's line. */
  inLineOf(namespace: string): VaultClient;
}

export interface BudgetedClients {
  /** `namespace`: as for `VaultClients`. */
  clientFor(address: VaultAddress, identity: VaultIdentity, namespace: string): BudgetedClient;
}

/**
 * The same clients, behind one gate for each vault, which is forgotten with the last class that names the vault: names are free, and a class
 * can have a new one every second. One client of theirs is one of ours, for as long as it lives.
 */
export function withBudget(vaults: VaultClients, options: GateOptions): BudgetedClients {
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
      return budgeted.getOrCreate(client, () => budget(client, () => gateOf(address.vaultUrl)));
    },
  };
}

/** Asked for at each call: clients outlive gates, and all of a vault's have the same one. */
type GateNow = () => VaultGate;

function budget(client: VaultClient, gateNow: GateNow): BudgetedClient {
  return {
    inLineOf: (namespace) => ({
      ...budgetedReads(client, gateNow, namespace),
      listVersions: (kind, name, signal) =>
        budgetedPages(gateNow, {
          call: { kind, operation: "versions", namespace },
          pages: client.listVersions(kind, name, signal),
          signal,
        }),
      listObjects: (kind, signal) =>
        budgetedPages(gateNow, { call: { kind, operation: "list", namespace }, pages: client.listObjects(kind, signal), signal }),
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

/** Each page is a transaction, and waits in the namespace's line. */
async function* budgetedPages<T>(gateNow: GateNow, { call, pages: listed, signal }: Paging<T>): AsyncGenerator<T> {
  const pages = listed[Symbol.asyncIterator]();
  try {
    for (;;) {
      const page = await gateNow().pass(
        call,
        () => pages.next(),
        signal,
        ({ done }) => done !== true,
      );
      if (page.done === true) return;
      yield page.value;
    }
  } finally {
    await pages.return?.();
  }
}
