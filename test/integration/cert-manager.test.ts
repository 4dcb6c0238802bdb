import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { serviceDnsNames } from "../../src/domain/certificates/names.ts";
import { issueAuthority, issueLeaf, type SigningAuthority } from "../../src/tls/issue.ts";
import { newRsaKey, privateKeyPem } from "../../src/tls/rsa-key.ts";
import { renderKustomization } from "../../tools/render-manifests.ts";
import { kubectlOutput } from "../support/cli/kubectl-output.ts";
import type { AuditEntry } from "../support/cluster/audit.ts";
import { type ControlPlane, controlPlaneBinary, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct, type Product, type ProductProcess } from "../support/cluster/product.ts";
import { at, listAt, MANIFESTS, type Manifest, parseManifests, renderOwnKustomization } from "../support/cluster/shipped-manifests.ts";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { certificatesIn, liveConfiguration, liveSecret, NAMESPACE, SERVICE } from "../support/webhook/certificate-replicas.ts";

const refusal = controlPlaneRefusal();
const EXAMPLE = path.resolve(MANIFESTS, "../certs/cert-manager");

function only(objects: readonly Manifest[], kind: string, name: string): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0] ?? assert.fail();
}

describe("the cert-manager component", { skip: refusal }, () => {
  let here: readonly Manifest[];
  let elsewhere: readonly Manifest[];
  before(async () => {
    here = parseManifests(await renderKustomization(controlPlaneBinary("kubectl"), EXAMPLE));
    const own = {
      namespace: "elsewhere",
      resources: ["overlays/default"],
      components: ["components/cert-manager"],
      transformers: ["namespace-references", "components/cert-manager/namespace-references"],
    };
    elsewhere = parseManifests(await renderOwnKustomization(own));
  });

  test("mounts the certificate's Secret as a folder and names its three files", () => {
    const pod = at(only(here, "Deployment", SERVICE), "spec", "template", "spec");
    const [mount] = listAt(pod, "containers", 0, "volumeMounts");
    const secret = at(only(here, "Certificate", SERVICE), "spec", "secretName");

    assert.deepEqual(mount, { name: "tls", mountPath: "/etc/keyvault-injector/tls", readOnly: true });
    assert.deepEqual(listAt(pod, "volumes"), [{ name: "tls", secret: { secretName: secret, defaultMode: 0o440 } }]);
    assert.deepEqual(listAt(pod, "containers", 0, "args").slice(1), [
      "--tls-cert-file=/etc/keyvault-injector/tls/tls.crt",
      "--tls-key-file=/etc/keyvault-injector/tls/tls.key",
      "--tls-ca-file=/etc/keyvault-injector/tls/ca.crt",
    ]);
  });

  test("leaves caBundle to cert-manager, and the webhook no right on any Secret or configuration", () => {
    for (const kind of ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]) {
      const { annotations } = only(here, kind, NAMESPACE).metadata;
      assert.equal(annotations?.["cert-manager.io/inject-ca-from"], `${NAMESPACE}/${SERVICE}`);
      assert.equal(annotations["admissions.enforcer/disabled"], "true", "beside what the base has");
    }
    const ofWebhook = here.filter(({ kind, metadata }) => kind.startsWith("Role") && metadata.name === SERVICE);
    assert.deepEqual(ofWebhook, []);
    const rules = listAt(only(here, "ClusterRole", SERVICE), "rules");
    assert.deepEqual(
      rules.map((rule) => at(rule, "resources")),
      [["secretproviderclasses"], ["namespaces"]],
    );
  });

  test("asks for the names that API servers call the Service by, in whatever namespace", () => {
    for (const [objects, namespace] of [
      [here, NAMESPACE],
      [elsewhere, "elsewhere"],
    ] as const) {
      assert.deepEqual(at(only(objects, "Certificate", SERVICE), "spec", "dnsNames"), serviceDnsNames(SERVICE, namespace));
      const { annotations } = only(objects, "MutatingWebhookConfiguration", NAMESPACE).metadata;
      assert.equal(annotations?.["cert-manager.io/inject-ca-from"], `${namespace}/${SERVICE}`);
    }
    const named = elsewhere.filter(({ metadata }) => metadata.namespace === NAMESPACE);
    assert.deepEqual(named, []);
  });
});

