import { Counter, Gauge, type Registry } from "prom-client";
import type { VaultObjectKind } from "../../domain/ports/vault-object.ts";
import { METRIC_PREFIX } from "../../runtime/metrics.ts";
import { VaultSeries } from "./vault-series.ts";

export type VaultOperation = "get" | "list" | "versions";
export type VaultOutcome = "ok" | "refused" | "throttled" | "unreachable";

/** How the question for an object was answered: by a request, by one that somebody else made, or by the vault's list. */
export type LookupResult = "asked" | "shared" | "unchanged";

export interface VaultMetrics {
  /** A page of a list is a request of its own. */
  readonly requests: Counter<"kind" | "operation" | "outcome">;
  /** The same by vault, which is what its budget is counted by. */
  readonly transactions: Counter<"vault" | "operation">;
  readonly throttled: Counter<"vault">;
  readonly held: Counter<"reason">;
  readonly lookups: Counter<"result">;
  readonly isBreakerOpen: Gauge<"vault">;
  readonly rate: Gauge<"vault">;
  /** Which vaults have series of their own. */
  readonly vaults: VaultSeries;
}

const KINDS: readonly VaultObjectKind[] = ["secret", "key", "certificate"];
const OPERATIONS: readonly VaultOperation[] = ["get", "list", "versions"];
const OUTCOMES: readonly VaultOutcome[] = ["ok", "refused", "throttled", "unreachable"];
const RESULTS: readonly LookupResult[] = ["asked", "shared", "unchanged"];

export function createVaultMetrics(registry: Registry): VaultMetrics {
  const registers = [registry];
  const name = (suffix: string): string => `${METRIC_PREFIX}vault_${suffix}`;
  const byVault = { labelNames: ["vault"] as const, registers };
  const transactions = new Counter({
    name: name("transactions_total"),
    help: "Requests to a vault, by operation.",
    labelNames: ["vault", "operation"],
    registers,
    // The first of those by vault: what it drops is reported by none of the others either.
    collect: () => vaults.dropUnnamed(),
  });
  const throttled = new Counter({ name: name("throttled_total"), help: "Answers 429 of a vault.", ...byVault });
  const isBreakerOpen = new Gauge({ name: name("breaker_open"), help: "1 while a vault that does not answer is left alone.", ...byVault });
  const rate = new Gauge({ name: name("rate"), help: "Requests a second that a vault is asked at most in the long run.", ...byVault });
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
  const metrics: VaultMetrics = {
    transactions,
    throttled,
    isBreakerOpen,
    rate,
    vaults,
    requests: new Counter({
      name: name("requests_total"),
      help: "Requests to vaults, by kind of object, operation and outcome.",
      labelNames: ["kind", "operation", "outcome"],
      registers,
    }),
    held: new Counter({
      name: name("held_total"),
      help: "Requests not made because their vault throttles or does not answer, or because something before it failed.",
      labelNames: ["reason"],
      registers,
    }),
    lookups: new Counter({
      name: name("lookups_total"),
      help: "Questions for an object, by how they were answered.",
      labelNames: ["result"],
      registers,
    }),
  };
  for (const kind of KINDS)
    for (const operation of OPERATIONS) for (const outcome of OUTCOMES) metrics.requests.inc({ kind, operation, outcome }, 0);
  for (const result of RESULTS) metrics.lookups.inc({ result }, 0);
  for (const reason of ["Throttled", "Unreachable", "NotAsked"]) metrics.held.inc({ reason }, 0);
  return metrics;
}
