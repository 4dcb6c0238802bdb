import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:https";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { issueAuthority } from "../../src/tls/issue.ts";
import { newRsaKey } from "../../src/tls/rsa-key.ts";
import { kubectlOutput } from "../support/cli/kubectl-output.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { freePort, installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { certificatesIn, liveConfiguration, liveSecret, NAMESPACE, SERVICE } from "../support/webhook/certificate-replicas.ts";
import { postToWebhook, type WebhookTarget, webhookTarget } from "../support/webhook/webhook-request.ts";

const refusal = controlPlaneRefusal();
const SECRET = "keyvault-injector-ca";
const REVIEW = JSON.stringify(aReview(aPod(OPTED_IN)));

let plane: ControlPlane;
let product: Product;

interface LogLine {
  readonly level: string;
  readonly [field: string]: unknown;
}

function logLines(process: ProductProcess): readonly LogLine[] {
  return process
    .log()
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as LogLine); // Log of our own process.
}

async function deleteSecret(): Promise<void> {
  await plane.kubectl(["delete", "secret", SECRET, "-n", NAMESPACE, "--ignore-not-found"]);
}

async function publishedBundle(): Promise<string> {
  return (await liveConfiguration(plane))?.bundle ?? "";
}

async function setBundle(caBundle: string): Promise<void> {
  const patch = JSON.stringify([{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: caBundle }]);
  await plane.kubectl(["patch", "mutatingwebhookconfiguration", "keyvault-injector", "--type=json", `-p=${patch}`]);
}

/** Whether the API server injects: a dry run of an opted-in pod returns our volume. */
async function isInjected(): Promise<boolean> {
  const pod = JSON.stringify(aPod(OPTED_IN));
  const { code, stdout } = await kubectlOutput(plane, ["create", "--dry-run=server", "-o", "json", "-f", "-"], pod);
  return code === 0 && stdout.includes('"secrets-store.csi.k8s.io"');
}

/**
 * Returns the fingerprint of the certificate that a client gets if it trusts only the target's CA. Rejects if that CA did not sign the
 * certificate.
 */
async function servedFingerprint({ port, ca }: WebhookTarget): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, ca, servername: `${SERVICE}.${NAMESPACE}.svc` });
  try {
    await once(socket, "secureConnect");
    assert.equal(socket.authorized, true);
    return socket.getPeerX509Certificate()?.fingerprint256 ?? "";
  } finally {
    socket.destroy();
  }
}

