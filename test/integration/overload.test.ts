import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import type { AdmissionPlace } from "../../src/webhook/admission-gate.ts";
import { REPOSITORY } from "../../tools/repository-files.ts";
import { HEAPS } from "../hostile/memory-limit.ts";
import { apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";

const refusal = controlPlaneRefusal();

describe("a review that is shed, on a real API server", { skip: refusal }, () => {
  let plane: ControlPlane;
  let webhook: ListeningWebhook;
  let toShed = 0;
  let shed = 0;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    const certificate = selfSignedCertificate();
    const room: AdmissionPlace = { hold: () => true, complete: () => undefined, leave: () => undefined };
    const enter = (): AdmissionPlace | undefined => {
      if (shed >= toShed) return room;
      shed += 1;
      return undefined;
    };
    webhook = await startWebhook({
      known: [aClass()],
      certificates: { current: () => certificate, onChange: () => undefined },
      gate: { enter },
    });
    await plane.kubectl(["create", "serviceaccount", "default"]);
    await plane.kubectl(["apply", "-f", "-"], JSON.stringify(configuration(webhook.port, certificate.cert)));
    await eventually(() => isInjected("probe"), { what: "the webhook's effect" });
  });
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function isInjected(name: string): Promise<boolean> {
    const pod = { ...aPod(OPTED_IN), metadata: { ...(aPod(OPTED_IN)["metadata"] as object), name } }; // `aPod` creates the metadata.
    const { body } = await apiRequest(plane, { method: "POST", path: "/api/v1/namespaces/default/pods?dryRun=All", body: pod });
    return JSON.stringify(body).includes('"secrets-store.csi.k8s.io"');
  }

  test("is sent again by the API server itself, so that the pod is injected all the same", async (context) => {
    [toShed, shed] = [2, 0];
    const from = performance.now();

    assert.equal(await isInjected("twice"), true);
    assert.equal(shed, 2);
    context.diagnostic(`2 times shed, injected after ${Math.round(performance.now() - from)} ms`);
  });

  test("comes through untouched where it is shed for longer than the webhook's timeout: the failure policy decides", async () => {
    [toShed, shed] = [1_000, 0];

    assert.equal(await isInjected("never"), false);
    assert.ok(shed >= 2);
    [toShed, shed] = [0, 0];
  });
});

describe("a webhook under attack, on a real API server", { skip: refusal }, () => {
  let plane: ControlPlane;
  let product: Product;
  let webhook: ProductProcess;

  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    webhook = await product.start("webhook", { hasShippedFlags: true, environment: { NODE_OPTIONS: HEAPS.webhook } });
    await plane.kubectl(["create", "serviceaccount", "default"]);
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(aClass()));
    await eventually(async () => (await injected("probe")) === "injected", { what: "the first injected pod" });
  });
  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  async function injected(name: string): Promise<string> {
    const pod = { ...aPod(OPTED_IN), metadata: { ...(aPod(OPTED_IN)["metadata"] as object), name } }; // `aPod` creates the metadata.
    const { body } = await apiRequest(plane, { method: "POST", path: "/api/v1/namespaces/default/pods?dryRun=All", body: pod });
    const text = JSON.stringify(body);
    return text.includes('"driver":"secrets-store.csi.k8s.io"') ? "injected" : text.slice(0, 300);
  }

  for (const [from, whose] of [
    ["127.0.0.1", "the API server's own address"],
    ["127.0.0.2", "another address"],
  ] as const) {
    const skip = process.platform === "linux" ? false : "SKIPPED: needs a second loopback address";
    test(`S1: injects every pod while a thousand connections of ${whose} are silent, slow, lying, asking or not waiting`, {
      skip,
    }, async (context) => {
      const ports = [String(webhook.admissionPort), from, new URL(webhook.healthUrl).port];
      const child = spawn(process.execPath, [path.join(REPOSITORY, "test/support/webhook/flood.ts"), ...ports], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      const flood = startProcess(child, "flood");
      context.after(() => flood.stop(0));
      await once(child.stdout, "data");

      const wrong: string[] = [];
      const [rounds, atOnce] = [10, 20];
      for (let round = 0; round < rounds; round++) {
        const results = await Promise.all(Array.from({ length: atOnce }, (_, index) => injected(`pod-${round}-${index}`)));
        wrong.push(...results.filter((result) => result !== "injected"));
      }

      assert.deepEqual(wrong, []);
      assert.equal(child.exitCode, null, "the flood went on to the end");
      assert.equal(await webhook.isReady(), true);
    });
  }
});

/** Returns the shipped webhook entry with the address of the test's listener. */
function configuration(port: number, ca: string): object {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "shedding" },
    webhooks: [
      {
        name: "pods.keyvault-injector.dev",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        timeoutSeconds: 5,
        failurePolicy: "Ignore",
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
        clientConfig: { url: `https://localhost:${port}/mutate/pods`, caBundle: Buffer.from(ca).toString("base64") },
      },
    ],
  };
}
