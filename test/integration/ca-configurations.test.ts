import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { AUTHORITY_LIFETIME, LEAF_LIFETIME } from "../../src/domain/certificates/lifetimes.ts";
import { APPLY_PATCH, apiRequest, JSON_PATCH } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, MANIFESTS, policyIsActive } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { SteppedClock } from "../support/time/stepped-clock.ts";
import {
  callTls,
  isSignedByOneOf,
  liveConfiguration,
  liveSecret,
  NAMESPACE,
  type Replica,
  SERVICE,
  startReplica,
} from "../support/webhook/certificate-replicas.ts";

const refusal = controlPlaneRefusal();
const MUTATING = path.join(MANIFESTS, "base/webhook-configuration.yaml");
const PREFLIGHT = path.join(MANIFESTS, "base/preflight-configuration.yaml");
const DAY = 24 * 3_600_000;

let plane: ControlPlane;
let own: string;
let clock: SteppedClock;
let replicas: Replica[] = [];

async function startReady(name: string): Promise<Replica> {
  const replica = startReplica(own, name, clock);
  replicas.push(replica);
  await eventually(() => replica.ready().ok, { what: "readiness" });
  return replica;
}

async function preflight(): Promise<unknown> {
  return JSON.parse(await plane.kubectl(["get", "validatingwebhookconfiguration", NAMESPACE, "-o", "json", "--show-managed-fields"]));
}

async function preflightBundles(): Promise<readonly string[]> {
  const live = await preflight();
  return [0, 1].map((index) => {
    const caBundle = at(live, "webhooks", index, "clientConfig", "caBundle");
    return typeof caBundle === "string" ? Buffer.from(caBundle, "base64").toString() : "";
  });
}

async function bundle(): Promise<string> {
  return (await liveConfiguration(plane))?.bundle ?? "";
}

const patch = (kind: string, operations: readonly unknown[]): Promise<string> =>
  plane.kubectl(["patch", kind, NAMESPACE, "--type=json", `-p=${JSON.stringify(operations)}`]);

