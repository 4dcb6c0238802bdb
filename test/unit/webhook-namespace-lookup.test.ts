import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { KubeObject, ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import type { KubeClient, ReadResult } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { createNamespaceLookup } from "../../src/webhook/namespace-lookup.ts";
import { aClass, aPod, aReview, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";

const namespace = (annotations: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "default", annotations },
});

/** An API server that has this namespace, does not have it, or does not answer. */
function kubeWith(found: KubeObject | "none" | "silence", asked: string[] = []): Pick<KubeClient, "read"> {
  return {
    read: async (resource: Resource, ref: ObjectRef): Promise<ReadResult<never>> => {
      asked.push(`${resource.plural} ${ref.namespace ?? ""}/${ref.name}`);
      if (found === "silence") throw new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
      return found === "none" ? { kind: "absent" } : { kind: "found", object: found as never }; // The type is generic in the port.
    },
  };
}

const nothingCached = { get: () => undefined };

describe("the lookup of a Namespace", () => {
  test("gives our annotations of the cached one, without a read", async () => {
    const asked: string[] = [];
    const cached = namespace({ ...prefixed({ containers: "-log" }), "example.com/owner": "somebody" });
    const lookUp = createNamespaceLookup({ namespaces: { get: () => cached }, kube: kubeWith("silence", asked) });

    assert.deepEqual(await lookUp("default"), { kind: "found", annotations: prefixed({ containers: "-log" }) });
    assert.deepEqual(asked, []);
  });

  test("reads one that the cache lacks, once for all who ask together", async () => {
    const asked: string[] = [];
    const lookUp = createNamespaceLookup({ namespaces: nothingCached, kube: kubeWith(namespace(prefixed({ inject: "true" })), asked) });

    const facts = await Promise.all(Array.from({ length: 20 }, () => lookUp("default")));

    assert.deepEqual(facts[0], { kind: "found", annotations: prefixed({ inject: "true" }) });
    assert.deepEqual(asked, ["namespaces /default"]);
  });

  test("says what it could not find, and what it could not find out", async () => {
    assert.deepEqual(await createNamespaceLookup({ namespaces: nothingCached, kube: kubeWith("none") })("x"), { kind: "missing" });
    assert.deepEqual(await createNamespaceLookup({ namespaces: nothingCached, kube: kubeWith("silence") })("x"), { kind: "unknown" });
  });
});

describe("the webhook without an answer about a Namespace", () => {
  let webhook: ListeningWebhook;
  const asked: string[] = [];
  before(async () => {
    webhook = await startWebhook({ known: [aClass()], kube: kubeWith("silence", asked) });
  });
  after(() => webhook.stop());

  test("denies an opted-in pod, and counts that", async () => {
    const { json } = await webhook.post(JSON.stringify(aReview(aPod(OPTED_IN))));

    assert.equal(json.response?.status?.reason, "NamespaceUnknown");
    const metrics = await webhook.registry.metrics();
    assert.match(metrics, /namespace_lookups_total\{result="unknown"\} 1/);
    assert.match(metrics, /requests_total\{outcome="denied",reason="NamespaceUnknown"\} 1/);
  });

  test("does not even ask for one that did not opt in", async () => {
    asked.length = 0;
    const { json } = await webhook.post(JSON.stringify(aReview(aPod({ "mount-path": "/x" }))));

    assert.deepEqual(json.response?.auditAnnotations, { skipped: "NotOptedIn" });
    assert.deepEqual(asked, []);
  });
});
