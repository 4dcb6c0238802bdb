import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import type { Mirror, Recheck } from "../../src/sync/vault/mirror.ts";
import { INTERVAL, type PolledClass, PollingWorker } from "../support/worker/polling-worker.ts";

const OBJECTS = ["alpha", "beta", "shared"] as const;
const CLASSES = { one: ["alpha", "shared"], other: ["beta", "shared"] } as const;
const APP = "app";

type ClassName = keyof typeof CLASSES;

const object = fc.constantFrom(...OBJECTS);
const className = fc.constantFrom<ClassName>("one", "other");
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("poll" as const), className }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("damage" as const), className }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), milliseconds: fc.constantFrom(500, 60_000, INTERVAL, 400_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("rotate" as const, "disable" as const, "enable" as const), object }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("recreate" as const), object }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rights" as const), refused: fc.constantFrom("get", "list", "both", "none") }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("outage" as const, "recovery" as const) }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Number of rechecks with each outcome. */
const outcomes = { unchanged: 0, changed: 0, refused: 0 };

describe("a class that is looked at again without being read", () => {
  test("is told as unchanged only where a poll would find everything unchanged, by the same look, and as refused as that would be", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const run = await Run.start();
        for (const each of steps) await run.take(each);
      }),
      { numRuns: 1_000 },
    );
    for (const [what, count] of Object.entries(outcomes)) assert.ok(count > 50, `${what}: ${count}`);
  });
});

class Run {
  readonly worker = new PollingWorker();
  readonly #classes = new Map<ClassName, PolledClass>();
  readonly #rechecks = new Map<ClassName, Recheck>();

  static async start(): Promise<Run> {
    const run = new Run();
    await run.worker.givenObjects(...OBJECTS);
    for (const name of ["one", "other"] as const) run.#classes.set(name, await run.worker.synced({ objects: CLASSES[name] }, name));
    return run;
  }

  async take(step: Step): Promise<void> {
    const { vaults, clock } = this.worker;
    switch (step.kind) {
      case "poll":
        return this.#poll(step.className);
      case "damage":
        return this.#fetch(step.className);
      case "advance":
        return clock.advance(step.milliseconds);
      case "rotate":
        return vaults.set(step.object);
      case "recreate":
        vaults.delete(step.object);
        return vaults.set(step.object);
      case "rights":
        return vaults.refuse(APP, ...(step.refused === "both" ? (["get", "list"] as const) : rightOf(step.refused)));
      case "outage":
        vaults.failure = () => new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
        return;
      case "recovery":
        vaults.failure = undefined;
        return;
      case "disable":
      case "enable":
        if (vaults.current(step.object) !== undefined) vaults.enable(step.object, step.kind === "enable");
    }
  }

  /** Polls the class with all of its Secrets edited. */
  async #fetch(name: ClassName): Promise<void> {
    await this.#classes.get(name)?.poll({ due: this.worker.clock.now(), interval: INTERVAL, period: INTERVAL, intact: new Set() });
    this.#rechecks.delete(name);
  }

  async #poll(name: ClassName): Promise<void> {
    const made = this.#classes.get(name);
    assert.ok(made);
    const timing = { due: this.worker.clock.now(), interval: INTERVAL, period: INTERVAL, credentialsMs: 0 };
    const rechecked = await this.#rechecks.get(name)?.(timing, new AbortController().signal);
    this.worker.vaults.taken();
    const polled = await made.poll({ due: timing.due });
    const requests = this.worker.vaults.taken();
    if (rechecked !== undefined) {
      outcomes[rechecked.kind] += 1;
      if (rechecked.kind === "refused") assert.equal(polled.kind === "refused" && polled.reason, rechecked.reason);
      if (rechecked.kind === "unchanged") {
        assert.deepEqual(requests, [], "the same list serves the poll");
        assert.ok(isUnchanged(polled), JSON.stringify(polled));
        assert.equal(polled.kind === "answered" && polled.checkedAt, rechecked.checkedAt);
      }
    }
    this.#rechecks.delete(name);
    if (polled.kind === "answered" && polled.recheck !== undefined) this.#rechecks.set(name, polled.recheck);
  }
}

function isUnchanged(polled: Mirror): boolean {
  return polled.kind === "answered" && polled.notFresh === undefined && polled.secrets.every(({ kind }) => kind === "unchanged");
}

function rightOf(right: string): readonly ("get" | "list")[] {
  return right === "get" || right === "list" ? [right] : [];
}
