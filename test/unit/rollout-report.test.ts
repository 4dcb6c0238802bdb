import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubeError, type KubeErrorCode, notLeading } from "../../src/domain/ports/kube-error.ts";
import type { Retry } from "../../src/domain/ports/retry.ts";
import { patiently } from "../../src/sync/patience.ts";
import type { RolloutContext } from "../../src/sync/rollouts/rollout-context.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import { reconcileRollouts } from "../../src/sync/rollouts/rollout-namespace.ts";
import { ROLLOUTS_SOON, reportUnlisted } from "../../src/sync/rollouts/rollout-report.ts";
import { VersionTimes } from "../../src/sync/rollouts/rollout-versions.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { passTimes } from "../support/worker/pass-times.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const refused = (code: KubeErrorCode, retry: Retry["kind"] & ("backoff" | "never")): KubeError =>
  new KubeError(code, code, { retry: { kind: retry } });

/**
 * Reports for each class that a kind cannot be listed. `failures`: the error of each status write, in the order of the classes. Also
 * returns the written statuses.
 */
async function reported(failures: readonly (Error | undefined)[]) {
  const written: string[] = [];
  const classes = failures.map((_, index) => ({ metadata: { namespace: "shop", name: `class-${index}` } }));
  const conditions = [{ type: "Rotated", status: "True", reason: "Rotated", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }];
  const update = async ({ name }: { readonly name: string }): Promise<void> => {
    const failure = failures[Number(name.split("-")[1])];
    if (failure !== undefined) throw failure;
    written.push(name);
  };
  const live = { classes: { list: () => classes }, statuses: { get: () => ({ conditions }), update } };
  const context = { worker: { live, clock: { now: () => 0 } }, workloads: { unlisted: ["StatefulSet"] } };
  // The code reads nothing else.
  const error = await reportUnlisted(context as unknown as RolloutContext, "shop", new AbortController().signal).catch(
    (thrown: unknown) => thrown,
  );
  return { written, error };
}

describe("S20-5: what a status does not take", () => {
  test("keeps no other class from its own, and the one that may come soonest says when to look again", async () => {
    const soon = refused("Unavailable", "backoff");
    const { written, error } = await reported([refused("Invalid", "never"), soon, undefined]);

    assert.deepEqual(written, ["class-2"]);
    assert.equal(error, soon);
  });

  for (const [name, end] of [
    ["a stop", new DOMException("stopped", "AbortError")],
    ["another leader", notLeading("patch a status")],
    ["a bug", new TypeError("no such member")],
  ] as const) {
    test(`ends the look where it is ${name}`, async () => {
      const { written, error } = await reported([refused("Unavailable", "backoff"), end, undefined]);

      assert.deepEqual([written, error], [[], end]);
    });
  }
});

/** Returns the seconds at which the first passes begin over a namespace without workloads, whose class keeps its status with this error. */
function passesRefused(refusal: KubeError, count: number): Promise<readonly number[]> {
  const clock = new ManualClock();
  const conditions = [{ type: "Rotated", status: "True", reason: "Rotated", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }];
  const live = {
    crdHealth: { state: { kind: "whole" } },
    classes: { list: () => [{ metadata: { namespace: "shop", name: "a" } }] },
    secrets: { get: () => undefined },
    statuses: { get: () => ({ conditions }), update: () => Promise.reject(refusal) },
  };
  const memory = new RolloutMemory(clock.now());
  const logger = recordingLogger();
  const context = {
    worker: { live, isSwitchedOff: () => false, clock, logger, events: { emit: () => undefined } },
    workloads: { ofNamespace: () => [], hasSynced: true, unlisted: [], defaultsOf: () => ({}) },
    versions: { times: new VersionTimes(), records: { problem: () => undefined, changesIn: () => 0, filesIn: () => () => [] } },
    memory,
    writer: { memory, clock, logger, kube: {}, isDryRun: false },
    limits: { slots: { claim: () => 0, forget: () => undefined }, budgets: undefined },
    settings: { timeoutMs: 3_600_000, mostAtATime: 1, controls: { mode: "act", window: { kind: "always" } } },
    metrics: { observe: () => undefined },
  } as unknown as RolloutContext; // The code reads nothing else.
  return passTimes(clock, (namespace, signal) => patiently(() => reconcileRollouts(context, namespace, signal), ROLLOUTS_SOON), count);
}

describe("SF-1: a namespace whose status the API server refuses is reconciled again", () => {
  for (const [name, refusal, expected] of [
    [
      "when the API server asks for it",
      new KubeError("Throttled", "Throttled", { retry: { kind: "after", milliseconds: 30_000 } }),
      [0, 30, 60],
    ],
    ["soon after each conflict", refused("Conflict", "backoff"), [0, 0.5, 1, 1.5]],
    ["seldom after a refusal for good", refused("Invalid", "never"), [0, 60, 120]],
    ["by its backoff otherwise (control)", refused("Unavailable", "backoff"), [0, 1, 3, 7]],
  ] as const)
    test(name, async () => assert.deepEqual(await passesRefused(refusal, expected.length), expected));
});
