import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { APPLY_PATCH, type ApiAnswer, type ApiCall, apiRequest } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied, messageOf } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { healingManifests, installDefinitions, type Manifest } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { anew } from "./compromised-worker/components.ts";
import { hardened, nameOf, POD_FIELDS, put, VOLUME } from "./worker-writes/pod-fields.ts";

const OWN = "keyvault-injector";
const POLICY = "keyvault-injector-sync-pods";
const APPS = "/apis/apps/v1/namespaces";

/** Workloads that an operator has patched. The webhook's Deployment is as shipped. */
const GUARDED = ["keyvault-injector-sync", "csi-secrets-store"];
const WORKLOADS = [
  { name: "the worker's Deployment", path: `${APPS}/${OWN}/deployments/keyvault-injector-sync` },
  { name: "the driver's DaemonSet", path: `${APPS}/kube-system/daemonsets/csi-secrets-store` },
];
const [DEPLOYMENT] = WORKLOADS;
const AS_SHIPPED = `${APPS}/${OWN}/deployments/keyvault-injector-webhook`;

let plane: ControlPlane;
let sync = "";

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
  describe(`the policy on the pods of components, on API server ${version}`, { skip }, () => thePolicy(version));
}

const call = (request: ApiCall): Promise<ApiAnswer> => apiRequest(plane, request);

interface Workload {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: Record<string, unknown> } };
}

type Change = (template: Workload["spec"]["template"]) => void;

async function read(path: string): Promise<Workload> {
  const { status, body } = await call({ method: "GET", path });
  assert.equal(status, 200, path);
  return body as Workload; // A Deployment or a DaemonSet.
}

/** Writes with a PUT of the whole object. Without a token, writes as the operator, for real. */
async function write(path: string, change: Change, token?: string): Promise<ApiAnswer> {
  const body = structuredClone(await read(path));
  change(body.spec.template);
  const asked = `${path}?dryRun=All`;
  return call(token === undefined ? { method: "PUT", path, body } : { method: "PUT", path: asked, body, token });
}

async function asOperator(path: string, change: Change): Promise<ApiAnswer> {
  const body = structuredClone(await read(path));
  change(body.spec.template);
  return call({ method: "PUT", path: `${path}?dryRun=All`, body });
}

/** Asserts that the policy rejects the change for the worker, and for no other user. Returns what is wrong. */
async function refused(path: string, what: string, change: Change): Promise<readonly string[]> {
  const others = await asOperator(path, change);
  if (others.status >= 300) return [`${what}: refused to everybody: ${messageOf(others)}`];
  const answer = await write(path, change, sync);
  if (answer.status < 300) return [`${what}: let through`];
  assertDenied(answer, POLICY, /the sync worker/);
  return [];
}

async function allowed(path: string, what: string, change: Change): Promise<readonly string[]> {
  const answer = await write(path, change, sync);
  return answer.status < 300 ? [] : [`${what}: ${messageOf(answer)}`];
}

/** Collects the failures of all items, in their order. */
async function each<T>(items: readonly T[], ask: (item: T) => Promise<readonly string[]>): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const item of items) wrong.push(...(await ask(item)));
  return wrong;
}

const containersOf = (spec: Record<string, unknown>): { name: string }[] => (spec["initContainers"] ?? []) as { name: string }[];

function installedPods(manifest: Manifest): Manifest {
  if (!GUARDED.includes(manifest.metadata.name)) return manifest;
  if (manifest.kind === "PodTemplate") return { ...manifest, template: hardened(manifest["template"] as object) };
  if (manifest.kind !== "Deployment" && manifest.kind !== "DaemonSet") return manifest;
  const spec = manifest["spec"] as { readonly template: object }; // Spec of a workload.
  return { ...manifest, spec: { ...spec, template: hardened(spec.template) } };
}

/** Pod fields that the webhook's shipped pods do not have. Leaves out the links to Services, which those pods never have. */
const NOT_SHIPPED = POD_FIELDS.filter(({ in: where, path: [first] }) => where !== "before" && first !== "enableServiceLinks");

