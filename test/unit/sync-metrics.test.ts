import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CheckedClass, checkAges, countByReason } from "../../src/domain/sync/class-figures.ts";
import type { ClassStatus, SyncCondition } from "../../src/domain/sync/status-fields.ts";
import { VaultSeries } from "../../src/sync/vault/vault-metrics.ts";

const NOW = 100_000_000;
const MINUTE = 60_000;

const checked = (facts: Partial<CheckedClass>): CheckedClass => ({
  key: "shop/web",
  lastSuccess: NOW,
  knownSince: 0,
  isFailing: false,
  interval: MINUTE,
  ...facts,
});

describe("the age of checks", () => {
  test("is overdue after two intervals without a success, and not before", () => {
    const at = (lastSuccess: number) => checkAges([checked({ lastSuccess })], NOW).overdue;

    assert.deepEqual([at(NOW - 2 * MINUTE), at(NOW - 2 * MINUTE - 1)], [0, 1]);
  });

  test("counts a class that has never succeeded from the first look at it", () => {
    const { longest } = checkAges([checked({ lastSuccess: undefined, knownSince: NOW - 5 * MINUTE, isFailing: true })], NOW);

    assert.deepEqual(longest, [{ namespace: "shop", className: "web", seconds: 300 }]);
  });

  test("does not believe a stored time that is coarse, unless checks fail", () => {
    const restarted = { lastSuccess: NOW - 50 * MINUTE, knownSince: NOW - 10_000 };

    assert.deepEqual(checkAges([checked(restarted)], NOW), { overdue: 0, longest: [], oldestSeconds: 10 });
    assert.equal(checkAges([checked({ ...restarted, isFailing: true })], NOW).longest[0]?.seconds, 3_000);
    assert.equal(checkAges([checked({ ...restarted, knownSince: NOW - 3 * MINUTE })], NOW).longest[0]?.seconds, 3_000);
  });

  test("shows the hundred classes that have waited longest, and counts all", () => {
    const classes = Array.from({ length: 250 }, (_, index) => checked({ key: `shop/c${index}`, lastSuccess: NOW - (index + 3) * MINUTE }));
    const { overdue, longest, oldestSeconds } = checkAges(classes, NOW);

    assert.deepEqual([overdue, longest.length, oldestSeconds], [250, 100, 252 * 60]);
    assert.deepEqual([longest[0]?.className, longest.at(-1)?.className], ["c249", "c150"]);
  });

  test("is nothing without classes", () => assert.deepEqual(checkAges([], NOW), { overdue: 0, longest: [], oldestSeconds: 0 }));
});

describe("the number of classes by reason", () => {
  const status = (...conditions: readonly Pick<SyncCondition, "type" | "status" | "reason">[]): ClassStatus => ({
    observedClassGeneration: 1,
    conditions: conditions.map((condition) => ({ ...condition, message: "", lastTransitionTime: "" })),
    syncedSecrets: 0,
    desiredSecrets: 0,
    secrets: [],
  });

  test("has every reason, and counts what other conditions say besides", () => {
    const synced = status({ type: "Synced", status: "True", reason: "Synced" }, { type: "Fresh", status: "False", reason: "Stale" });
    const failed = status(
      { type: "Synced", status: "False", reason: "Throttled" },
      { type: "Guarded", status: "False", reason: "GuardrailsMissing" },
    );
    const counts = countByReason([synced, failed, status(), undefined]);

    assert.deepEqual(Object.fromEntries([...counts].filter(([, count]) => count > 0)), {
      Synced: 1,
      Throttled: 1,
      Stale: 1,
      GuardrailsMissing: 1,
    });
    assert.equal(counts.get("Conflict"), 0);
  });
});

describe("the series of vaults", () => {
  const url = (index: number): string => `https://vault-${index}.vault.azure.net`;

  function givenSeries() {
    const shown = new Set<string>();
    const series = new VaultSeries({ begin: (label) => shown.add(label), end: (label) => shown.delete(label) });
    const ask = (namespace: string, index: number): string => {
      series.noteUse(`${namespace}/c${index}`, url(index));
      return series.labelOf(url(index));
    };
    return { series, shown, ask };
  }

  test("begin once for each vault, whatever the case of its name", () => {
    const begun: string[] = [];
    const series = new VaultSeries({ begin: (label) => begun.push(label), end: () => undefined });

    const labels = [series.labelOf("https://A.vault.azure.net/"), series.labelOf("https://a.VAULT.azure.net/")];

    assert.deepEqual(labels, ["a.vault.azure.net", "a.vault.azure.net"]);
    assert.deepEqual(begun, ["a.vault.azure.net"]);
  });

  test("are two hundred at most, and give their place to others when no class names them", () => {
    const ended: string[] = [];
    const series = new VaultSeries({ begin: () => undefined, end: (label) => ended.push(label) });
    const classes = new Set<string>();
    for (let index = 0; index < 250; index++) {
      classes.add(`n/c${index}`);
      series.noteUse(`n/c${index}`, url(index));
      series.labelOf(url(index));
    }
    const shown = () => [...ended];
    assert.deepEqual([series.labelOf(url(199)), series.labelOf(url(200))], ["vault-199.vault.azure.net", "other"]);

    series.dropUnnamed();
    assert.deepEqual(ended, []);
    series.observe((key) => classes.has(key));
    for (let index = 0; index < 100; index++) classes.delete(`n/c${index}`);
    series.dropUnnamed();

    assert.equal(ended.length, 100);
    assert.equal(series.labelOf(url(300)), "vault-300.vault.azure.net");
    for (const key of classes) classes.delete(key);
    series.dropUnnamed();
    assert.ok(shown().includes("other"));
  });

  test("B-11: are shared by namespace: who names the most gives one up for another's vault", () => {
    const { series, shown, ask } = givenSeries();
    for (let index = 0; index < 250; index++) ask("tenant", index);

    assert.equal(ask("victim", 900), "vault-900.vault.azure.net");
    assert.equal(series.labelOf(url(0)), "vault-0.vault.azure.net");
    assert.equal(series.labelOf(url(199)), "other");
    for (let index = 300; index < 500; index++) ask("third", index);
    assert.equal(ask("victim", 901), "vault-901.vault.azure.net");
    assert.equal(series.labelOf(url(900)), "vault-900.vault.azure.net");
    assert.equal([...shown].filter((label) => label !== "other").length, 200);
    assert.equal(ask("tenant", 251), "other");
  });

  test("B-11: stay with a vault that another one names as well, among very many", () => {
    const { series, ask } = givenSeries();
    ask("victim", 900);
    for (let index = 0; index < 199; index++) ask("tenant", index);
    ask("tenant", 900);

    for (let index = 300; index < 350; index++) ask("third", index);

    assert.equal(series.labelOf(url(900)), "vault-900.vault.azure.net");
    assert.equal(series.labelOf(url(198)), "other");
  });

  test("end without a scrape, too, once many classes have gone", () => {
    const ended: string[] = [];
    const series = new VaultSeries({ begin: () => undefined, end: (label) => ended.push(label) });
    series.observe((key) => key !== "n/c0");
    series.labelOf(url(0));
    for (let index = 0; index <= 400; index++) series.noteUse(`n/c${index}`, url(Math.min(index, 1)));

    assert.deepEqual(ended, ["vault-0.vault.azure.net"]);
  });
});
