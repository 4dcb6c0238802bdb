import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { accessReview } from "../support/cluster/access-review.ts";
import { APPLY_PATCH, type ApiAnswer, apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { at, listAt, MANIFESTS, type Manifest, parseManifests, renderDefaultOverlay } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

interface ToolResult {
  readonly code: number;
  readonly text: string;
}

function renderTool(...args: readonly string[]): Promise<ToolResult> {
  const tool = path.resolve(MANIFESTS, "../tools/render-manifests.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr });
    });
  });
}

describe("the rendered release", { skip }, () => {
  test("is what its sources render to", async () => {
    const { code, text } = await renderTool("--check");
    assert.equal(code, 0, text);
  });

  test("is found missing, made, found current, and found changed by one character", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "release-"));
    try {
      assert.match((await renderTool("--check", "--out", folder)).text, /crds\.yaml is missing/);
      assert.equal((await renderTool("--out", folder)).code, 0);
      assert.equal((await renderTool("--check", "--out", folder)).code, 0);
      appendFileSync(path.join(folder, "keyvault-injector.yaml"), "\n");

      const { code, text } = await renderTool("--check", "--out", folder);

      assert.equal(code, 1);
      assert.match(text, /keyvault-injector\.yaml is not what its sources render to: run node tools\/render-manifests\.ts/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("an install in another namespace", { skip }, () => {
  test("names the default one nowhere", async () => {
    const [here, elsewhere] = await Promise.all([renderDefaultOverlay(), renderDefaultOverlay("elsewhere")]);
    const mentions = (text: string, namespace: string): number =>
      text.match(new RegExp(`namespace: ${namespace}$|serviceaccount:${namespace}:|== '+${namespace}'`, "gm"))?.length ?? 0;

    assert.equal(mentions(elsewhere, "keyvault-injector"), 0);
    assert.equal(mentions(elsewhere, "elsewhere"), mentions(here, "keyvault-injector"));
    assert.ok(mentions(here, "keyvault-injector") > 15);
    const objects = parseManifests(elsewhere);
    assert.equal(objects.find(({ kind }) => kind === "Namespace")?.metadata.name, "elsewhere");
    const subjects = objects.flatMap((object) => listAt(object, "subjects")).filter((subject) => at(subject, "kind") === "ServiceAccount");
    assert.ok(subjects.length === 6 && subjects.every((subject) => at(subject, "namespace") === "elsewhere"));
    const webhook = at(
      objects.find(({ kind }) => kind === "MutatingWebhookConfiguration"),
      "webhooks",
      0,
    );
    const policy = objects.find(({ metadata }) => metadata.name === "keyvault-injector-pod-volume");
    assert.equal(at(webhook, "clientConfig", "service", "namespace"), "elsewhere");
    for (const scope of [webhook, at(policy, "spec", "matchConstraints")]) {
      assert.deepEqual(at(scope, "namespaceSelector", "matchExpressions", 0, "values"), ["kube-system", "elsewhere"]);
    }
  });

  test("gives no namespace to what has none", async () => {
    const objects = parseManifests(await renderDefaultOverlay("elsewhere"));
    const policies = objects.filter(({ kind }) => kind.startsWith("ValidatingAdmissionPolicy"));

    assert.ok(policies.length >= 12);
    for (const { metadata } of policies) assert.equal(metadata.namespace, undefined, metadata.name);
  });
});

describe("the manifests on an API server", { skip }, () => {
  const crds = path.join(MANIFESTS, "crds");
  const overlay = path.join(MANIFESTS, "overlays/default");
  let plane: ControlPlane;
  let shipped: number;

  before(async () => {
    // This controller checks the types of policies.
    plane = await startControlPlane({ moreControllers: ["validatingadmissionpolicy-status-controller"] });
    shipped =
      parseManifests(await renderDefaultOverlay()).length + readdirSync(crds).filter((file) => /^secret.*\.yaml$/.test(file)).length;
  });
  after(async () => {
    await plane?.stop();
  });

  /**
   * Returns the spec generations, or the resource versions of kinds without a generation: they show what an apply changed, but not what
   * controllers report.
   */
  async function versions(): Promise<Readonly<Record<string, unknown>>> {
    const text = await plane.kubectl(["get", "-k", overlay, "-o", "json"]);
    const more = await plane.kubectl(["get", "-k", crds, "-o", "json"]);
    const items = [...listAt(JSON.parse(text), "items"), ...listAt(JSON.parse(more), "items")];
    assert.equal(items.length, shipped);
    return Object.fromEntries(
      items.map((item) => [
        `${String(at(item, "kind"))}/${String(at(item, "metadata", "name"))}`,
        at(item, "metadata", "generation") ?? at(item, "metadata", "resourceVersion"),
      ]),
    );
  }

  async function apply(...flags: readonly string[]): Promise<void> {
    await plane.kubectl(["apply", ...flags, "-k", crds]);
    await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
    await plane.kubectl(["apply", ...flags, "-k", overlay]);
  }

  test("apply client-side and server-side, and a second time without a change", async () => {
    await apply();
    const first = await versions();
    await apply();
    assert.deepEqual(await versions(), first);

    await apply("--server-side");
    const second = await versions();
    await apply("--server-side");
    assert.deepEqual(await versions(), second);
  });

  test("have policies whose expressions the API server finds nothing wrong with", async () => {
    const policies = await eventually(
      async () => {
        const items = listAt(JSON.parse(await plane.kubectl(["get", "validatingadmissionpolicies", "-o", "json"])), "items");
        return items.every((item) => at(item, "status", "typeChecking") !== undefined) ? items : undefined;
      },
      { what: "the type check of every policy" },
    );

    assert.equal(
      policies.length,
      parseManifests(await renderDefaultOverlay()).filter(({ kind }) => kind === "ValidatingAdmissionPolicy").length,
    );
    for (const policy of policies) assert.deepEqual(at(policy, "status", "typeChecking"), {});
  });

  test("make pods that PodSecurity restricted admits, and that it would refuse with one field less", async () => {
    for (const component of ["webhook", "sync"]) {
      const deployment: unknown = JSON.parse(
        await plane.kubectl(["get", "deployment", `keyvault-injector-${component}`, "-n", "keyvault-injector", "-o", "json"]),
      );
      const spec = Object(at(deployment, "spec", "template", "spec")) as Readonly<Record<string, unknown>>; // A PodSpec.
      const create = (podSpec: unknown): Promise<ApiAnswer> =>
        apiRequest(plane, {
          method: "POST",
          path: "/api/v1/namespaces/keyvault-injector/pods?dryRun=All",
          body: { apiVersion: "v1", kind: "Pod", metadata: { generateName: `${component}-` }, spec: podSpec },
        });

      assert.deepEqual(await create(spec).then(({ status, warnings }) => ({ status, warnings })), { status: 201, warnings: [] });
      const refused = await create({ ...spec, securityContext: {} });
      assert.equal(refused.status, 403);
      assert.match(String(at(refused.body, "message")), /violates PodSecurity "restricted:latest"/);
    }
  });

  test("serve the document's class as it is, and drop what the schema does not know", async () => {
    const text = readFileSync(path.join(MANIFESTS, "examples/secretproviderclass.yaml"), "utf8");
    await plane.kubectl(["apply", "-n", "default", "-f", "-"], text);
    const answer = await apiRequest(plane, {
      method: "PATCH",
      path: "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/default/secretproviderclasses/akvprovider-demo",
      contentType: MERGE_PATCH,
      body: { spec: { parameters: { anything: "goes" }, invented: 1 } },
    });

    const [example] = parseManifests(text);
    const written = at(example, "spec", "parameters", "objects");
    assert.deepEqual(at(answer.body, "spec"), {
      provider: "azure",
      parameters: {
        usePodIdentity: "false",
        keyvaultName: "<key-vault-name>",
        objects: written,
        tenantId: "<tenant-Id>",
        anything: "goes",
      },
    });
  });

  test("refuse the empty cloudName when it is applied server-side, as the comment in the example says", async () => {
    const example = readFileSync(path.join(MANIFESTS, "examples/secretproviderclass.yaml"), "utf8");
    await assert.rejects(
      plane.kubectl(["apply", "--server-side", "-n", "kube-public", "-f", "-"], example),
      /cloudName.*must be of type string/s,
    );
  });

  test("warn those who still use v1alpha1, in the words that upstream uses", async () => {
    const list = (kind: string): Promise<ApiAnswer> =>
      apiRequest(plane, { method: "GET", path: `/apis/secrets-store.csi.x-k8s.io/v1alpha1/${kind}` });

    assert.deepEqual((await list("secretproviderclasses")).warnings, [
      "secrets-store.csi.x-k8s.io/v1alpha1 is deprecated. Use secrets-store.csi.x-k8s.io/v1 instead.",
    ]);
    assert.match((await list("secretproviderclasspodstatuses")).warnings.join(), /v1alpha1 SecretProviderClassPodStatus is deprecated/);
  });

  test("show in a table how the mirroring of a class stands", async () => {
    const path = "/apis/keyvault-injector.dev/v1alpha1/namespaces/default/secretproviderclasssyncs/demo";
    const meta = { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", metadata: { name: "demo" } };
    const time = new Date().toISOString();
    const condition = { lastTransitionTime: time, message: "", observedGeneration: 1 };
    const data = [{ key: "password", object: "secret/DemoSecret", version: "0".repeat(32), updated: time, expires: time }];
    const status = {
      observedClassGeneration: 7,
      observedGeneration: 1,
      desiredSecrets: 2,
      lastSuccessfulCheckTime: time,
      conditions: [
        { type: "Fresh", status: "True", reason: "Synced", ...condition },
        { type: "Ready", status: "False", reason: "PartialSync", ...condition, message: "two: taken" },
        { type: "Rotated", status: "False", reason: "RolloutFailed", ...condition },
        { type: "Stalled", status: "True", reason: "PartialSync", ...condition },
        { type: "Synced", status: "False", reason: "PartialSync", ...condition },
      ],
      secrets: [
        { name: "one", state: "Synced", data },
        { name: "two", state: "Conflict", message: "taken", data: [] },
      ],
      syncedSecrets: 1,
    };
    const write = (query: string, body: unknown): Promise<ApiAnswer> =>
      apiRequest(plane, { method: "PATCH", path: `${path}${query}?fieldManager=test`, contentType: APPLY_PATCH, body });
    assert.equal((await write("", meta)).status, 201);

    const stored = await write("/status", { ...meta, status });

    assert.deepEqual(at(stored.body, "status"), status);
    const [header, row] = (await plane.kubectl(["get", "keyvault-injector", "-n", "default"])).trim().split("\n");
    assert.match(header ?? "", /^NAME +READY +REASON +SYNCED +DESIRED +ROTATED +CHECKED +AGE +MESSAGE$/);
    assert.match(row ?? "", /^demo +False +PartialSync +1 +2 +RolloutFailed +\d+s +\d+s +two: taken$/);
  });

  test("let viewers of a namespace see how the mirroring stands, and not change it", async () => {
    const viewer = {
      user: "viewer",
      groups: ["viewers"],
      group: "keyvault-injector.dev",
      resource: "secretproviderclasssyncs",
      namespace: "default",
    };
    await plane.kubectl(["create", "clusterrolebinding", "viewers", "--clusterrole=view", "--group=viewers"]);

    await eventually(() => accessReview(plane, { ...viewer, verb: "get" }), { what: "the aggregated role" });

    assert.equal(await accessReview(plane, { ...viewer, verb: "patch" }), false);
  });

  test("apply the other examples, once filled in", async () => {
    const manifests: readonly Manifest[] = ["credentials", "secretproviderclass-mirrored", "pod"].flatMap((name) =>
      parseManifests(readFileSync(path.join(MANIFESTS, `examples/${name}.yaml`), "utf8").replaceAll(/<([^>]+)>/g, "$1")),
    );
    await eventually(() => plane.kubectl(["get", "serviceaccount", "default", "-n", "default"]), { what: "the default ServiceAccount" });

    for (const manifest of manifests) await plane.kubectl(["apply", "-n", "default", "-f", "-"], JSON.stringify(manifest));

    assert.match(
      await plane.kubectl(["get", "secret", "secrets-store-creds", "-n", "default", "--show-labels"]),
      /secrets-store\.csi\.k8s\.io\/used=true/,
    );
  });
});
