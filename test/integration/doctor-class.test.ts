import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ClassFinding, LeafName } from "../../src/cli/doctor/class/leaves.ts";
import { LEAVES } from "../../src/cli/doctor/class/leaves.ts";
import type { ReportedWalk } from "../../src/cli/doctor/class/walk.ts";
import { SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { managedIdentityEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { findLeaks } from "../support/worker/canary.ts";
import { classPath, find, mergePatch, opaque, type Place, reasonIs, secretPath } from "../support/worker/sync-world.ts";
import { classFaults } from "./doctor-class/class-faults.ts";
import { type Asked, CANARY, DoctoredClasses } from "./doctor-class/doctored-classes.ts";
import type { Fault } from "./doctor-class/fault.ts";
import { networkFaults } from "./doctor-class/network-faults.ts";
import { statusFaults } from "./doctor-class/status-faults.ts";
import { tokenFaults } from "./doctor-class/token-faults.ts";
import { vaultFaults } from "./doctor-class/vault-faults.ts";

const refusal = controlPlaneRefusal();
const here = new DoctoredClasses();
const reached = new Set<LeafName>();

async function walk({ namespace, name }: Place, asked: Asked = {}): Promise<ReportedWalk> {
  const { output, notes } = await here.ask(["doctor", "class", `${namespace}/${name}`, "-o", "json"], asked);
  assert.deepEqual(notes, []);
  const report: { readonly report: string; readonly format: number; readonly walks: readonly ReportedWalk[] } = JSON.parse(output);
  assert.deepEqual([report.report, report.format], ["classes", 1]);
  const [only] = report.walks;
  assert.ok(only !== undefined);
  for (const { leaf } of only.findings) reached.add(leaf);
  return only;
}

/** Asserts that the walk ends at the leaf and gives advice in one sentence. */
async function assertLeaf(
  place: Place,
  leaf: LeafName,
  { message = /./, ...asked }: Asked & { readonly message?: RegExp } = {},
): Promise<ClassFinding> {
  const { findings } = await walk(place, asked);
  const hit = findings.find((finding) => finding.leaf === leaf);
  assert.ok(hit !== undefined, `${leaf} is not among ${JSON.stringify(findings, null, 1)}`);
  assert.deepEqual([hit.state, hit.step], [LEAVES[leaf].state, LEAVES[leaf].step]);
  assert.match(hit.message, message);
  if (hit.state !== "OK")
    assert.match(hit.fix ?? "", /^[A-Z].*([^.]\.|: (kubectl|keyvault-injector) .*[^.])$/s, `${leaf} ends in a sentence, or in a command`);
  return hit;
}

function testFaults(faults: readonly Fault[]): void {
  for (const { leaf, title = `${leaf}: ${LEAVES[leaf].meaning}`, plant, asked, message, repair } of faults) {
    test(title, async () => {
      const place = await plant();
      try {
        const pattern = typeof message === "function" ? message() : message;
        await assertLeaf(place, leaf, { ...(await asked?.(place)), ...(pattern === undefined ? {} : { message: pattern }) });
      } finally {
        await repair?.();
      }
    });
  }
}

describe("doctor class", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(() => here.start());
  after(() => here.stop());

  describe("ends at the leaf of the fault that was planted:", () => {
    testFaults(classFaults(here));
    testFaults(networkFaults(here));
    testFaults(tokenFaults(here));
    testFaults(vaultFaults(here));
    testFaults(statusFaults(here));
  });

  describe("with a worker", () => {
    let worker: ProductProcess;
    let place: Place;

    before(async () => {
      worker = await here.sync.product.start("sync", { args: ["--enable-secret-rotation=false"] });
      place = await here.aClass();
      await reasonIs(here.sync.plane, place, "Synced");
    });

    test("finds nothing to do for a class that is mirrored, through every step of the tree", async () => {
      const { state, next, findings } = await walk(place);

      assert.deepEqual([state, next], ["OK", undefined], JSON.stringify(findings, null, 1));
      assert.deepEqual(
        findings.map(({ leaf }) => leaf),
        ["class-ok", "identity-ok", "network-ok", "network-ok", "token-ok", "permission-ok", "object-ok", "status-ok", "secret-ok"],
      );
    });

    test("walks a class with workload identity with a token that the user may ask for", async () => {
      const own = await here.federated();
      const provider = await find<{
        readonly apiVersion: string;
        readonly kind: string;
        readonly metadata: { readonly name: string };
        readonly spec: { readonly parameters: { readonly clientID: string } };
      }>(here.sync.plane, classPath(own.namespace, own.name));
      const appId = provider?.spec.parameters.clientID ?? "";
      await here.sync.emulator.addFederatedCredential({
        appId,
        issuer: here.issuer,
        subject: `system:serviceaccount:${own.namespace}:app`,
      });

      await assertLeaf(own, "object-ok");
    });

    test("walks with the worker's own rights, in its pod, a class that the node's identity reads", async () => {
      const { appId } = await here.sync.emulator.createManagedIdentity({ kind: "user", tenantId: here.sync.tenantId });
      await here.sync.emulator.grant({ vault: here.sync.vault, appId, permissions: ["get"] });
      const own = await here.aClass({ parameters: { useVMManagedIdentity: "true", userAssignedIdentityID: appId } });
      const kubeconfig = await here.sync.plane.kubeconfigFor({ namespace: "keyvault-injector", name: "keyvault-injector-sync" });
      const environment = { ...managedIdentityEnvironment(here.sync.emulator), KUBERNETES_SERVICE_HOST: "10.0.0.1" };

      await assertLeaf(own, "object-ok", { kubeconfig, environment });
      const { findings } = await walk(place, { kubeconfig });
      assert.deepEqual(
        findings.filter(({ state: found }) => found !== "OK"),
        [],
        "the worker's rights are enough for every step",
      );
    });

    test("tells of a Secret that was edited while no worker looked", async () => {
      await worker.stop();
      await mergePatch(here.sync.plane, secretPath(place.namespace, "app"), { stringData: { value: "edited" } });

      await assertLeaf(place, "secret-edited", { message: /has other content than the worker wrote/ });
    });

    test("tells of a version that the vault has and the Secret has not", async () => {
      const other = await here.sync.object("first");
      const own = await here.aClass({ objects: [other], secretObjects: [opaque("app", other)] });
      const version = await here.currentVersion(other);
      await here.setStatus(own, {
        secrets: [{ name: "app", state: "Synced", data: [{ key: "value", object: `secret/${other}`, version }] }],
      });
      const annotations = { [SECRET_ANNOTATIONS.class]: own.name, [SECRET_ANNOTATIONS.objects]: `secret/${other}@${version}` };
      await here.aSecret(own, { version, annotations });
      // With the install's key, doctor would compare the content. Only the worker can create a matching fingerprint, so the test deletes
      // the key.
      await here.sync.plane.kubectl(["delete", "secret", "keyvault-injector-sync-key", "-n", "keyvault-injector"]);
      await here.sync.emulator.rotateSecret({ vault: here.sync.vault, name: other });

      await assertLeaf(own, "secret-behind", { message: /but the vault has a newer one/ });
    });

    test("says in one line what to do, and ends with 1 for a failure alone", async () => {
      const failing = await here.aClass({}, { credentials: false });

      const { code, output } = await here.ask(["doctor", "class", `${failing.namespace}/${failing.name}`]);

      assert.equal(code, 1);
      assert.match(output, /FAIL {2}identity +credentials-absent: Secret \S+ does not exist/);
      assert.match(output, /\n {2}to do: Create Secret \S+\/secrets-store-creds with the keys clientid and clientsecret\.\n/);
      assert.match(output, /\n\d+ OK, \d+ WARN, [1-9] FAIL, \d+ SKIP\n$/);
    });

    test("walks every class of a namespace, and leaves credentials and vaults alone where that is asked", async () => {
      const before = (await here.sync.emulator.requests()).length;

      const { output } = await here.ask(["doctor", "class", "-n", place.namespace, "--no-vaults", "-o", "json"]);

      const { walks }: { readonly walks: readonly ReportedWalk[] } = JSON.parse(output);
      assert.deepEqual(
        walks.map(({ name }) => name),
        ["demo"],
      );
      assert.equal((await here.sync.emulator.requests()).length, before);
      assert.deepEqual(
        walks.flatMap(({ findings }) => findings).filter(({ step }) => !["class", "status", "secret"].includes(step)),
        [],
      );
    });

    test("walks in plain doctor, failing classes first, and tells how many were left out", async () => {
      const { output } = await here.ask(["doctor", "-o", "json"]);

      const { walks }: { readonly walks: readonly ReportedWalk[] } = JSON.parse(output);
      assert.equal(walks.length, 20);
      const text = await here.ask(["doctor"]);
      assert.match(text.output, /\n\d+ more classes were not checked: keyvault-injector doctor class checks all classes\n/);
    });
  });

  test("has a planted fault for every leaf", (context) => {
    const missing = Object.keys(LEAVES).filter((leaf) => ![...reached].some((name) => name === leaf));
    assert.deepEqual(missing, []);
    context.diagnostic(`${reached.size} of ${Object.keys(LEAVES).length} leaves reached`);
  });

  test("has printed no value, credential or proxy password in any encoding; a planted one is found", (context) => {
    const values = [CANARY, here.sync.principal.clientSecret, "user:hidden", ...here.clientSecrets];
    const texts = here.printed.map((text, index) => ({ name: `output ${index}`, text }));

    assert.deepEqual(findLeaks(values, texts), []);
    const planted = [{ name: "planted", text: `${here.printed[0] ?? ""}${Buffer.from(`x${CANARY}`).toString("base64")}` }];
    assert.equal(findLeaks(values, planted).length, 1);
    context.diagnostic(`${texts.length} outputs scanned for ${values.length} values, 0 found`);
  });
});