describe("the two webhook configurations and the webhook's CA, on a real API server", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    await plane.kubectl(["create", "namespace", NAMESPACE]);
    for (const file of ["base/webhook-rbac.yaml", "policies/webhook-configuration.yaml", "policies/webhook-secrets.yaml"]) {
      await plane.kubectl(["apply", "--server-side", "-f", path.join(MANIFESTS, file)]);
    }
    own = await plane.kubeconfigFor({ namespace: NAMESPACE, name: SERVICE });
  });
  after(async () => {
    await plane?.stop();
  });
  beforeEach(async () => {
    clock = new SteppedClock();
    await plane.kubectl(["delete", "secret", "keyvault-injector-ca", "-n", NAMESPACE, "--ignore-not-found"]);
    for (const kind of ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]) {
      await plane.kubectl(["delete", kind, NAMESPACE, "--ignore-not-found"]);
    }
    for (const file of [MUTATING, PREFLIGHT]) await plane.kubectl(["apply", "--server-side", "-f", file]);
  });
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    replicas = [];
  });

  test("get the same bundle, of which the webhook owns nothing else", async () => {
    const replica = await startReady("pod");
    const wanted = await bundle();
    await eventually(async () => (await preflightBundles()).every((each) => each === wanted), { what: "both entries" });
    assert.equal(await callTls(replica, wanted), "ok");

    const fields = (at(await preflight(), "metadata", "managedFields") as readonly unknown[]).filter(
      (entry) => at(entry, "manager") === "keyvault-injector-webhook",
    ); // An object of the API server has this list.
    const names = ["workloads", "secretproviderclasses"].map((name) => `k:{"name":"${name}.keyvault-injector.dev"}`);
    assert.equal(fields.length, 1);
    const found = JSON.stringify(at(fields[0], "fieldsV1", "f:webhooks"));
    for (const name of names) assert.ok(found.includes(JSON.stringify(name)), found);
    assert.ok(!/f:(rules|failurePolicy|namespaceSelector|matchConditions|service)/.test(found), found);
  });

  test("are both put right when the bundle is wiped or overwritten there", async () => {
    await startReady("pod");
    const wanted = await bundle();
    await eventually(async () => (await preflightBundles()).every((each) => each === wanted));
    await patch("validatingwebhookconfiguration", [{ op: "remove", path: "/webhooks/1/clientConfig/caBundle" }]);
    await eventually(async () => (await preflightBundles()).every((each) => each === wanted), { within: 10_000, what: "the wiped one" });
    const other = Buffer.from(wanted.trim()).toString("base64");
    await patch("validatingwebhookconfiguration", [{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: other }]);
    await eventually(async () => (await preflightBundles()).every((each) => each === wanted), {
      within: 10_000,
      what: "the overwritten one",
    });
  });

  test("need not both be there: without the one that warns, or one entry of it, the webhook is ready and says so once", async () => {
    await plane.kubectl(["delete", "validatingwebhookconfiguration", NAMESPACE]);
    const replica = await startReady("pod");
    const before = clock.now();
    clock.step(31_000);
    await eventually(() => (replica.lastSuccess() ?? 0) > before);
    assert.equal(replica.entries.filter(({ message }) => message === "there are no preflight checks").length, 1);

    const [, classes = ""] = readFileSync(PREFLIGHT, "utf8").split("  - name: secretproviderclasses.");
    const [head = ""] = readFileSync(PREFLIGHT, "utf8").split("  # Both names are for ever");
    await plane.kubectl(["apply", "--server-side", "-f", "-"], `${head}  - name: secretproviderclasses.${classes}`);
    await eventually(async () => (await preflightBundles())[0] === (await bundle()), { what: "the one entry" });
  });

  test("keep what a managed cluster's admission enforcer adds to their selectors: it is not fought", async () => {
    const replica = await startReady("pod");
    const wanted = await bundle();
    await eventually(async () => (await preflightBundles()).every((each) => each === wanted));
    const control = { key: "control-plane", operator: "DoesNotExist" };
    const add = (index: number) => ({ op: "add", path: `/webhooks/${index}/namespaceSelector/matchExpressions/-`, value: control });
    await patch("mutatingwebhookconfiguration", [add(0)]);
    await patch("validatingwebhookconfiguration", [add(0), add(1)]);
    const version = (await liveConfiguration(plane))?.resourceVersion;

    for (let check = 0; check < 3; check += 1) {
      const before = clock.now();
      clock.step(31_000);
      await eventually(() => (replica.lastSuccess() ?? 0) > before);
    }
    assert.equal((await liveConfiguration(plane))?.resourceVersion, version);
    // And a bundle that is written later leaves it there.
    await patch("mutatingwebhookconfiguration", [{ op: "remove", path: "/webhooks/0/clientConfig/caBundle" }]);
    await eventually(async () => (await bundle()) === wanted, { within: 10_000, what: "the bundle" });
    const selector = await plane.kubectl([
      "get",
      "mutatingwebhookconfiguration",
      NAMESPACE,
      "-o",
      "jsonpath={.webhooks[0].namespaceSelector}",
    ]);
    assert.match(selector, /"control-plane"/);
  });

  test("survive clock jumps: forward past the end of every certificate and back again, there is always one that is trusted", async () => {
    const replica = await startReady("pod");
    const first = replica.source.current()?.cert;
    clock.step(AUTHORITY_LIFETIME + DAY);
    await eventually(() => replica.source.current()?.cert !== first && replica.ready().ok, { what: "certificates of the later time" });
    assert.ok(isSignedByOneOf(replica.source.current()?.cert ?? "", await bundle()));
    const later = replica.source.current()?.cert;

    clock.step(-(AUTHORITY_LIFETIME + DAY));
    await eventually(() => replica.source.current()?.cert !== later && replica.ready().ok, {
      within: 60_000,
      what: "certificates of the earlier time",
    });
    assert.ok(isSignedByOneOf(replica.source.current()?.cert ?? "", await bundle()));
    assert.ok((replica.expiry().leaf ?? 0) <= clock.now() + LEAF_LIFETIME + DAY);
    assert.notEqual(await liveSecret(plane), undefined);
  });

  test("may be changed by the webhook in caBundle alone, the one that warns too", async () => {
    const token = await serviceAccountToken(plane, NAMESPACE, SERVICE);
    const configuration = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/keyvault-injector";
    const send = (body: unknown) => apiRequest(plane, { method: "PATCH", path: configuration, body, contentType: JSON_PATCH, token });
    const label = [{ op: "add", path: "/metadata/labels/x", value: "y" }];
    await policyIsActive("keyvault-injector-webhook-configuration", () => send(label));
    const changes: readonly unknown[] = [
      { op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" },
      { op: "replace", path: "/webhooks/1/rules/0/resources", value: ["*"] },
      { op: "remove", path: "/webhooks/0/matchConditions" },
      { op: "replace", path: "/webhooks/1/clientConfig/service/path", value: "/other" },
      { op: "remove", path: "/webhooks/1" },
    ];
    for (const change of changes)
      assert.match(String(at((await send([change])).body, "message")), /can change only `caBundle` in its configuration/);

    const body = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: NAMESPACE },
      webhooks: [{ name: "workloads.keyvault-injector.dev", clientConfig: { caBundle: plane.config.caData } }],
    };
    const applied = `${configuration}?fieldManager=keyvault-injector-webhook&force=true`;
    assert.equal((await apiRequest(plane, { method: "PATCH", path: applied, body, contentType: APPLY_PATCH, token })).status, 200);
  });
});
