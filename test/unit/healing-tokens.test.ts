import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WORKLOAD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { isOlderThanAccount, mayHoldDeadTokens, TOKEN_LIFE_MS } from "../../src/domain/healing/account-tokens.ts";
import type { KubeObject } from "../../src/domain/kubernetes.ts";

const at = (seconds: number): string => new Date(seconds * 1_000).toISOString();
const NOW = 10_000;

const account = (madeAt: number): KubeObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { name: "webhook", uid: "new", creationTimestamp: at(madeAt) },
});

function workload(madeAt: number, { runsAs = "webhook", restartedFor = "" } = {}): KubeObject {
  const annotations = restartedFor === "" ? {} : { [WORKLOAD_ANNOTATIONS.accountUid]: restartedFor };
  const metadata = { name: "webhook", creationTimestamp: at(madeAt) };
  const spec = { template: { metadata: { annotations }, spec: { serviceAccountName: runsAs } } };
  return Object.assign({ apiVersion: "apps/v1", kind: "Deployment", metadata }, { spec });
}

describe("the pods of a workload", () => {
  const may = (of: KubeObject, madeAt: number): boolean => mayHoldDeadTokens({ account: account(madeAt), workload: of, now: NOW * 1_000 });

  test("may have tokens of a deleted account where theirs is younger than the workload", () => {
    assert.ok(may(workload(8_000), 9_000));
    assert.ok(may(workload(8_000, { restartedFor: "old" }), 9_000));
  });

  test("have none where the account was there first, is another one, or they were replaced for it", () => {
    assert.ok(!may(workload(9_000), 9_000));
    assert.ok(!may(workload(8_000, { runsAs: "other" }), 9_000));
    assert.ok(!may(workload(8_000, { restartedFor: "new" }), 9_000));
  });

  test("have none any more after the time in which a kubelet renews them", () => {
    assert.ok(!may(workload(1_000), NOW - TOKEN_LIFE_MS / 1_000 - 1));
    assert.ok(may(workload(1_000), NOW - TOKEN_LIFE_MS / 1_000));
  });

  test("are told apart by their own age, where it is known", () => {
    assert.ok(isOlderThanAccount(workload(8_999), account(9_000), NOW * 1_000));
    assert.ok(!isOlderThanAccount(workload(9_000), account(9_000), NOW * 1_000));
    assert.ok(!isOlderThanAccount(workload(1_000), account(2_000), NOW * 1_000));
  });
});
