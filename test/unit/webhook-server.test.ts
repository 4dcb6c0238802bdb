import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import { after, before, describe, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { aClass, aPod, aReview, OPTED_IN } from "../support/fixtures/pods.ts";
import { selfSignedCertificate, swappableCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";
import { type ListeningWebhook, startWebhook } from "../support/webhook/listening-webhook.ts";

const review = (pod: unknown) => JSON.stringify(aReview(pod));
const MIB = 1024 * 1024;

describe("the listening webhook", () => {
  let webhook: ListeningWebhook;
  before(async () => {
    webhook = await startWebhook({ known: [aClass()] });
  });
  after(() => webhook.stop());

  test("answers a review with a patch, in the version asked", async () => {
    const answer = await webhook.post(review(aPod(OPTED_IN)));

    assert.equal(answer.status, 200);
    assert.equal(answer.json.apiVersion, "admission.k8s.io/v1");
    assert.equal(answer.json.response?.uid, "0b4f7a3e-6a0c-4a3f-9a52-3a7c3b1d5e10");
    assert.equal(answer.json.response?.patchType, "JSONPatch");
    assert.deepEqual(answer.json.response?.auditAnnotations, { injected: "true", classes: "akvprovider-demo" });
  });

  test("denies with 422 inside an HTTP 200", async () => {
    const answer = await webhook.post(review(aPod({ inject: "ture" })));

    assert.equal(answer.status, 200);
    assert.equal(answer.json.response?.allowed, false);
    assert.deepEqual(answer.json.response?.status, {
      status: "Failure",
      code: 422,
      reason: "InvalidAnnotation",
      message: 'annotation keyvault-injector.dev/inject is "ture": write "true" or "false"',
    });
  });

  const refused: readonly [string, string | Buffer, RegExp][] = [
    ["truncated JSON", review(aPod(OPTED_IN)).slice(0, -20), /not valid JSON/],
    ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /not valid UTF-8/],
    ["another kind, written after the right one", '{"kind":"AdmissionReview","kind":"Pod"}', /kind must be "AdmissionReview", it is "Pod"/],
    ["lists in lists", `${"[".repeat(200)}${"]".repeat(200)}`, /must be a JSON object/],
    ["another kind", JSON.stringify({ ...aReview({}), kind: "Pod" }), /kind must be "AdmissionReview"/],
    ["another version", JSON.stringify({ ...aReview({}), apiVersion: "v1" }), /apiVersion must be "admission.k8s.io\/v1", it is "v1"/],
    ["a pod that is none", review({ metadata: {}, spec: { containers: "x" } }), /spec.containers must be a list of objects/],
    ["an empty body", "", /not valid JSON/],
  ];
  for (const [which, body, message] of refused) {
    test(`refuses ${which} with 400 and a review that says why`, async () => {
      const answer = await webhook.post(body);

      assert.equal(answer.status, 400);
      assert.equal(answer.json.kind, "AdmissionReview");
      assert.equal(answer.json.response?.allowed, false);
      assert.match(answer.json.response?.status?.message ?? "", message);
    });
  }

  test("refuses another content type or encoding with 400", async () => {
    const text = await webhook.post(review(aPod({})), { headers: { "content-type": "text/plain" } });
    const zipped = await webhook.post(review(aPod({})), { headers: { "content-type": "application/json", "content-encoding": "gzip" } });

    assert.match(text.json.response?.status?.message ?? "", /^Content-Type must be application\/json, it is "text\/plain"$/);
    assert.match(zipped.json.response?.status?.message ?? "", /^Content-Encoding must be absent, it is "gzip"$/);
    assert.deepEqual([text.status, zipped.status], [400, 400]);
  });

  test("refuses a body over 7 MiB with 413, names the request it was, and takes one just below", async () => {
    const padded = (size: number) => review(aPod({ ...OPTED_IN }, { filler: "x".repeat(size) }));
    const over = await webhook.post(padded(7 * MIB));
    const below = await webhook.post(padded(7 * MIB - 2048));

    // As in the bodies of the API server, the uid is the first member of the request. Only `kind` and `apiVersion` of the review come
    // before it.
    assert.equal(over.status, 413);
    assert.equal(over.json.response?.uid, "0b4f7a3e-6a0c-4a3f-9a52-3a7c3b1d5e10");
    assert.match(over.json.response?.status?.message ?? "", /larger than 7 MiB/);
    assert.equal(below.status, 200);
  });

  test("counts a body that never comes to its end as aborted", async () => {
    const socket = connect({ host: "localhost", port: webhook.port, ca: trust(webhook) });
    await once(socket, "secureConnect");
    socket.write("POST /mutate/pods HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
    await eventually(async () => (await metric(webhook, "keyvault_injector_admission_in_flight")) === "1");
    socket.destroy();

    await eventually(async () => (await metric(webhook, 'admission_requests_total{outcome="errored",reason="Aborted"}')) !== "0");
  });

  test("knows one path and one method", async () => {
    assert.equal((await webhook.post("{}", { path: "/mutate/nodes" })).status, 404);
    assert.equal((await webhook.post("", { method: "GET" })).status, 405);
  });

  test("logs one line per decision: whose, what and why, and nothing of the object", async () => {
    const before = webhook.log.length;
    await webhook.post(review({ ...aPod(OPTED_IN), metadata: { generateName: "web-", annotations: { note: "planted-canary" } } }));

    const lines = webhook.log.slice(before);
    assert.equal(lines.length, 1);
    const { durationMs, ...fields } = lines[0]?.fields ?? {};
    assert.deepEqual(fields, {
      uid: "0b4f7a3e-6a0c-4a3f-9a52-3a7c3b1d5e10",
      namespace: "default",
      pod: "web-",
      outcome: "unchanged",
      reason: "NotOptedIn",
    });
    assert.equal(typeof durationMs, "number");
    const everything = JSON.stringify(webhook.log);
    assert.ok(!everything.includes("planted-canary"));
    // The control: the search finds text that is logged.
    assert.ok(everything.includes("web-"));
  });

  test("logs no more of a stranger's texts than names may have", async () => {
    const before = webhook.log.length;
    const long = "x".repeat(1_000_000);
    const forged = [aReview({}, { uid: long }), aReview({}, { namespace: long }), aReview({ metadata: { generateName: long } })];
    for (const body of forged) {
      const { text } = await webhook.post(JSON.stringify(body));
      assert.ok(text.length < 2_000, `an answer of ${text.length} characters`);
    }

    const lines = webhook.log.slice(before).map((line) => JSON.stringify(line));
    assert.equal(lines.length, forged.length);
    assert.ok(lines.every((line) => line.length < 1_000));
  });

  test("has a series for every reason from the start", async () => {
    const fresh = await startWebhook();
    const text = await fresh.registry.metrics();
    await fresh.stop();

    for (const series of [
      '{outcome="patched",reason="Injected"} 0',
      '{outcome="denied",reason="MountPathTaken"} 0',
      '{outcome="errored",reason="InternalError"} 0',
    ]) {
      assert.ok(text.includes(`keyvault_injector_admission_requests_total${series}`), series);
    }
  });
});

describe("a bug of ours", () => {
  test("is HTTP 500 without any of its text, and leaves its place but not its message in the log", async () => {
    const webhook = await startWebhook({
      classes: {
        get: () => {
          throw new Error("planted-canary");
        },
      },
    });
    const answer = await webhook.post(review(aPod(OPTED_IN)));
    await webhook.stop();

    assert.equal(answer.status, 500);
    assert.equal(answer.json.response?.status?.reason, "InternalError");
    assert.ok(!answer.text.includes("planted-canary"));
    assert.ok(!JSON.stringify(webhook.log).includes("planted-canary"));
    assert.match(JSON.stringify(webhook.log), /webhook-server\.test\.ts/);
  });
});

describe("the TLS side", () => {
  test("takes 1.3 only, also after the certificate was swapped under an open connection", async () => {
    const first = selfSignedCertificate("first");
    const second = selfSignedCertificate("second");
    const certificates = swappableCertificate(first);
    const webhook = await startWebhook({ certificates });
    const open = await handshake(webhook.port, first.cert);

    certificates.swap(second);
    const next = await handshake(webhook.port, second.cert);

    assert.equal(open.getPeerCertificate().subject.CN, "first");
    assert.equal(next.getPeerCertificate().subject.CN, "second");
    assert.equal(next.getProtocol(), "TLSv1.3");
    await assert.rejects(handshake(webhook.port, second.cert, "TLSv1.2"));
    open.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match(String(await once(open, "data")), /404/);
    open.destroy();
    next.destroy();
    await webhook.stop();
  });

  test("says that it has no certificate until it has one, and keeps the old one when the new one is broken", async () => {
    const certificates = swappableCertificate(undefined);
    const webhook = await startWebhook({ certificates });
    assert.equal(webhook.server.problem(), "no serving certificate has been issued yet");

    const good = selfSignedCertificate();
    certificates.swap(good);
    assert.equal(webhook.server.problem(), undefined);
    certificates.swap({ cert: good.cert, key: "no key" });

    assert.equal(webhook.server.problem(), undefined);
    (await handshake(webhook.port, good.cert)).destroy();
    assert.ok(webhook.log.some(({ level }) => level === "error"));
    await webhook.stop();
  });
});

describe("draining", () => {
  test("answers what is under way and what still comes during the delay, then stops", async () => {
    const gate = Promise.withResolvers<void>();
    const webhook = await startWebhook({
      clock: { now: () => 0, sleep: (milliseconds, signal) => (milliseconds === 5 ? gate.promise : aborted(signal)) },
    });
    const slow = halfRequest(webhook);
    await eventually(async () => (await metric(webhook, "keyvault_injector_admission_in_flight")) === "1");

    const drained = webhook.server.drain({ delayMs: 5, graceMs: 1000 });
    const during = await webhook.post(review(aPod({})));
    assert.equal(during.headers["connection"], "close");
    assert.equal(webhook.server.problem(), "the admission server is stopping");
    gate.resolve();
    slow.finish();

    assert.equal(await slow.status, 200);
    await drainedOrStuck(drained);
    await assert.rejects(webhook.post(review(aPod({}))), /ECONNREFUSED|socket/);
    webhook.agent.destroy();
  });

  test("cuts a request that does not end within the grace", async () => {
    const webhook = await startWebhook({ clock: { now: () => 0, sleep: async () => undefined } });
    const stuck = halfRequest(webhook);
    await eventually(async () => (await metric(webhook, "keyvault_injector_admission_in_flight")) === "1");

    const cut = assert.rejects(stuck.status);
    await drainedOrStuck(webhook.server.drain({ delayMs: 0, graceMs: 0 }));
    await cut;
    webhook.agent.destroy();
  });
});

/** A wait that only its signal ends. */
async function aborted(signal: AbortSignal): Promise<void> {
  await once(signal, "abort");
}

function halfRequest(webhook: ListeningWebhook): { readonly status: Promise<number>; finish(): void } {
  const body = review(aPod({}));
  const headers = { "content-type": "application/json", "content-length": body.length };
  const outgoing = httpsRequest({
    host: "localhost",
    port: webhook.port,
    path: "/mutate/pods",
    method: "POST",
    agent: webhook.agent,
    headers,
  });
  const status = new Promise<number>((resolve, reject) => {
    outgoing.on("response", (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode ?? 0);
    });
    outgoing.on("error", reject);
  });
  outgoing.write(body.slice(0, 10));
  return { status, finish: () => outgoing.end(body.slice(10)) };
}

async function drainedOrStuck(drained: Promise<void>): Promise<void> {
  const limit = new AbortController();
  const stuck = once(AbortSignal.any([AbortSignal.timeout(10_000), limit.signal]), "abort").then(() => "stuck" as const);
  assert.notEqual(await Promise.race([drained.then(() => "drained"), stuck]), "stuck");
  limit.abort();
}

async function handshake(port: number, ca: string, maxVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.3"): Promise<TLSSocket> {
  const socket = connect({ host: "localhost", servername: "localhost", port, ca, maxVersion, minVersion: "TLSv1.2" });
  await once(socket, "secureConnect");
  return socket;
}

function trust({ agent }: ListeningWebhook): string {
  return String(agent.options.ca);
}

async function metric({ registry }: ListeningWebhook, series: string): Promise<string | undefined> {
  const line = (await registry.metrics()).split("\n").find((text) => !text.startsWith("#") && text.includes(`${series} `));
  return line?.split(" ").at(-1);
}
