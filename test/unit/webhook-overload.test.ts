import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAdmissionGate } from "../../src/webhook/admission-gate.ts";
import { startWebhook } from "../support/listening-webhook.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/pods.ts";

const REVIEW = JSON.stringify(aReview(aPod(OPTED_IN)));

describe("the admission gate", () => {
  test("lets in as many reviews as it says, and the next one when one has left", () => {
    const gate = createAdmissionGate({ reviews: 2, bytes: 1_000 });
    const leave = gate.enter(1);
    assert.ok(leave && gate.enter(1));
    assert.equal(gate.enter(1), undefined);
    leave();
    assert.ok(gate.enter(1));
  });

  test("bounds the bytes of all bodies, takes an untold length for the longest, and lets a single one in whatever its size", () => {
    const gate = createAdmissionGate({ reviews: 10, bytes: 1_000 });
    const leave = gate.enter(5_000);
    assert.ok(leave);
    assert.equal(gate.enter(1), undefined);
    leave();
    assert.ok(gate.enter(600) && gate.enter(400));
    assert.equal(gate.enter(1), undefined);
    const fresh = createAdmissionGate({ reviews: 10, bytes: 8 * 1024 * 1024 });
    assert.ok(fresh.enter(undefined));
    assert.equal(fresh.enter(undefined), undefined);
  });
});

describe("an overloaded webhook", () => {
  test("says so at once, with the second after which to ask again, counts it, and goes on on the same connection", async () => {
    let isOpen = false;
    const webhook = await startWebhook({ known: [aClass()], gate: { enter: () => (isOpen ? () => undefined : undefined) } });

    const shed = await webhook.post(REVIEW);
    isOpen = true;
    const next = await webhook.post(REVIEW);
    const metrics = await webhook.registry.metrics();
    await webhook.stop();

    assert.equal(shed.status, 429);
    assert.equal(shed.headers["retry-after"], "1");
    assert.notEqual(shed.headers["connection"], "close");
    assert.equal(shed.json.response?.allowed, false);
    assert.equal(shed.json.response?.status?.reason, "Overloaded");
    assert.equal(next.json.response?.patchType, "JSONPatch");
    assert.match(metrics, /keyvault_injector_admission_requests_total\{outcome="errored",reason="Overloaded"\} 1/);
    assert.match(metrics, /keyvault_injector_admission_in_flight 0/);
  });

  test("serves the preflight paths through the same gate, and knows POST only", async () => {
    const webhook = await startWebhook({ gate: { enter: () => undefined } });
    for (const path of ["/validate/workloads", "/validate/secretproviderclasses"]) {
      assert.equal((await webhook.post(REVIEW, { path })).status, 429);
      assert.equal((await webhook.post("", { path, method: "GET" })).status, 405);
    }
    await webhook.stop();
  });
});
