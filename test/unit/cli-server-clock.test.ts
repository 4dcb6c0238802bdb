import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openCluster } from "../../src/cli/compose.ts";
import type { Cluster } from "../../src/cli/shared/command.ts";
import { type ObjectRef, RESOURCES, type Resource } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

const TRUTH = Date.parse("2026-12-02T12:00:00Z");

/** Returns what doctor says of the Lease on a machine whose clock is ahead by that many milliseconds. */
async function saidOfLease(aheadMs: number, renewedAgoMs: number): Promise<string> {
  const policy: Manifest = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: "keyvault-injector-one-instance" },
  };
  const renewTime = new Date(TRUTH - renewedAgoMs).toISOString().replace("Z", "000Z");
  const lease: Manifest = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "keyvault-injector", name: "keyvault-injector-sync" },
    spec: { holderIdentity: "sync-1", renewTime, leaseDurationSeconds: 15 },
  };
  const held = heldCluster([policy, lease]);
  const create = async (_resource: Resource, object: Manifest) => object;
  Object.assign(held.kube, { create });
  const acting = async () => Promise.reject(new KubeError("Forbidden", "no", { retry: { kind: "never" } }));
  const kube = { ...held.kube, create: acting } as unknown as KubeClient; // Doctor makes no other calls.
  const cluster: Cluster = { ...held, offsetMs: () => -aheadMs, actAs: async () => ({ kube, close: async () => undefined }) };
  const clock = { now: () => TRUTH + aheadMs, sleep: async () => undefined };
  const openReach = async () => async () => ({ address: "", reach: { kind: "refused" } }) as never;
  const { output } = await runOffline(["doctor", "--no-vaults"], "", { cluster, clock, openReach });
  return /^[A-Z]+ +lease .*$/m.exec(output)?.[0] ?? output;
}

describe("a command on a machine whose clock is wrong", () => {
  for (const aheadMs of [0, 20_000, 120_000, -660_000]) {
    test(`RV5: finds the Lease renewed, and not renewed, by the API server's clock: ${aheadMs} ms ahead`, async () => {
      assert.match(await saidOfLease(aheadMs, 1_000), /^OK .*held by sync-1, renewed 1 s ago/);
      assert.match(await saidOfLease(aheadMs, 600_000), /^FAIL .*sync-1 has not renewed it for 600 s, of 15 s/);
    });
  }

  for (const [serverMs, name] of [
    [-660_000, "the machine is ahead"],
    [660_000, "the machine is behind"],
    [0, "the machine is right"],
  ] as const) {
    test(`RV5: learns the API server's clock from its answers: ${name}`, async (t) => {
      const server = await startStubApiServer((_request, response) => {
        response.setHeader("date", new Date(Date.now() + serverMs).toUTCString());
        sendJson(response, 200, { kind: "Namespace", apiVersion: "v1", metadata: { name: "shop" } });
      });
      const cluster = await openCluster({ kubeconfig: server.kubeconfig, context: undefined }, "test");
      t.after(async () => {
        await cluster.close();
        await server.stop();
      });
      const ref: ObjectRef = { name: "shop" };
      assert.equal(cluster.offsetMs?.(), 0);
      await cluster.kube.read(RESOURCES.namespaces, ref, AbortSignal.timeout(30_000));
      const offset = cluster.offsetMs?.() ?? Number.NaN;
      assert.ok(serverMs === 0 ? offset === 0 : Math.abs(offset - serverMs) < 5_000, `${offset}`);
    });
  }
});
