import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiAnswer, type ApiCall, apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, installDefinitions, listAt, readManifests } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { CLASS_CRD, STATUS_CRD } from "../support/worker/sync-world.ts";
import {
  type Change,
  DAMAGE,
  field,
  HOOK,
  type Loose,
  MOUNTS_CRD,
  ONLY_EDITS,
  ofTheDriver,
  part,
  REFUSED,
} from "./worker-writes/definitions.ts";

const OWN = "keyvault-injector";
const POLICY = "keyvault-injector-sync-definitions";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

let plane: ControlPlane;
let sync = "";
let somebody = "";
const shipped = new Map<string, Loose>();

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
  describe(`the policy on definitions, on API server ${version}`, { skip }, () => thePolicy(version));
}

const call = (request: ApiCall): Promise<ApiAnswer> => apiRequest(plane, request);
const merge = (name: string, spec: unknown, token?: string, dryRun = true): Promise<ApiAnswer> =>
  call({
    method: "PATCH",
    path: `${CRDS}/${name}${dryRun ? "?dryRun=All" : ""}`,
    contentType: MERGE_PATCH,
    body: { spec },
    ...(token === undefined ? {} : { token }),
  });

function changed(name: string, change: Change): Loose {
  const spec = structuredClone(shipped.get(name).spec);
  change(spec.versions, spec);
  return spec;
}

/** Returns the definition in the form in which the worker would recreate it. */
function whole(name: string, spec: Loose): object {
  return { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name }, spec };
}

