import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ClusterSlots } from "../../src/sync/rollouts/cluster-slots.ts";

/** Namespaces with workloads to restart, looked at whenever the slots wake them. */
class Namespaces {
  readonly due = new Map<string, number>();
  readonly underWay = new Map<string, number>();
  /** Namespaces, in the order in which their restarts began. */
  readonly began: string[] = [];
  readonly #woken = new Set<string>();
  readonly slots: ClusterSlots;

  constructor(most: number, unseen: ReadonlyMap<string, number> = new Map()) {
    this.slots = new ClusterSlots({
      most,
      namespaces: () => [...unseen.keys()],
      unseenIn: (namespace) => unseen.get(namespace) ?? 0,
      wake: (namespace) => this.#woken.add(namespace),
    });
  }

  /** One look, and those that follow from it. */
  check(namespace: string, mostAtATime = 1): void {
    this.#woken.add(namespace);
    for (let [next] = this.#woken; next !== undefined; [next] = this.#woken) {
      this.#woken.delete(next);
      const underWay = this.underWay.get(next) ?? 0;
      const due = this.due.get(next) ?? 0;
      const granted = this.slots.claim({ namespace: next, underWay, wanted: Math.min(due, Math.max(0, mostAtATime - underWay)) });
      this.due.set(next, due - granted);
      this.underWay.set(next, underWay + granted);
      for (let count = 0; count < granted; count += 1) this.began.push(next);
    }
  }

  end(namespace: string): void {
    this.underWay.set(namespace, Math.max(0, (this.underWay.get(namespace) ?? 0) - 1));
  }

  get running(): number {
    return [...this.underWay.values()].reduce((sum, count) => sum + count, 0);
  }
}

function rotated(most: number, due: Readonly<Record<string, number>>): Namespaces {
  const namespaces = new Namespaces(most);
  for (const [name, count] of Object.entries(due)) namespaces.due.set(name, count);
  for (const name of Object.keys(due)) namespaces.check(name);
  return namespaces;
}

/** Restarts that end, oldest first, until none is due. */
function runOut(namespaces: Namespaces): void {
  for (let ended = 0; ended < namespaces.began.length; ended += 1) {
    const name = namespaces.began[ended] ?? "";
    namespaces.end(name);
    namespaces.check(name);
  }
}

describe("the slots of the cluster", () => {
  test("go to namespaces in turns, however many workloads one of them has", () => {
    const namespaces = rotated(1, { many: 5, few: 1, some: 2 });
    runOut(namespaces);

    assert.deepEqual(namespaces.began, ["many", "few", "some", "many", "some", "many", "many", "many"]);
  });

  test("leave one for each namespace that waits before a namespace gets a second", () => {
    const namespaces = new Namespaces(4);
    namespaces.due.set("a", 4);
    namespaces.check("a", 4);
    for (const name of ["b", "c"]) {
      namespaces.due.set(name, 4);
      namespaces.check(name, 4);
    }
    for (let count = 0; count < 4; count += 1) namespaces.end("a");
    namespaces.check("a", 4);

    assert.deepEqual([...new Set(namespaces.began.slice(4))].toSorted(), ["b", "c"]);
  });

  test("count restarts of namespaces that a new leader has not looked at", () => {
    const namespaces = new Namespaces(1, new Map([["elsewhere", 1]]));
    namespaces.due.set("a", 1);
    namespaces.check("a");
    assert.deepEqual(namespaces.began, []);

    namespaces.check("elsewhere");
    assert.deepEqual(namespaces.began, ["a"], "its restart had ended");
  });

  test("pass a namespace over that cannot be looked at", () => {
    const namespaces = rotated(1, { busy: 1, broken: 1, next: 1 });
    namespaces.slots.leaveLine("broken");
    namespaces.end("busy");
    namespaces.check("busy");

    assert.deepEqual(namespaces.began, ["busy", "next"]);
  });

  test("forget a namespace in which nothing asks any more", () => {
    const namespaces = rotated(1, { gone: 1, next: 1 });
    namespaces.slots.forget("gone");
    namespaces.check("next");

    assert.deepEqual(namespaces.began, ["gone", "next"]);
  });

  const step = fc.record({ kind: fc.constantFrom("look", "end", "rotate"), namespace: fc.constantFrom("a", "b", "c", "d") });

  test("are never more than there are, and every restart comes, in whatever order things happen", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 60 }), (most, steps) => {
        const namespaces = new Namespaces(most);
        for (const { kind, namespace } of steps) {
          if (kind === "end") namespaces.end(namespace);
          if (kind === "rotate") namespaces.due.set(namespace, (namespaces.due.get(namespace) ?? 0) + 1);
          namespaces.check(namespace, 2);
          assert.ok(namespaces.running <= most, `${namespaces.running} of ${most}`);
        }
        for (let round = 0; round < 200; round += 1) {
          for (const name of ["a", "b", "c", "d"]) {
            namespaces.end(name);
            namespaces.check(name, 2);
          }
        }
        assert.deepEqual(
          [...namespaces.due.values()].filter((count) => count > 0),
          [],
        );
      }),
      { numRuns: 500 },
    );
  });
});
