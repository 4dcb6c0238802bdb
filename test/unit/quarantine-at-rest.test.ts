import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Quarantine } from "../../src/sync/quarantine.ts";
import type { Mirror, Recheck } from "../../src/sync/vault/mirror.ts";
import { AT_REST, TIMING } from "../support/fixtures/fetch-requests.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const CALM = {
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { namespace: "team", name: "calm", uid: "uid" },
} as const;

describe("what a leader has in hand", () => {
  test("is a class at rest, too, while its lists are looked at, and until its reconcile ends", async () => {
    const store = async (): Promise<void> => undefined;
    const quarantine = new Quarantine({ version: "0.4.0", clock: new ManualClock(), logger: recordingLogger(), store });
    const inHand = (): boolean => JSON.stringify(quarantine.annotations()).includes("calm");
    let during = false;
    const recheck: Recheck = async () => {
      during = inHand();
      return { kind: "unchanged", checkedAt: 0 };
    };
    const well = { kind: "answered", notFresh: undefined, checkedAt: 0, retry: { kind: "backoff" }, secrets: [], warnings: [] } as const;
    const { signal } = new AbortController();
    const polled: Mirror = await quarantine.guarded(async () => ({ ...well, recheck }))(CALM, AT_REST, signal);
    quarantine.end("team/calm");
    assert.equal(inHand(), false, "the control: not in between");

    assert.ok(polled.kind === "answered" && polled.recheck);
    await polled.recheck(TIMING, signal);
    assert.equal(during, true);
    quarantine.end("team/calm");
    assert.equal(inHand(), false);
  });
});
