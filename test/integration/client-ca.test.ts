import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { apiRequest } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { onOneMachine } from "../support/cluster/one-machine.ts";
import { freePort, type Product, type ProductProcess, productOn } from "../support/cluster/product.ts";
import { at, listAt, MANIFESTS, type Manifest, parseManifests, renderOwnKustomization } from "../support/cluster/shipped-manifests.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";
import { postToWebhook, webhookTarget } from "../support/webhook/webhook-request.ts";

const refusal = controlPlaneRefusal();
const WEBHOOK = "keyvault-injector-webhook";
const FLAG = "--client-ca-file=/etc/keyvault-injector/client-ca/ca.crt";

/** Writes files as the how-to describes them: the API server presents a client certificate to our Service, and to no other webhook. */
function admissionFiles(folder: string, port: number, client: { readonly cert: string; readonly key: string }): string {
  const write = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const [certificate, key] = [write("client.crt", client.cert), write("client.key", client.key)];
  // The how-to's name has no port: a Service uses 443, the default.
  const users = [{ name: `${WEBHOOK}.keyvault-injector.svc:${port}`, user: { "client-certificate": certificate, "client-key": key } }];
  const kubeConfigFile = write("kubeconfig.yaml", JSON.stringify({ apiVersion: "v1", kind: "Config", users }));
  const configuration = { apiVersion: "apiserver.config.k8s.io/v1", kind: "WebhookAdmissionConfiguration", kubeConfigFile };
  const plugins = ["MutatingAdmissionWebhook", "ValidatingAdmissionWebhook"].map((name) => ({ name, configuration }));
  return write("admission.yaml", JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AdmissionConfiguration", plugins }));
}

describe("the component of client certificates", { skip: refusal }, () => {
  let folder: string;
  let plane: ControlPlane;
  let product: Product;
  let webhook: ProductProcess;
  let shipped: readonly Manifest[];
  const client = selfSignedCertificate("kube-apiserver");

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "client-ca-"));
    writeFileSync(path.join(folder, "ca.crt"), client.cert);
    shipped = parseManifests(await renderOwnKustomization({ resources: ["overlays/default"], components: ["components/client-ca"] }));
    const admissionPort = await freePort();
    const config = admissionFiles(folder, admissionPort, client);
    plane = await startControlPlane({ controllerManager: false, apiServerFlags: { "admission-control-config-file": config } });
    await plane.kubectl(["apply", "-k", path.join(MANIFESTS, "crds")]);
    const items = onOneMachine(shipped, admissionPort);
    await plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    product = productOn(plane, { shipped, admissionPort });
    webhook = await product.start("webhook", { args: [`--client-ca-file=${path.join(folder, "ca.crt")}`] });
    await plane.kubectl(["create", "serviceaccount", "default"]);
    const secretObjects = ["db", "web"].map((secretName) => ({ secretName, type: "Opaque", data: [{ objectName: "o", key: "SHARED" }] }));
    const provider = { ...aClass(), spec: { ...aClass().spec, secretObjects } };
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(provider));
  });
  after(async () => {
    await product?.stop();
    await plane?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  async function create(annotations: Readonly<Record<string, string>>): Promise<string> {
    const pod = aPod({ ...OPTED_IN, ...annotations });
    const { body } = await apiRequest(plane, { method: "POST", path: "/api/v1/namespaces/default/pods?dryRun=All", body: pod });
    return JSON.stringify(body);
  }

  test("mounts the ConfigMap as a folder, and names the file in it", () => {
    const deployment = shipped.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === WEBHOOK);
    const pod = at(deployment, "spec", "template", "spec");

    assert.deepEqual(listAt(pod, "containers", 0, "args").at(-1), FLAG);
    assert.deepEqual(listAt(pod, "containers", 0, "volumeMounts"), [
      { name: "client-ca", mountPath: "/etc/keyvault-injector/client-ca", readOnly: true },
    ]);
    const configMap = { name: "keyvault-injector-client-ca", items: [{ key: "ca.crt", path: "ca.crt" }] };
    assert.deepEqual(listAt(pod, "volumes"), [{ name: "client-ca", projected: { sources: [{ configMap }] } }]);
  });

  test("lets the API server in, which shows its certificate, and nobody else", async () => {
    await eventually(async () => (await create({})).includes('"driver":"secrets-store.csi.k8s.io"'), { what: "an injected pod" });

    const target = await webhookTarget(plane, webhook.admissionPort);
    await assert.rejects(postToWebhook(target, "{}"), /certificate required|ECONNRESET|socket hang up/);
    const stranger = selfSignedCertificate("kube-apiserver");
    await assert.rejects(postToWebhook(target, "{}", { cert: stranger.cert, key: stranger.key }));
    const { status } = await postToWebhook(target, "{}", { cert: client.cert, key: client.key });
    assert.equal(status, 400);
  });

  test("has messages name what only the cluster knows, since nobody else reads them", async () => {
    assert.match(await create({ "env-from": "db,web" }), /which both have the key \\"SHARED\\"/);
  });

  test("follows the file: a client of a CA that is taken out gets no answer any more", async () => {
    const target = await webhookTarget(plane, webhook.admissionPort);
    const servername = `${WEBHOOK}.keyvault-injector.svc`;
    const open = connect({ host: "127.0.0.1", port: target.port, ca: target.ca, servername, cert: client.cert, key: client.key });
    await once(open, "secureConnect");
    const closed = once(open.resume(), "close");
    const next = selfSignedCertificate("kube-apiserver, next year");
    writeFileSync(path.join(folder, "ca.crt"), next.cert);

    await closed;
    await assert.rejects(postToWebhook(target, "{}", { cert: client.cert, key: client.key }));
    assert.equal((await postToWebhook(target, "{}", { cert: next.cert, key: next.key })).status, 400);
    // The log arrives through a pipe, so with a delay.
    await eventually(() => webhook.log().includes('"asking clients for certificates of the CAs in the file"'), { what: "the log line" });
  });
});
