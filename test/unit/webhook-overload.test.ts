import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type AdmissionPlace, createAdmissionGate } from "../../src/webhook/admission-gate.ts";
import { aClass, aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { startWebhook } from "../support/webhook/listening-webhook.ts";

const REVIEW = JSON.stringify(aReview(aPod(OPTED_IN)));
const ROOM: AdmissionPlace = { hold: () => true, complete: () => undefined, leave: () => undefined };

/** Enters named reviews into a gate, and records those that lost their place. */
function enterer(limits: { readonly reviews: number; readonly bytes: number }) {
  const gate = createAdmissionGate(limits);
  const displaced: string[] = [];
  const enter = (peer: string, name: string, bytes = 0): AdmissionPlace | undefined => {
    const place = gate.enter(peer, () => displaced.push(name));
    if (bytes > 0) place?.hold(bytes);
    return place;
  };
  return { enter, displaced };
}

describe("the admission gate", () => {
  test("lets in as many reviews as it says, and then one for another: the oldest of the peer that has the most", () => {
    const { enter, displaced } = enterer({ reviews: 3, bytes: 1_000 });
    for (const name of ["a1", "a2", "a3"]) enter("a", name);
    assert.deepEqual(displaced, []);
    enter("b", "b1");
    assert.deepEqual(displaced, ["a1"]);
    enter("b", "b2");
    enter("a", "a4");
    assert.deepEqual(displaced, ["a1", "b1", "a2"]);
  });

  test("has room again when one has left, and none for one that was displaced", () => {
    const { enter, displaced } = enterer({ reviews: 1, bytes: 1_000 });
    const first = enter("a", "first");
    const second = enter("a", "second");
    assert.equal(first?.hold(1), false);
    first?.leave();
    second?.leave();
    const third = enter("b", "third");
    assert.equal(third?.hold(1_000), true);
    assert.deepEqual(displaced, ["first"]);
  });

  test("bounds the bytes that have arrived: the largest body of the peer that holds the most goes, if it is not the one that grows", () => {
    const { enter, displaced } = enterer({ reviews: 100, bytes: 1_000 });
    enter("a", "a-small", 100);
    enter("a", "a-large", 700);
    const other = enter("b", "b");
    assert.equal(other?.hold(300), true);
    assert.deepEqual(displaced, ["a-large"]);
    assert.equal(enter("c", "c")?.hold(900), false);
    assert.deepEqual(displaced, ["a-large"]);
    other?.leave();
    assert.equal(enter("c", "c")?.hold(900), true);
  });

  test("lets a single one hold what it has to, and frees what its body took when its answer takes less", () => {
    const { enter } = enterer({ reviews: 10, bytes: 1_000 });
    const alone = enter("a", "alone");
    assert.equal(alone?.hold(5_000), true);
    assert.equal(alone.hold(10), true);
    assert.equal(enter("a", "next")?.hold(900), true);
  });

  test("counts a peer that has shown who it is with nobody, and displaces nothing of it", () => {
    const { enter, displaced } = enterer({ reviews: 2, bytes: 1_000 });
    for (const name of ["v1", "v2", "v3", "v4"]) assert.ok(enter("verified", name, 300));
    assert.equal(enter("a", "stranger"), undefined);
    assert.deepEqual(displaced, []);
  });
});

describe("an overloaded webhook", () => {
  test("says so at once, with the second after which to ask again, counts it, and goes on on the same connection", async () => {
    let isOpen = false;
    const webhook = await startWebhook({ known: [aClass()], gate: { enter: () => (isOpen ? ROOM : undefined) } });

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
