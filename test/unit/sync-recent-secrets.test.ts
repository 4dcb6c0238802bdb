import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Secret } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { RecentSecrets } from "../../src/sync/vault/recent-secrets.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const REF = { namespace: "team", name: "creds" };

let clock: ManualClock;
let secrets: RecentSecrets;
let stored: string | undefined;
let reads: number;

const valueNow = async (recentMs: number): Promise<string | undefined> => {
  const found = await secrets.read(REF, recentMs, new AbortController().signal);
  return found.kind === "found" ? found.object.data?.["id"] : undefined;
};

beforeEach(() => {
  clock = new ManualClock();
  stored = "first";
  reads = 0;
  const read = async () => {
    reads += 1;
    const object: Secret = { apiVersion: "v1", kind: "Secret", metadata: REF, data: { id: stored ?? "" } };
    return stored === undefined ? { kind: "absent" } : { kind: "found", object };
  };
  // Only this Secret is read.
  secrets = new RecentSecrets({ read: read as KubeClient["read"] }, clock);
});

describe("credentials", () => {
  test("are read once for looks shortly after each other, and anew after ten seconds", async () => {
    await valueNow(10_000);
    await clock.advance(9_999);
    stored = "second";
    assert.equal(await valueNow(10_000), "first");

    await clock.advance(1);
    assert.equal(await valueNow(10_000), "second");
    assert.equal(reads, 2);
  });

  test("are read as they are where the look asks for that, and serve those that come after", async () => {
    await valueNow(10_000);
    stored = "second";
    assert.equal(await valueNow(0), "second");
    assert.equal(await valueNow(10_000), "second");
    assert.equal(reads, 2);
  });

  test("that are gone are not remembered", async () => {
    await valueNow(10_000);
    stored = undefined;
    assert.equal(await valueNow(0), undefined);
    assert.equal(await valueNow(10_000), undefined);
    stored = "back";
    assert.equal(await valueNow(10_000), "back");
  });
});
