import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { describeResult, installForLoad, runRollingRestart } from "../load/rolling-restart.ts";
import { controlPlaneRefusal } from "../support/control-plane.ts";
import type { Product } from "../support/product.ts";

const refusal = controlPlaneRefusal();

/** Half of what `test/load/rolling-restart.ts` sends by itself: other suites run on the same two cores. */
const PER_SECOND = 25;

describe("a rolling restart of both replicas with the CA replaced, under load", { skip: refusal }, () => {
  let product: Product;
  before(async () => {
    product = await installForLoad();
  });
  after(async () => {
    await product?.stop();
    await product?.plane.stop();
  });

  test("loses no pod and denies none, behind a balancer that learns of readiness a second late", async (context) => {
    const result = await runRollingRestart(product, { seconds: 15, perSecond: PER_SECOND, isDraining: true, timeoutSeconds: 30 });

    context.diagnostic(describeResult("draining", result));
    const { missed, denied, failed } = result;
    assert.deepEqual({ missed, denied, failed }, { missed: 0, denied: 0, failed: 0 }, result.messages.join("\n"));
    assert.equal(result.isNewAuthority, true);
    assert.ok(result.injected > 15 * PER_SECOND * 0.9);
  });

  test("control: with draining off at least one is lost", async (context) => {
    const result = await runRollingRestart(product, { seconds: 1, perSecond: PER_SECOND, isDraining: false, timeoutSeconds: 30 });

    context.diagnostic(describeResult("control without draining", result));
    assert.ok(result.missed + result.failed > 0);
  });
});
