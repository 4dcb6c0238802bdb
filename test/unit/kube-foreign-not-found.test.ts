import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { RESOURCES, type Resource } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import type { PooledKubeConfig } from "../../src/kube/config.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { type StubApiServer, startStubApiServer } from "../support/processes/stub-api-server.ts";

const signal = new AbortController().signal;
const REF = { namespace: "shop", name: "db" };

describe("a 404 without the Status of an API server, as of a proxy before it,", () => {
  let server: StubApiServer;
  let config: PooledKubeConfig;
  let client: KubeClient;
  before(async () => {
    server = await startStubApiServer((_request, response) => response.writeHead(404).end("404 page not found\n"));
    config = loadKubeConfig({ kubeconfig: server.kubeconfig });
    client = createKubeClient(config, { userAgent: "test" });
  });
  after(async () => {
    await config.close();
    await server.stop();
  });

  const served: readonly Resource[] = [
    RESOURCES.secrets,
    RESOURCES.namespaces,
    WORKLOADS.Deployment,
    RESOURCES.roleBindings,
    RESOURCES.leases,
    RESOURCES.podDisruptionBudgets,
    RESOURCES.customResourceDefinitions,
    RESOURCES.mutatingWebhookConfigurations,
  ];
  for (const resource of served) {
    test(`ST5: does not say that the API server serves no ${resource.plural}, because every one does`, async () => {
      const requests = [
        client.read(resource, REF, signal),
        client.readMetadata(resource, REF, signal),
        client.list(resource, {}, signal),
        client.delete(resource, REF, {}, signal),
        client.mergePatch(resource, REF, {}, { fieldManager: "test" }, signal),
      ];
      for (const settled of await Promise.allSettled(requests)) {
        const error: unknown = settled.status === "rejected" ? settled.reason : settled.value;
        assert.ok(error instanceof KubeError, JSON.stringify(error));
        assert.deepEqual([error.code, error.isForeign, error.status, error.mayBeStored], ["Unavailable", true, 404, false]);
      }
    });
  }

  test("ST5: does not say that a ServiceAccount does not exist", async () => {
    const request = client.requestToken(REF, { audience: "a", expirationSeconds: 600 }, signal);
    await assert.rejects(request, { code: "Unavailable", isForeign: true });
  });

  for (const resource of [RESOURCES.secretProviderClasses, RESOURCES.validatingAdmissionPolicies, WORKLOADS.Rollout]) {
    test(`ST5: still says that about ${resource.plural}, which an API server may not serve`, async () => {
      assert.deepEqual(await client.read(resource, REF, signal), { kind: "unserved" });
      await assert.rejects(client.list(resource, {}, signal), { code: "NotFound" });
    });
  }
});
