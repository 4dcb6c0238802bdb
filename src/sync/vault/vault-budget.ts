import type { ObjectReader, VaultAddress, VaultClient, VaultClients } from "../../domain/ports/vault-client.ts";
import type { VaultIdentity } from "../../domain/ports/vault-identity.ts";
import type { ListedObject, VaultObjectKind } from "../../domain/ports/vault-object.ts";
import { WeakCache } from "../../domain/weak-cache.ts";
import { type GateOptions, VaultGate } from "./vault-gate.ts";

/** Entries of a list that come in one transaction. */
export const PAGE_SIZE = 25;

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
      listObjects: (kind, signal) => budgetedPages(client, gateNow, { kind, namespace, signal }),
    }),
    stretchFor: (namespace) => gateNow().stretchFor(namespace),
  };
}

function budgetedReads(client: VaultClient, gateNow: GateNow, namespace: string): ObjectReader {
  const get = <T>(kind: VaultObjectKind, ask: () => Promise<T>, signal: AbortSignal): Promise<T> =>
    gateNow().pass({ kind, operation: "get", namespace }, ask, signal);
  const versions = async <T>(kind: VaultObjectKind, list: () => Promise<readonly T[]>, signal: AbortSignal): Promise<readonly T[]> => {
    const call = { kind, operation: "versions", namespace } as const;
    const gate = gateNow();
    const found = await gate.pass(call, list, signal);
    gate.charge(call, Math.ceil(found.length / PAGE_SIZE) - 1);
    return found;
  };
  return {
    getSecret: (name, version, signal) => get("secret", () => client.getSecret(name, version, signal), signal),
    getKey: (name, version, signal) => get("key", () => client.getKey(name, version, signal), signal),
    getCertificate: (name, version, signal) => get("certificate", () => client.getCertificate(name, version, signal), signal),
    listSecretVersions: (name, signal) => versions("secret", () => client.listSecretVersions(name, signal), signal),
    listKeyVersions: (name, signal) => versions("key", () => client.listKeyVersions(name, signal), signal),
    listCertificateVersions: (name, signal) => versions("certificate", () => client.listCertificateVersions(name, signal), signal),
  };
}

interface Paging {
  readonly kind: VaultObjectKind;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

async function* budgetedPages(
  client: VaultClient,
  gateNow: GateNow,
  { kind, namespace, signal }: Paging,
): AsyncGenerator<readonly ListedObject[]> {
  const pages = client.listObjects(kind, signal)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const page = await gateNow().pass(
        { kind, operation: "list", namespace },
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