describe("a webhook with certificate files, as a process on a real API server", { skip: refusal }, () => {
  let plane: ControlPlane;
  let product: Product;
  let webhook: ProductProcess;
  let authority: SigningAuthority;
  let folder: string;
  let started: Promise<ProductProcess>;

  const file = (name: string): string => path.join(folder, name);

  async function putPair(names: readonly string[] = serviceDnsNames(SERVICE, NAMESPACE)): Promise<string> {
    const key = await newRsaKey(2048);
    const cert = issueLeaf(authority, { key, dnsNames: names, now: Date.now() });
    writeFileSync(file("tls.crt"), cert);
    writeFileSync(file("tls.key"), privateKeyPem(key));
    return cert;
  }

  /** Injects the CA as cert-manager's cainjector does. */
  async function injectAuthority(): Promise<void> {
    const caBundle = Buffer.from(authority.pem).toString("base64");
    const add = (index: number) => ({ op: "add", path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle });
    for (const [kind, entries] of [
      ["mutatingwebhookconfiguration", 1],
      ["validatingwebhookconfiguration", 2],
    ] as const) {
      const patch = JSON.stringify(Array.from({ length: entries }, (_, index) => add(index)));
      await plane.kubectl(["patch", kind, NAMESPACE, "--type=json", `-p=${patch}`]);
    }
  }

  async function isInjected(): Promise<boolean> {
    const pod = JSON.stringify(aPod(OPTED_IN));
    const { code, stdout } = await kubectlOutput(plane, ["create", "--dry-run=server", "-o", "json", "-f", "-"], pod);
    return code === 0 && stdout.includes('"secrets-store.csi.k8s.io"');
  }

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "cert-files-"));
    const key = await newRsaKey(2048);
    authority = { pem: issueAuthority(key, Date.now()).pem, key };
    writeFileSync(file("ca.crt"), authority.pem);
    plane = await startControlPlane({ controllerManager: false });
    product = await installProduct(plane);
    await plane.kubectl(["create", "serviceaccount", "default"]);
    await injectAuthority();
    const args = [`--tls-cert-file=${file("tls.crt")}`, `--tls-key-file=${file("tls.key")}`, `--tls-ca-file=${file("ca.crt")}`];
    await putPair();
    started = product.start("webhook", { args });
    webhook = await started;
  });
  after(async () => {
    await product?.stop();
    await plane?.stop();
    rmSync(folder, { recursive: true });
  });

  test("serves what the files hold, and what they are exchanged for", async () => {
    await eventually(isInjected, { what: "an injected pod" });
    await putPair();
    await eventually(() => webhook.log().split("serving the certificate in the files").length === 3, { what: "the second certificate" });
    assert.equal(await isInjected(), true);
    await eventually(() => webhook.isReady());
  });

  test("goes on with the one before where the new one cannot be used, and stays ready", async () => {
    writeFileSync(file("tls.key"), "no key");
    await eventually(() => webhook.log().includes("the certificate in the files cannot be used"), { what: "the error in the log" });
    assert.equal(await webhook.isReady(), true);
    assert.equal(await isInjected(), true);
    await putPair();
  });

  test("is not ready with a certificate that its CA does not vouch for", async () => {
    const other = await newRsaKey(2048);
    const right = readFileSync(file("ca.crt"), "utf8");
    writeFileSync(file("ca.crt"), issueAuthority(other, Date.now()).pem);
    await putPair();
    await eventually(async () => !(await webhook.isReady()), { what: "readiness to go off" });
    const answer = await (await fetch(`${webhook.healthUrl}/readyz`)).text();
    assert.match(answer, /\[-\] serving-chain: the serving certificate does not verify: /);
    writeFileSync(file("ca.crt"), right);
    await putPair();
    await eventually(() => webhook.isReady(), { what: "readiness to come back" });
  });

  test("reads and writes no object for its certificate", async () => {
    const requests = plane.audit().filter(({ user }) => user.endsWith(`:${SERVICE}`));
    // The webhook reads its configuration once, because the configuration names the only instance in the cluster.
    const isInstanceCheck = ({ verb, name }: AuditEntry): boolean => verb === "get" && name === "keyvault-injector";
    const touched = requests.filter((entry) => /secrets$|webhookconfigurations$/.test(entry.resource) && !isInstanceCheck(entry));
    assert.ok(requests.length > 0);
    assert.deepEqual(touched, []);
    assert.equal(await liveSecret(plane), undefined);
    assert.equal(certificatesIn((await liveConfiguration(plane))?.bundle ?? "").length, 1);
  });
});
