import type { Counter, Gauge, Registry } from "prom-client";
import { refOfKey } from "../../domain/object-key.ts";
import type { VaultObjectKind } from "../../domain/ports/vault-object.ts";
import { metricsIn } from "../../runtime/metrics.ts";

export type VaultOperation = "get" | "list" | "versions";
export type VaultOutcome = "ok" | "refused" | "throttled" | "unreachable";

/** Source of the answer for an object: a request, a request that another caller made, or the vault's list. */
export type LookupResult = "asked" | "shared" | "unchanged";

export interface VaultMetrics {
  /** Each page of a list counts as one request. */
  readonly requests: Counter<"kind" | "operation" | "outcome">;
  /** The same requests by vault: the budget is counted by vault. */
  readonly transactions: Counter<"vault" | "operation">;
  readonly throttled: Counter<"vault">;
  readonly held: Counter<"reason">;
  readonly lookups: Counter<"result">;
  readonly isBreakerOpen: Gauge<"vault">;
  readonly rate: Gauge<"vault">;
  /** Vaults that have their own series. */
  readonly vaults: VaultSeries;
}

const KINDS: readonly VaultObjectKind[] = ["secret", "key", "certificate"];
const OPERATIONS: readonly VaultOperation[] = ["get", "list", "versions"];
const OUTCOMES: readonly VaultOutcome[] = ["ok", "refused", "throttled", "unreachable"];
const RESULTS: readonly LookupResult[] = ["asked", "shared", "unchanged"];

export function createVaultMetrics(registry: Registry): VaultMetrics {
  const { counter, gauge } = metricsIn(registry);
  const transactions = counter(
    "vault_transactions_total",
    "Requests to a vault, by operation.",
    { vault: [], operation: [] },
    // Runs before the first metric by vault is reported, so that none of the others reports a dropped vault either.
    () => vaults.dropUnnamed(),
  );
  const throttled = counter("vault_throttled_total", "Responses with status 429 from a vault.", { vault: [] });
  const isBreakerOpen = gauge("vault_breaker_open", "1 while requests to a vault that does not answer are paused.", ["vault"]);
  const rate = gauge("vault_rate", "Highest long-term rate of requests to a vault, per second.", ["vault"]);
  const vaults = new VaultSeries({
    begin: (vault) => {
      for (const operation of OPERATIONS) transactions.inc({ vault, operation }, 0);
      throttled.inc({ vault }, 0);
    },
    end: (vault) => {
      for (const operation of OPERATIONS) transactions.remove({ vault, operation });
      for (const metric of [throttled, isBreakerOpen, rate]) metric.remove({ vault });
    },
  });
  return {
    transactions,
    throttled,
    isBreakerOpen,
    rate,
    vaults,
    requests: counter("vault_requests_total", "Requests to vaults, by kind of object, operation and outcome.", {
      kind: KINDS,
      operation: OPERATIONS,
      outcome: OUTCOMES,
    }),
    held: counter(
      "vault_held_total",
      "Requests not sent because the vault throttles or does not answer, or because an earlier step failed.",
      { reason: ["Throttled", "Unreachable", "NotAsked"] },
    ),
    lookups: counter("vault_lookups_total", "Requests for an object, by how they were answered.", { result: RESULTS }),
  };
}

/** Maximum number of vaults with their own series: the authors of classes could name thousands of vaults. */
const MOST = 200;

const OTHER = "other";

interface SeriesOptions {
  /** Starts the series of a label. */
  readonly begin: (label: string) => void;
  /** Ends the series of a label that no vault has any longer. */
  readonly end: (label: string) => void;
}

/**
 * Vaults that have their own time series: a limited number, and none that no class names any longer. Listeners then forget such a vault,
 * too. If classes name more vaults, the namespace with the most series gives one up for another namespace. A vault counts for the namespace
 * that names the fewest vaults among those that name it, so that no namespace takes the vault of another by naming it, too.
 */
