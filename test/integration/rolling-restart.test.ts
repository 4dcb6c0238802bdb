import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { describeResult, installForLoad, runRollingRestart } from "../load/rolling-restart.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { Product } from "../support/cluster/product.ts";

const refusal = controlPlaneRefusal();

/** Half the rate of `test/load/rolling-restart.ts`, because other suites run on the same two cores. */
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
    let lost = 0;
    // The connections that the API server opens in the decisive second are random: usually a few of some hundred pods are lost, rarely
    // none.
    for (let attempt = 0; attempt < 3 && lost === 0; attempt += 1) {
      const result = await runRollingRestart(product, { seconds: 1, perSecond: PER_SECOND, isDraining: false, timeoutSeconds: 30 });
      context.diagnostic(describeResult("control without draining", result));
      lost = result.missed + result.failed;
    }
    assert.ok(lost > 0);
  });
});