describe("the webhook's certificates, as a process on a real API server", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    await plane.kubectl(["create", "serviceaccount", "default"]);
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  const half: readonly [string, Readonly<Record<string, string>>, string, RegExp][] = [
    ["garbage", { "ca.crt": "hello", "ca.key": "world" }, "CertificateUnparsable", /ca\.crt/],
    ["nothing but a certificate", {}, "KeyMissing", /ca\.key/],
  ];
  for (const [title, data, reason, key] of half) {
    test(`a CA Secret that holds ${title} when the webhook starts is named in the log, put in order, and admission works`, async () => {
      const content = reason === "KeyMissing" ? { "ca.crt": issueAuthority(await newRsaKey(2048), Date.now()).pem } : data;
      await deleteSecret();
      const metadata = { name: SECRET, namespace: NAMESPACE };
      await plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData: content }));

      const webhook = await product.start("webhook");

      const repair = logLines(webhook).find((line) => line["reason"] === reason);
      assert.equal(repair?.level, "warn", webhook.log());
      assert.equal(repair["secret"], `${NAMESPACE}/${SECRET}`);
      assert.match(String(repair["problem"]), key);
      assert.match(String(repair["action"]), /created a new CA/);
      await eventually(isInjected, { what: "an injected pod" });
      await webhook.kill();
    });
  }

  describe("while it runs", () => {
    let webhook: ProductProcess;
    before(async () => {
      await deleteSecret();
      webhook = await product.start("webhook");
    });
    after(async () => {
      await webhook.kill();
    });

    for (const [title, bundleOf] of [
      ["wiped", () => ""],
      ["overwritten", async () => Buffer.from(issueAuthority(await newRsaKey(2048), Date.now()).pem).toString("base64")],
    ] as const) {
      test(`a caBundle that is ${title} is back within seconds, and admission with it`, async (context) => {
        const wanted = await publishedBundle();
        const wrong = await bundleOf();
        const start = performance.now();
        await setBundle(wrong);

        await eventually(async () => (await publishedBundle()) === wanted, { within: 10_000, what: "the bundle" });
        context.diagnostic(`back after ${Math.round(performance.now() - start)} ms, kubectl's own time included`);
        await eventually(isInjected, { what: "an injected pod" });
      });
    }
  });

  test("two replicas started at once, with no CA there yet, agree on one and serve leaves of their own that the bundle vouches for", async () => {
    await deleteSecret();
    await setBundle("");
    const ports = [await freePort(), await freePort()];

    const replicas = await Promise.all(ports.map((port) => product.start("webhook", { args: [`--admission-port=${port}`] })));

    const bundle = await publishedBundle();
    assert.equal(certificatesIn(bundle).length, 1);
    assert.equal(bundle.trim(), (await liveSecret(plane))?.ca.trim());
    const served = await Promise.all(ports.map((port) => servedFingerprint({ port, ca: bundle })));
    assert.equal(new Set(served).size, 2);
    const foreign = issueAuthority(await newRsaKey(2048), Date.now()).pem;
    await assert.rejects(servedFingerprint({ port: ports[0] ?? 0, ca: foreign }), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
    await Promise.all(replicas.map((replica) => replica.kill()));
  });

  test("told to end, it answers what is under way and what still comes in, then ends with code 0", async (context) => {
    const webhook = await product.start("webhook");
    const target = await webhookTarget(plane, webhook.admissionPort);
    const agent = new Agent({ keepAlive: true, ca: target.ca });
    assert.equal((await postToWebhook(target, REVIEW, { agent })).status, 200);
    const ended = webhook.stop();
    await eventually(() => logLines(webhook).some((line) => line["signal"] === "SIGTERM"));
    const onOldConnection = await postToWebhook(target, REVIEW, { agent });
    const isReadyNow = await webhook.isReady();
    const isInjectedNow = await isInjected();
    const { answered, refusedWith, underWay } = await postUntilRefused(target);
    // Finish only now, when the server no longer accepts connections: this is the hardest moment for the request in progress.
    underWay.finish();
    const finished = await underWay.answer;
    const code = await ended;

    context.diagnostic(`${answered} requests answered after SIGTERM, the next one got ${refusedWith}`);
    assert.equal(onOldConnection.status, 200);
    assert.equal(isReadyNow, false);
    assert.equal(isInjectedNow, true);
    assert.ok(answered >= 10);
    assert.equal(finished, 200);
    assert.equal(code, 0);
    agent.destroy();
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));
});

/** The kernel resets a connection that arrives while the port closes, instead of refusing it. */
const NOBODY_THERE: readonly string[] = ["ECONNREFUSED", "ECONNRESET"];

/** The webhook waits two seconds for a body. This delay is shorter. */
const HALF_MS = 1_000;

interface Refused {
  readonly answered: number;
  readonly refusedWith: string;
  /** Half of a review, which the webhook had started to receive and was still waiting for. */
  readonly underWay: HalfRequest;
}

/** Sends reviews one after the other, each over a new connection, while another request is always in progress. */
async function postUntilRefused(target: WebhookTarget): Promise<Refused> {
  let underWay = await openHalf(target);
  for (let answered = 0; ; answered += 1) {
    try {
      if (performance.now() - underWay.since > HALF_MS) {
        const next = await openHalf(target);
        underWay.finish();
        assert.equal(await underWay.answer, 200);
        underWay = next;
      }
      assert.equal((await postToWebhook(target, REVIEW)).status, 200);
    } catch (error) {
      const refusedWith = error instanceof Error && "code" in error ? String(error.code) : "no answer";
      if (!NOBODY_THERE.includes(refusedWith)) throw error;
      return { answered, refusedWith, underWay };
    }
  }
}

interface HalfRequest {
  readonly since: number;
  readonly answer: Promise<number>;
  finish(): void;
}

/**
 * Resolves when the server has accepted the connection and the first half is on its way. Rejects if the server does not accept the
 * connection.
 */
async function openHalf({ port, ca }: WebhookTarget): Promise<HalfRequest> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(REVIEW) };
  const servername = `${SERVICE}.${NAMESPACE}.svc`;
  const outgoing = request({ host: "127.0.0.1", port, ca, servername, path: "/mutate/pods", method: "POST", agent: false, headers });
  const answer = new Promise<number>((resolve, reject) => {
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      incoming.resume();
      incoming.on("end", () => resolve(incoming.statusCode ?? 0));
    });
  });
  await new Promise<void>((resolve, reject) => {
    answer.catch(reject);
    outgoing.write(REVIEW.slice(0, 100), () => resolve());
  });
  return { since: performance.now(), answer, finish: () => void outgoing.end(REVIEW.slice(100)) };
}