export class VaultSeries {
  readonly #options: SeriesOptions;
  readonly #labels = new Map<string, string>();
  /** The vault that each class used last. */
  readonly #vaultOf = new Map<string, string>();
  readonly #listeners: ((isNamed: (vaultUrl: string) => boolean) => void)[] = [];
  /** Number of classes to remember before the worker searches for deleted ones. */
  #tidyAt = 2 * MOST;
  /** The same for vaults, because one class can name many in turn. */
  #tidyLabelsAt = 2 * MOST;
  #isClass: ((classKey: string) => boolean) | undefined;

  constructor(options: SeriesOptions) {
    this.#options = options;
  }

  /** Returns the host name of the vault, or `other` if too many vaults have series already and its namespace has its share of them. */
  labelOf(vaultUrl: string): string {
    const key = vaultUrl.toLowerCase();
    const known = this.#labels.get(key);
    if (known !== undefined) return known;
    if (this.#labels.size >= this.#tidyLabelsAt) this.dropUnnamed();
    const label = this.#hasRoomFor(key) ? new URL(vaultUrl).hostname : OTHER;
    this.#labels.set(key, label);
    this.#options.begin(label);
    return label;
  }

  noteUse(classKey: string, vaultUrl: string): void {
    this.#vaultOf.set(classKey, vaultUrl.toLowerCase());
    // A scrape does the same, but there may be no scrapes.
    if (this.#vaultOf.size > this.#tidyAt) this.dropUnnamed();
  }

  /** Sets the function that checks whether a class exists. Nothing is dropped before this call. */
  observe(isClass: (classKey: string) => boolean): void {
    this.#isClass = isClass;
  }

  /** Calls `listener` whenever unnamed vaults are dropped, with a function that checks whether a class names a vault. */
  onDrop(listener: (isNamed: (vaultUrl: string) => boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Ends the series of vaults that no class names. If a request to such a vault is under way, its series start once more. */
  dropUnnamed(): void {
    const isClass = this.#isClass;
    if (isClass === undefined) return;
    for (const key of this.#vaultOf.keys()) if (!isClass(key)) this.#vaultOf.delete(key);
    this.#tidyAt = 2 * (this.#vaultOf.size + MOST);
    const named = new Set(this.#vaultOf.values());
    const before = new Set(this.#labels.values());
    for (const vault of this.#labels.keys()) if (!named.has(vault)) this.#labels.delete(vault);
    this.#tidyLabelsAt = 2 * (this.#labels.size + MOST);
    const after = new Set(this.#labels.values());
    for (const label of before) if (!after.has(label)) this.#options.end(label);
    for (const listener of this.#listeners) listener((vaultUrl) => named.has(vaultUrl.toLowerCase()));
  }

  #hasRoomFor(vault: string): boolean {
    const shown = [...this.#labels].filter(([, label]) => label !== OTHER).map(([key]) => key);
    if (shown.length < MOST) return true;
    const payerOf = payersOf(this.#vaultOf);
    const payer = payerOf(vault);
    if (payer === undefined) return false;
    const shares = Map.groupBy(shown, payerOf);
    const [largest = []] = [...shares.values()].sort((one, other) => other.length - one.length);
    const youngest = largest.at(-1);
    // With one more, the namespace would have as many: the two would take it from each other in turn.
    if (youngest === undefined || largest.length <= (shares.get(payer)?.length ?? 0) + 1) return false;
    this.#giveUp(youngest);
    return true;
  }

  #giveUp(vault: string): void {
    const label = this.#labels.get(vault);
    this.#labels.set(vault, OTHER);
    this.#options.begin(OTHER);
    if (label !== undefined && ![...this.#labels.values()].includes(label)) this.#options.end(label);
  }
}

/** Returns a function that finds the namespace for which a vault counts; undefined if no class names the vault. */
function payersOf(vaultOf: ReadonlyMap<string, string>): (vault: string) => string | undefined {
  const named = new Map<string, Set<string>>();
  const namers = new Map<string, Set<string>>();
  for (const [classKey, vault] of vaultOf) {
    const { namespace } = refOfKey(classKey);
    named.set(namespace, (named.get(namespace) ?? new Set()).add(vault));
    namers.set(vault, (namers.get(vault) ?? new Set()).add(namespace));
  }
  const count = (namespace: string): number => named.get(namespace)?.size ?? 0;
  return (vault) => [...(namers.get(vault) ?? [])].sort((one, other) => count(one) - count(other))[0];
}
