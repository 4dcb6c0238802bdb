import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { createServer, type Server } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import type { ServingCertificate } from "../../src/domain/ports/certificate-source.ts";
import { type ApiAnswer, apiRequest, JSON_PATCH } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { proxiedKubeconfig } from "../support/cluster/kube-access.ts";
import { assertNothingForbidden } from "../support/cluster/own-requests.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";
import { samplesOf } from "../support/worker/metric-samples.ts";

// Checks what happens to pods while the webhook is absent or faulty, in every possible way.

const refusal = controlPlaneRefusal();
const SERVICE = "keyvault-injector-webhook.keyvault-injector.svc";
const CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/keyvault-injector";
const POLICY = /ValidatingAdmissionPolicy 'keyvault-injector-pod-volume'.*the injector was unavailable.*Controllers retry automatically/;

/** Pods that did not opt in. The API server calls the webhook for all but the first. */
const OTHERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "without annotations of ours": {},
  "opted out": { ...OPTED_IN, inject: "false" },
  "with a class and no opt-in": { "secret-provider-class": "akvprovider-demo" },
  "with a key that is spelt wrong": { Inject: "true" },
  "with a wrong value beside": { "restart-on-rotation": "maybe", "mount-path": "x" },
};

let plane: ControlPlane;
let product: Product;
let webhook: ProductProcess;
let port: number;
let fake: Server | undefined;
/** Number of times that the API server reached the faulty point. It proves that the outage is the intended one. */
let met = 0;
let serial = 0;
/** Specs of the same pods as the API server stores them with a healthy webhook. */
const healthy = new Map<string, unknown>();

function create(annotations: Readonly<Record<string, string>>, query = ""): Promise<ApiAnswer> {
  const pod = aPod(annotations, { automountServiceAccountToken: false });
  const body = { ...pod, metadata: { ...Object(pod["metadata"]), name: `pod-${++serial}` } };
  return apiRequest(plane, { method: "POST", path: `/api/v1/namespaces/default/pods${query}`, body });
}

/** Returns the stored pod without the fields that differ for each pod. */
function kept({ body }: ApiAnswer): unknown {
  const { labels, annotations } = Object(at(body, "metadata"));
  return { labels, annotations, spec: at(body, "spec") };
}

async function trust(ca: string): Promise<void> {
  const value = Buffer.from(ca).toString("base64");
  const body = [{ op: "add", path: "/webhooks/0/clientConfig/caBundle", value }];
  assert.equal((await apiRequest(plane, { method: "PATCH", path: CONFIGURATION, contentType: JSON_PATCH, body })).status, 200);
}