function thePolicy(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    await installDefinitions(plane);
    await plane.kubectl(["create", "namespace", OWN]);
    await plane.kubectl(["create", "serviceaccount", "keyvault-injector-sync", "-n", OWN]);
    await plane.kubectl(["create", "serviceaccount", "somebody", "-n", "default"]);
    const policy = readManifests("policies/sync-definitions.yaml");
    await plane.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: policy }));
    for (const account of ["default:somebody", `${OWN}:keyvault-injector-sync`]) {
      const name = account.replace(":", "-");
      await plane.kubectl(["create", "clusterrolebinding", name, "--clusterrole=cluster-admin", `--serviceaccount=${account}`]);
    }
    sync = await serviceAccountToken(plane, OWN, "keyvault-injector-sync");
    somebody = await serviceAccountToken(plane, "default", "somebody");
    for (const name of [CLASS_CRD, MOUNTS_CRD, STATUS_CRD])
      shipped.set(name, (await call({ method: "GET", path: `${CRDS}/${name}` })).body as Loose);
    await eventually(async () => (await merge(CLASS_CRD, { conversion: HOOK }, sync)).status >= 400, { what: POLICY });
  });
  after(async () => {
    await plane?.stop();
  });

  for (const [kind, changes] of Object.entries(REFUSED)) {
    test(`${kind}, is refused to the worker alone`, async () => {
      const through: string[] = [];
      for (const [what, name, change] of changes) {
        const spec = changed(name, change);
        assertAllowed(await merge(name, spec, somebody));
        const answer = await merge(name, spec, sync);
        if (answer.status < 300) through.push(what);
        else assertDenied(answer, POLICY, /denied request: the sync worker cannot /);
      }
      assert.deepEqual(through, []);
    });
  }

  for (const [what, name, change] of DAMAGE) {
    test(`PD-7: the worker mends what somebody damaged: ${what}`, async () => {
      const { spec } = shipped.get(name);
      try {
        assertAllowed(await merge(name, changed(name, change), undefined, false));
        assertAllowed(await merge(name, spec, sync));
      } finally {
        assertAllowed(await merge(name, spec, undefined, false));
      }
    });
  }

  test("PD-7: the worker adds back a version, and the version that a newer driver stores stays", async () => {
    const { spec } = shipped.get(CLASS_CRD);
    const [v1, old] = spec.versions;
    const newer = { ...structuredClone(v1), name: "v2" };
    part(newer).properties.more = { type: "string", enum: ["a"], default: "a" };
    const cut = structuredClone(newer);
    delete part(cut).properties.more;
    const isOnly = async (version: Loose): Promise<void> => {
      const others = [v1, old, newer].filter(({ name }) => name !== version.name);
      const versions = [version, ...others.map((other) => ({ ...other, storage: false }))];
      assertAllowed(await merge(CLASS_CRD, { versions }, undefined, false));
      const path = `${CRDS}/${CLASS_CRD}/status`;
      assertAllowed(await call({ method: "PATCH", path, contentType: MERGE_PATCH, body: { status: { storedVersions: [version.name] } } }));
      assertAllowed(await merge(CLASS_CRD, { versions: [version] }, undefined, false));
    };
    await isOnly(v1);
    assertAllowed(await merge(CLASS_CRD, spec, sync));
    await isOnly(newer);
    const mended = (last: Loose): Loose => ({ versions: [{ ...v1, storage: false }, old, last] });
    assertAllowed(await merge(CLASS_CRD, mended(newer), sync));
    for (const versions of [[v1, old, { ...newer, storage: false }], mended(cut).versions]) {
      assertAllowed(await merge(CLASS_CRD, { versions }, somebody));
      assertDenied(await merge(CLASS_CRD, { versions }, sync), POLICY, /the sync worker cannot/);
    }
    await isOnly(v1);
    assertAllowed(await merge(CLASS_CRD, spec, undefined, false));
  });

  test("PD-7: the worker brings the definitions of every release up to date, and keeps a field of a newer driver", async () => {
    for (const release of ["0.1.0", "0.2.0", "0.3.0", "0.4.0"]) {
      for (const { metadata, spec } of readManifests(`releases/${release}/crds.yaml`)) {
        assertAllowed(await merge(metadata.name, spec, undefined, false));
        const { spec: ours } = shipped.get(metadata.name);
        assertAllowed(await merge(metadata.name, ours, sync));
        assertAllowed(await merge(metadata.name, ours, undefined, false));
      }
    }
    const more = changed(
      CLASS_CRD,
      ([v1]) => (part(v1).properties.more = { type: "object", properties: { a: { type: "string", default: "x" } } }),
    );
    const damaged = structuredClone(more);
    field(damaged.versions[0], "data").items = { type: "object" };
    assertAllowed(await merge(CLASS_CRD, { ...damaged }, undefined, false));
    assertAllowed(await merge(CLASS_CRD, more, sync));
    assertDenied(await merge(CLASS_CRD, shipped.get(CLASS_CRD).spec, sync), POLICY, /cannot remove/);
    assertAllowed(await merge(CLASS_CRD, shipped.get(CLASS_CRD).spec, undefined, false));
  });

  // This is last, because it deletes the definitions.
  test("PD-8: made anew, it is as shipped or as a driver's chart has it, and no more", async () => {
    for (const name of [CLASS_CRD, MOUNTS_CRD, STATUS_CRD]) {
      await plane.kubectl(["delete", "--raw", `${CRDS}/${name}`]);
      await eventually(async () => (await call({ method: "GET", path: `${CRDS}/${name}` })).status === 404);
    }
    const make = (name: string, spec: Loose, token = sync): Promise<ApiAnswer> =>
      call({ method: "POST", path: `${CRDS}?dryRun=All`, body: whole(name, spec), token });
    for (const [name, { spec }] of shipped) {
      assertAllowed(await make(name, spec));
      assertAllowed(await make(name, { ...spec, versions: spec.versions.slice(0, 1) }));
    }
    assertAllowed(await make(CLASS_CRD, changed(CLASS_CRD, ofTheDriver)));
    const through: string[] = [];
    for (const [what, name, change] of Object.values(REFUSED).flat()) {
      if (ONLY_EDITS.has(what)) continue;
      assertAllowed(await make(name, changed(name, change), somebody));
      const answer = await make(name, changed(name, change));
      if (answer.status < 300) through.push(what);
      else assertDenied(answer, POLICY, /the sync worker cannot /);
    }
    assert.deepEqual(through, []);
    assert.ok(listAt(at(shipped.get(CLASS_CRD), "spec"), "versions").length === 2);
  });
}