function thePolicy(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    await installDefinitions(plane);
    const driver = version === "1.34" ? "components/csi-driver-before-1.35" : "components/csi-driver";
    const items = (await healingManifests("overlays/default", driver)).map(installedPods);
    await plane.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
    const account = `${OWN}:keyvault-injector-sync`;
    await plane.kubectl(["create", "clusterrolebinding", "sync", "--clusterrole=cluster-admin", `--serviceaccount=${account}`]);
    sync = await serviceAccountToken(plane, OWN, "keyvault-injector-sync");
    for (const { path } of WORKLOADS)
      await eventually(
        async () => (await write(path, ({ spec }) => void (spec["terminationGracePeriodSeconds"] = 99), sync)).status >= 400,
        {
          what: `the policy on ${path}`,
        },
      );
  });
  after(async () => {
    await plane?.stop();
  });

  for (const { name, path } of WORKLOADS) {
    test(`PP-1: refuses the worker ${name} without a field of its PodTemplate`, async () => {
      const wrong = await each(POD_FIELDS, (field) => refused(path, nameOf(field), (pod) => put(pod, field, undefined)));
      assert.deepEqual(wrong, []);
    });

    test(`PP-2: refuses the worker ${name} with another value of a field of its PodTemplate`, async () => {
      const wrong = await each(POD_FIELDS, (field) => refused(path, nameOf(field), (pod) => put(pod, field, field.other)));
      assert.deepEqual(wrong, []);
    });

    test(`PP-3: refuses the worker ${name} without a container that runs before it, or with them in another order`, async () => {
      const wrong = [
        ...(await refused(path, "none of them", ({ spec }) => void delete spec["initContainers"])),
        ...(await refused(path, "the first", ({ spec }) => void containersOf(spec).shift())),
        ...(await refused(path, "the last", ({ spec }) => void containersOf(spec).pop())),
        ...(await refused(path, "their order", ({ spec }) => void (spec["initContainers"] = containersOf(spec).toReversed()))),
        ...(await refused(path, "no affinity", ({ spec }) => void delete spec["affinity"])),
        ...(await refused(path, "no spread", ({ spec }) => void delete spec["topologySpreadConstraints"])),
        ...(await refused(path, "no volumes", removeVolumes)),
        ...(await refused(path, "no pull Secret", ({ spec }) => void delete spec["imagePullSecrets"])),
      ];
      assert.deepEqual(wrong, []);
    });

    test(`PP-4: lets the worker bring back every field of ${name} that somebody removed, each and all`, async () => {
      const { spec: installed } = await read(path);
      for (const field of POD_FIELDS) assertAllowed(await write(path, (pod) => put(pod, field, undefined)));
      assert.deepEqual(await each(POD_FIELDS, (field) => allowed(path, nameOf(field), (pod) => put(pod, field, field.installed))), []);
      assert.deepEqual(await allowed(path, "all", (pod) => void Object.assign(pod, installed.template)), []);
      assertAllowed(await write(path, ({ spec }) => void delete spec["initContainers"]));
      const restored = await allowed(path, "containers", ({ spec }) => {
        spec["initContainers"] = installed.template.spec["initContainers"];
      });
      assert.deepEqual(restored, []);
      assertAllowed(await write(path, (pod) => void Object.assign(pod, installed.template)));
    });

    test(`PP-5: lets the worker put back every field of ${name} that somebody changed, each and all, and refuses it to remove one`, async () => {
      const { spec: installed } = await read(path);
      const wrong = await each(POD_FIELDS, async (field) => {
        assertAllowed(await write(path, (pod) => put(pod, field, field.other)));
        const results = [
          ...(await allowed(path, `${nameOf(field)}, put back`, (pod) => put(pod, field, field.installed))),
          ...(await refused(path, `${nameOf(field)}, removed`, (pod) => put(pod, field, undefined))),
        ];
        assertAllowed(await write(path, (pod) => void Object.assign(pod, structuredClone(installed.template))));
        return results;
      });
      assert.deepEqual(wrong, []);
    });
  }

  test("PP-6: refuses the worker every field that the PodTemplate is without", async () => {
    assertAllowed(await write(AS_SHIPPED, ({ spec }) => void (spec["volumes"] = [VOLUME])));
    const wrong = await each(NOT_SHIPPED, (field) => refused(AS_SHIPPED, nameOf(field), (pod) => put(pod, field, field.installed)));
    assert.deepEqual(wrong, []);
    assertAllowed(await write(AS_SHIPPED, ({ spec }) => void delete spec["volumes"]));
  });

  test("PP-7: lets the worker take out what somebody added, and refuses it a container of somebody's in part", async () => {
    const { path } = DEPLOYMENT ?? { path: "" };
    const extra = { name: "extra", image: "extra:1", securityContext: { runAsNonRoot: true }, env: [{ name: "A", value: "b" }] };
    const volume = { name: "extra", emptyDir: {} };
    const found = ({ spec }: Workload["spec"]["template"]): Record<string, unknown> =>
      ((spec["containers"] ?? []) as Record<string, unknown>[]).find(({ name }) => name === extra.name) ?? {};
    assertAllowed(
      await write(path, ({ spec }) => {
        (spec["containers"] as unknown[]).push(extra);
        (spec["volumes"] as unknown[]).push(volume);
        containersOf(spec).unshift({ ...extra, name: "extra-before" });
      }),
    );
    const wrong = [
      ...(await refused(path, "its security context", (pod) => void delete found(pod)["securityContext"])),
      ...(await refused(path, "its variable", (pod) => void delete found(pod)["env"])),
      ...(await allowed(path, "all of it", ({ spec }) => {
        for (const list of ["containers", "initContainers", "volumes"])
          spec[list] = (spec[list] as { name: string }[]).filter(({ name }) => !name.startsWith("extra"));
      })),
    ];
    assert.deepEqual(wrong, []);
  });

  // This is last, because it deletes the workloads.
  test("PP-8: refuses the worker a Deployment made anew without a field of its PodTemplate, and lets it make it whole", async () => {
    const { path } = DEPLOYMENT ?? { path: "" };
    const { body } = await call({ method: "GET", path });
    const whole = anew(Object(body) as object) as Workload;
    const { metadata, spec } = whole as unknown as Manifest & Workload;
    const clean = {
      ...whole,
      spec: { ...spec, template: { ...spec.template, spec: cleaned(spec.template.spec) } },
    };
    await plane.kubectl(["delete", "--raw", path]);
    await eventually(async () => (await call({ method: "GET", path })).status === 404);
    const make = (template: object): Promise<ApiAnswer> => {
      const made = { ...clean, apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { ...clean.spec, template } };
      return call({
        method: "PATCH",
        path: `${path}?fieldManager=test&force=true&dryRun=All`,
        contentType: APPLY_PATCH,
        body: made,
        token: sync,
      });
    };
    assertAllowed(await make(clean.spec.template));
    const wrong = await each(POD_FIELDS, async (field) => {
      const template = structuredClone(clean.spec.template);
      put(template, field, undefined);
      const answer = await make(template);
      if (answer.status < 300) return [`${nameOf(field)}: let through`];
      assertDenied(answer, POLICY, /the sync worker/);
      return [];
    });
    assert.deepEqual(wrong, []);
  });
}

function removeVolumes({ spec }: Workload["spec"]["template"]): void {
  delete spec["volumes"];
  for (const list of ["containers", "initContainers"])
    for (const container of (spec[list] ?? []) as Record<string, unknown>[]) delete container["volumeMounts"];
}

/** Returns the spec without the additions of others. */
function cleaned(spec: Record<string, unknown>): Record<string, unknown> {
  const lists = ["containers", "initContainers", "volumes"].map((list) => {
    const items = (spec[list] ?? []) as readonly { readonly name: string }[];
    return [list, items.filter(({ name }) => !name.startsWith("extra"))] as const;
  });
  return { ...spec, ...Object.fromEntries(lists) };
}
