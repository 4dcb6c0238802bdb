import assert from "node:assert/strict";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { WEBHOOK_CONFIGURATION, WEBHOOK_ENTRY } from "../../src/domain/certificates/names.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { SimulatedCluster } from "../support/simulation/cluster.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const { signal } = new AbortController();

/** Returns the code with a process whose first key cannot be made, as for a lack of memory or of threads. */
async function withoutFirstKey(): Promise<typeof import("../../src/tls/certificate-pass.ts")> {
  const generate = promisify(crypto.generateKeyPair);
  let keys = 0;
  const failing = (type: "rsa", options: crypto.RSAKeyPairKeyObjectOptions): Promise<unknown> => {
    keys += 1;
    return keys === 1 ? Promise.reject(new Error("Cannot allocate memory")) : generate(type, options);
  };
  const generateKeyPair = Object.assign(() => undefined, { [promisify.custom]: failing });
  Object.assign(crypto, { generateKeyPair });
  syncBuiltinESMExports();
  return import("../../src/tls/certificate-pass.ts");
}

describe("the serving certificate", () => {
  test("RC5: is issued with another key if the first one could not be made", async () => {
    const { CertificatePass } = await withoutFirstKey();
    const cluster = new SimulatedCluster(systemClock);
    const webhooks = [{ name: WEBHOOK_ENTRY, clientConfig: {} }];
    const configuration = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", webhooks };
    cluster.put(RESOURCES.mutatingWebhookConfigurations, { ...configuration, metadata: { name: WEBHOOK_CONFIGURATION } });
    const { client } = cluster;
    const options = { client, clock: systemClock, logger: recordingLogger(), namespace: "install", podName: "p", service: "webhook" };
    const pass = new CertificatePass(options);

    const hasFailed = [(await pass.run(signal)).failed, (await pass.run(signal)).failed];

    assert.deepEqual(hasFailed, [true, false]);
    assert.match(pass.readiness().message, /^serving a certificate/);
  });
});