function listen(server: Server): Promise<void> {
  fake = server;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

const trusted = selfSignedCertificate("trusted", [SERVICE]);
const other = selfSignedCertificate("other", [SERVICE]);
const misnamed = selfSignedCertificate("misnamed", ["elsewhere.example"]);

/** Answers every review with this status and body, over TLS that the API server accepts. */
const answering = (status: number, body: string) => async (): Promise<void> => {
  const server = createHttpsServer(trusted, (_request, response) => {
    met += 1;
    response.writeHead(status).end(body);
  });
  await listen(server);
  await trust(trusted.cert);
};

/** Accepts connections but never receives a request. */
const unasked = (server: Server): Promise<void> => listen(server.on("connection", () => (met += 1)));

const presenting = (certificate: ServingCertificate): Server =>
  createHttpsServer(certificate, (_request, response) => void response.end("{}"));

const refusingReview = JSON.stringify({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  response: { uid: "of-another-request", allowed: false, status: { message: "no" } },
});

const OUTAGES: Readonly<Record<string, () => Promise<void>>> = {
  "nobody listens": async () => void (met += 1),
  "connections are taken and nothing comes back": () => unasked(createServer(() => undefined)),
  "it speaks no TLS": () => unasked(createHttpServer((_request, response) => void response.end("{}"))),
  "its certificate is of another CA": () => unasked(presenting(other)),
  "its certificate has another name": async () => {
    await unasked(presenting(misnamed));
    await trust(misnamed.cert);
  },
  "caBundle holds another CA": async () => {
    await unasked(presenting(trusted));
    await trust(other.cert);
  },
  "it answers 500": answering(500, "{}"),
  "it answers 429": answering(429, "{}"),
  "it answers something that is no review": answering(200, "hello"),
  "it answers about another request": answering(200, refusingReview),
};

describe("while the webhook is broken", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    await plane.kubectl(["create", "serviceaccount", "default"]);
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(aClass()));
    webhook = await product.start("webhook");
    port = webhook.admissionPort;
    for (const [which, annotations] of Object.entries(OTHERS)) healthy.set(which, kept(await create(annotations)));
    await eventually(isInjected, { what: "an injected pod" });
    await webhook.kill();
  });

  afterEach(async () => {
    const closing = fake;
    fake = undefined;
    if (closing === undefined) return;
    if ("closeAllConnections" in closing && typeof closing.closeAllConnections === "function") closing.closeAllConnections();
    closing.close();
  });

  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  for (const [outage, begin] of Object.entries(OUTAGES)) {
    test(`${outage}: what did not opt in is stored as ever, and what did is refused by the policy`, async () => {
      met = 0;
      await begin();
      await eventually(async () => POLICY.test(messageOf(await create(OPTED_IN, "?dryRun=All"))) && met > 0, { what: "the outage" });

      const [optedIn, ...stored] = await Promise.all([
        create(OPTED_IN),
        ...Object.entries(OTHERS).map(async ([which, annotations]) => ({ which, answer: await create(annotations) })),
      ]);

      assert.equal(optedIn.status, 422);
      assert.match(messageOf(optedIn), POLICY);
      for (const { which, answer } of stored) {
        assert.equal(answer.status, 201, `${which}: ${messageOf(answer)}`);
        assert.deepEqual(kept(answer), healthy.get(which), which);
      }
    });
  }

  test("and when it is back, so is injection, with nothing done by hand", async () => {
    webhook = await product.start("webhook");

    await eventually(isInjected, { what: "an injected pod" });
  });

  test("behind a slow connection, a pod is injected by the defaults of a Namespace that the copy lacks yet", async () => {
    await webhook.stop();
    const account = { namespace: "keyvault-injector", name: "keyvault-injector-webhook" };
    const { proxy, kubeconfig } = await proxiedKubeconfig({ ...plane, kubeconfigPath: await plane.kubeconfigFor(account) });
    try {
      webhook = await product.start("webhook", { environment: { KUBECONFIG: kubeconfig } });
      await eventually(isInjected, { what: "an injected pod" });
      proxy.delayMs = 100;

      const reads = async (): Promise<number | undefined> =>
        samplesOf(await webhook.metrics()).value("admission_namespace_lookups_total", { result: "read" });
      // On a slow machine, the informer may receive the namespace before the pod needs it.
      for (let made = 1; made <= 30 && (await reads()) === 0; made++) await assertInjectedAtOnce(`just-made-${made}`);
      assert.equal(await reads(), 1);
    } finally {
      await webhook.stop();
      await proxy.stop();
    }
  });

  test("no request of the webhook was answered 403", (context) => assertNothingForbidden(plane, context));
});

/** Creates a new namespace that names a class, and immediately afterwards a pod in it that only opts in. Asserts that it is injected. */
async function assertInjectedAtOnce(namespace: string): Promise<void> {
  const post = async (path: string, body: object): Promise<ApiAnswer> => {
    const answer = await apiRequest(plane, { method: "POST", path, body });
    assert.equal(answer.status, 201, messageOf(answer));
    return answer;
  };
  const annotations = prefixed({ "secret-provider-class": OPTED_IN["secret-provider-class"] });
  await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, annotations } });
  const serviceAccount = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  const classes = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${namespace}/secretproviderclasses`;
  await Promise.all([
    post(`/api/v1/namespaces/${namespace}/serviceaccounts`, serviceAccount),
    post(classes, aClass({}, "akvprovider-demo", namespace)),
  ]);
  const pod = await post(`/api/v1/namespaces/${namespace}/pods`, aPod({ inject: "true" }, { automountServiceAccountToken: false }));
  assert.ok(listAt(pod.body, "spec", "volumes").some((volume) => at(volume, "csi") !== undefined));
}

const messageOf = ({ body }: ApiAnswer): string => String(at(body, "message"));

async function isInjected(): Promise<boolean> {
  const { body } = await create(OPTED_IN, "?dryRun=All");
  return listAt(body, "spec", "volumes").some((volume) => at(volume, "csi") !== undefined);
}
