import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal();
const ACCOUNT = ["serviceaccount", "keyvault-injector-webhook", "-n", "keyvault-injector"];

describe("the webhook, whose ServiceAccount was deleted and made again", { skip: refusal }, () => {
  let plane: ControlPlane;
  let product: Product;
  let webhook: ProductProcess;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    webhook = await product.start("webhook");
  });
  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  const checks = async (path: string): Promise<string> => (await fetch(`${webhook.healthUrl}${path}`)).text();

  test("U1: is out of the Service within two minutes, says why, and is ready again with a new token", async (context) => {
    assert.equal(await webhook.isReady(), true);
    await plane.kubectl(["delete", ...ACCOUNT]);
    await plane.kubectl(["create", ...ACCOUNT]);
    const from = performance.now();
    const isOut = await eventually(async () => !(await webhook.isReady()), { within: 120_000, every: 500 }).catch(() => false);

    assert.ok(isOut, `ready after two minutes of refused requests: ${await checks("/readyz")}`);
    context.diagnostic(`not ready after ${Math.round((performance.now() - from) / 1_000)} s`);
    assert.match(await checks("/readyz"), /^\[-\] api-access: the API server rejects our token: replace this pod/m);
    assert.match(await checks("/livez"), /^\[\+\] api-access$/m);
    await webhook.stop();
    webhook = await product.start("webhook");
    assert.equal(await webhook.isReady(), true);
  });
});
