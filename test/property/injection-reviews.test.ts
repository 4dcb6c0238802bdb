import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import { aClass } from "../support/fixtures/pods.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";
import { additionsIn, changesIn } from "./injection-additions.ts";
import { injectablePod, reviewOf } from "./injection-pods.ts";

const REVIEWS = 200;

type Json = Readonly<Record<string, unknown>>;

describe("reviews with invented fields at every level, posted over HTTPS", () => {
  let webhook: ListeningWebhook;
  before(async () => {
    webhook = await startWebhook({ known: [aClass({}, "a"), aClass({ clientID: "c" }, "b")] });
  });
  after(() => webhook.stop());

  test(`${REVIEWS} of them: the patch changes no field that was there, and the patched pod gets none`, async (context) => {
    let patches = 0;
    let additions = 0;
    await fc.assert(
      fc.asyncProperty(reviewOf(injectablePod), async (review) => {
        const pod = objectOf(review);
        const first = await webhook.post(JSON.stringify(review));
        assert.equal(first.status, 200, first.text);
        assert.equal(first.json.response?.allowed, true, first.text);
        const patch = JSON.parse(Buffer.from(first.json.response?.patch ?? "", "base64").toString("utf8"));
        const patched = jsonpatch.applyPatch(JSON.parse(JSON.stringify(pod)), patch, true).newDocument;

        assert.deepEqual(changesIn(pod, patched), []);
        patches += 1;
        additions += additionsIn(pod, patched).length;
        const second = await webhook.post(JSON.stringify({ ...review, request: { ...requestOf(review), object: patched } }));
        assert.equal(second.json.response?.patch, undefined);
        assert.deepEqual(second.json.response?.auditAnnotations, { skipped: "AlreadyInjected" });
      }),
      { numRuns: REVIEWS, seed: 20261124 },
    );
    context.diagnostic(`${patches} patches applied, ${additions} additions, 0 other changes, 0 second patches`);
    assert.equal(patches, REVIEWS);
    assert.ok(additions >= REVIEWS * 4);
  });
});

function requestOf(review: Json): Json {
  return review["request"] as Json; // The generator always makes it.
}

function objectOf(review: Json): Json {
  return requestOf(review)["object"] as Json;
}
