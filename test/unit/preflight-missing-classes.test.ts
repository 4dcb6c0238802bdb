import assert from "node:assert/strict";
import { test } from "node:test";
import { WORKLOADS_PATH } from "../../src/webhook/app.ts";
import { aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { startWebhook } from "../support/webhook/listening-webhook.ts";

test("S20-2: a workload whose class does not exist costs a look for that class, and no comparison with others", async (t) => {
  const asked = new Set<string | symbol>();
  const copy = { get: () => undefined, namesIn: () => ["shop-secrets"] };
  const classes = new Proxy(copy, {
    get: (target, member) => {
      asked.add(member);
      return Reflect.get(target, member);
    },
  });
  const webhook = await startWebhook({ settings: { version: "9.9.9-test", strictAnnotations: false, isCallerTrusted: true }, classes });
  t.after(() => webhook.stop());
  const template = aPod({ ...OPTED_IN, "secret-provider-class": "shop-secret" });
  const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { template } };
  const body = JSON.stringify(aReview(object, { resource: { group: "apps", version: "v1", resource: "deployments" } }));
  const { json } = await webhook.post(body, { path: WORKLOADS_PATH });

  assert.deepEqual(json.response?.warnings, [
    'SecretProviderClass "shop-secret" does not exist: pods wait for it (credentials: Secret "secrets-store-creds")',
  ]);
  assert.deepEqual([...asked], ["get"]);
});
