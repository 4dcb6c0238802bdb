import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KubeError, type KubeErrorCode, notLeading } from "../../src/domain/ports/kube-error.ts";
import type { Retry } from "../../src/domain/ports/retry.ts";
import type { RolloutContext } from "../../src/sync/rollouts/rollout-context.ts";
import { reportUnlisted } from "../../src/sync/rollouts/rollout-report.ts";

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
