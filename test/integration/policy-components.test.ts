import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import jsonPatch from "fast-json-patch";
import { type ApiAnswer, type ApiCall, apiRequest, JSON_PATCH, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { API_SERVER_VERSIONS, type ApiServerVersion } from "../support/cluster/api-server-versions.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied, messageOf } from "../support/cluster/policy-answers.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { at, healingManifests, installDefinitions, listAt, readManifests } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { anew, pathOf } from "./compromised-worker/components.ts";
import type { Operation } from "./worker-writes/pod-changes.ts";
import { TARGETS, type Target } from "./worker-writes/table.ts";

const OWN = "keyvault-injector";
const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/default/secretproviderclasses";

let plane: ControlPlane;
let sync = "";
let somebody = "";

for (const version of API_SERVER_VERSIONS) {
  const refusal = controlPlaneRefusal({ version });
  const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;
  describe(`the policies on components, on API server ${version}`, { skip }, () => thePolicies(version));
}

const call = (request: ApiCall): Promise<ApiAnswer> => apiRequest(plane, request);

function changesOf({ changes }: Target, but: readonly string[] = []): readonly (readonly [string, readonly Operation[]])[] {
  return Object.entries(changes).filter(([what]) => !but.includes(what));
}

async function untilActive(): Promise<void> {
  // This also works without the policies: then every test below reports the missing ones.
  const names = JSON.parse(await plane.kubectl(["get", "validatingadmissionpolicybindings", "-o", "json"])) as unknown;
  const guarded = listAt(names, "items").map((binding) => String(at(binding, "metadata", "name")));
  for (const target of TARGETS) {
    if (!guarded.some((name) => new RegExp(`^${target.policy}$`).test(name))) continue;
    await eventually(async () => (await change(target, target.changes["a finalizer"] ?? [], sync)).status === 403, {
      what: `the policy on ${target.name}`,
    });
  }
}

const change = (target: Target, body: readonly Operation[], token: string): Promise<ApiAnswer> =>
  call({ method: "PATCH", path: `${pathOf(target)}?dryRun=All`, contentType: JSON_PATCH, body, token });

const make = (target: Target, body: unknown, token: string): Promise<ApiAnswer> =>
  call({ method: "POST", path: `${target.collection}?dryRun=All`, body, token });

const ONE_INSTANCE = "keyvault-injector-one-instance";

/** Asserts that the write is rejected. The API server itself may reject invalid objects, regardless of the user. */
function assertRefused(answer: ApiAnswer, { policy }: Target): void {
  assert.ok(answer.status >= 400, `${answer.status}: it was let through`);
  assertDenied(answer, policy, /the sync worker/);
}

const SCHEMA = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

const NEWER_DRIVER: readonly Operation[] = [
  { op: "add", path: `${SCHEMA}/properties/syncAll`, value: { type: "boolean", default: false } },
  { op: "add", path: `${SCHEMA}/x-kubernetes-validations`, value: [{ rule: "self.provider != ''" }] },
];

const CUT: readonly Operation[] = [
  { op: "replace", path: `${SCHEMA}/properties/parameters`, value: { type: "object" } },
  { op: "remove", path: `${SCHEMA}/properties/secretObjects` },
];

/** Asserts that each target with this edit rejects it, for the worker only, and that nothing gets through. */
async function refuseEverywhere(...names: readonly string[]): Promise<void> {
  for (const what of names) {
    const targets = TARGETS.filter(({ changes }) => what in changes);
    assert.ok(targets.length > 0, what);
    for (const target of targets) {
      const operations = target.changes[what] ?? [];
      assertAllowed(await change(target, operations, somebody));
      const answer = await change(target, operations, sync);
      assert.ok(answer.status >= 400, `${what}: ${target.name}: it was let through`);
      assertRefused(answer, target);
    }
  }
}

function thePolicies(version: ApiServerVersion): void {
  before(async () => {
    plane = await startControlPlane({ version, controllerManager: false });
    await installDefinitions(plane);
    const driver = version === "1.34" ? "components/csi-driver-before-1.35" : "components/csi-driver";
    const shipped = await healingManifests("overlays/default", driver, "components/azure-provider");
    await plane.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: shipped }));
    await plane.kubectl(["create", "serviceaccount", "somebody", "-n", "default"]);
    // This grants more rights than the worker has: the policies must also reject what RBAC rejects anyway.
    for (const account of ["default:somebody", `${OWN}:keyvault-injector-sync`]) {
      const name = account.replace(":", "-");
      await plane.kubectl(["create", "clusterrolebinding", name, "--clusterrole=cluster-admin", `--serviceaccount=${account}`]);
    }
    sync = await serviceAccountToken(plane, OWN, "keyvault-injector-sync");
    somebody = await serviceAccountToken(plane, "default", "somebody");
    await untilActive();
  });
  after(async () => {
    await plane?.stop();
  });

  for (const target of TARGETS) {
    describe(`on ${target.name}`, () => {
      for (const [what, operations] of changesOf(target, target.onlyAnew)) {
        test(`S3: refuse the worker ${what}, and nobody else`, async () => {
          const others = await change(target, operations, somebody);
          const answer = await change(target, operations, sync);
          // The API server rejects a move to another namespace for every user, and if two policies reject a request, the error names either
          // of them.
          const isMoved = what === "a service of another namespace";
          if (!isMoved) assertAllowed(others);
          if (isMoved && messageOf(answer).includes(ONE_INSTANCE))
            assertDenied(answer, ONE_INSTANCE, /a cluster can have only one instance/);
          else assertRefused(answer, target);
        });
      }

      test("S3: let the worker write it as it is", async () => {
        const body = { metadata: { labels: { "of-a-test": "x" } } };
        assertAllowed(await call({ method: "PATCH", path: `${pathOf(target)}?dryRun=All`, contentType: MERGE_PATCH, body, token: sync }));
      });
    });
  }

  test("S3: keep the worker's token from deleting what it heals", async () => {
    for (const target of TARGETS) {
      const answer = await call({ method: "DELETE", path: `${pathOf(target)}?dryRun=All`, token: sync });
      assertRefused(answer, target);
    }
  });

  test("S3: let the worker add what a class lacks as a whole, and change nothing of one that is there", async () => {
    const [example] = readManifests("examples/secretproviderclass-mirrored.yaml");
    const name = String(example?.metadata.name);
    assertAllowed(await call({ method: "POST", path: CLASSES, body: example, token: somebody }));
    const patch = (body: unknown, token: string): Promise<ApiAnswer> =>
      call({ method: "PATCH", path: `${CLASSES}/${name}?dryRun=All`, contentType: MERGE_PATCH, body, token });
    const changes: Readonly<Record<string, unknown>> = {
      "another vault": { spec: { parameters: { keyvaultName: "of-the-attacker" } } },
      "one more parameter": { spec: { parameters: { useVMManagedIdentity: "true" } } },
      "no secretObjects": { spec: { secretObjects: null } },
      "other secretObjects": { spec: { secretObjects: [{ secretName: "other", type: "Opaque", data: [] }] } },
      "an annotation": { metadata: { annotations: { "keyvault-injector.dev/service-account": "admin" } } },
      "a label": { metadata: { labels: { of: "somebody" } } },
      "a finalizer": { metadata: { finalizers: ["example.com/hold"] } },
    };
    for (const [what, body] of Object.entries(changes)) {
      const answer = await patch(body, sync);
      assert.ok(answer.status === 403, `${what}: ${answer.status}`);
      assertDenied(answer, "keyvault-injector-sync-classes", /the sync worker/);
      assertAllowed(await patch(body, somebody));
    }
    assertAllowed(await patch({ metadata: { labels: {} } }, sync));
    const cut = {
      ...example,
      metadata: { ...example?.metadata, name: "cut" },
      spec: { ...Object(at(example, "spec")), secretObjects: undefined },
    };
    assertAllowed(await call({ method: "POST", path: CLASSES, body: cut, token: somebody }));
    const completed = { spec: at(example, "spec") };
    const path = `${CLASSES}/cut?dryRun=All`;
    assertAllowed(await call({ method: "PATCH", path, contentType: MERGE_PATCH, body: completed, token: sync }));
    assert.equal((await call({ method: "DELETE", path, token: sync })).status, 403);
  });

  test("A-9: refuse the worker a label by which somebody's Service would send its requests to our pods", async () => {
    await refuseEverywhere("a label by which somebody's Service sends its requests there");
  });

  test("A-5: refuse the worker pods that push others off the nodes: more of them, larger ones, with another priority or elsewhere", async () => {
    await refuseEverywhere("replicas for every node", "room for no other pod", "no limit of its memory", "another priority");
    await refuseEverywhere("every node", "a node that somebody else needs", "another node selector", "another spread");
    await refuseEverywhere("pods that take years to end");
  });

  test("lets the worker bring back up to five replicas, and fewer than there are", async () => {
    const path = `/apis/apps/v1/namespaces/${OWN}/deployments/keyvault-injector-webhook`;
    const scale = (replicas: number, token?: string): Promise<ApiAnswer> =>
      call({ method: "PATCH", path, contentType: MERGE_PATCH, body: { spec: { replicas } }, ...(token === undefined ? {} : { token }) });
    assertAllowed(await scale(0));
    assertAllowed(await scale(5, sync));
    assertAllowed(await scale(9));
    assertAllowed(await scale(9, sync));
    assertAllowed(await scale(7, sync));
    assert.ok((await scale(8, sync)).status >= 400);
    assertAllowed(await scale(2));
  });

  test("SH-8: lets the worker bring back a pod for each shard of its PodTemplate, and two more", async () => {
    const name = "keyvault-injector-sync";
    const deployment = `/apis/apps/v1/namespaces/${OWN}/deployments/${name}`;
    const template = `/api/v1/namespaces/${OWN}/podtemplates/${name}`;
    const scale = (replicas: number): Promise<ApiAnswer> =>
      call({ method: "PATCH", path: `${deployment}?dryRun=All`, contentType: MERGE_PATCH, body: { spec: { replicas } }, token: sync });
    const patch = (body: readonly Operation[]): Promise<ApiAnswer> =>
      call({ method: "PATCH", path: template, contentType: JSON_PATCH, body });
    assert.ok((await scale(6)).status >= 400);

    const { args } = Object(at((await call({ method: "GET", path: template })).body, "template", "spec", "containers", 0)) as {
      readonly args: readonly string[]; // As shipped.
    };
    assertAllowed(await patch([{ op: "add", path: "/template/spec/containers/0/args/-", value: "--shards=16" }]));
    await eventually(async () => (await scale(18)).status === 200, { what: "the PodTemplate to be what the policy goes by" });
    assert.ok((await scale(19)).status >= 400);
    assertAllowed(await patch([{ op: "replace", path: "/template/spec/containers/0/args", value: args }]));
  });

  test("A-7: refuse the worker every change of the flags and variables by which the operator limits it, and none of it is missed", async () => {
    await refuseEverywhere("one more flag", "none of its arguments", "fewer arguments", "a variable less");
    await refuseEverywhere("a container less", "a mount less");
  });

  test("PD-9: refuse the worker an entry that belongs to a configuration of the other kind", async () => {
    await refuseEverywhere("an entry of the other configuration");
  });

  test("A-4: refuse the worker a schema that empties classes, puts something into each, or lets none be written", async () => {
    await refuseEverywhere("parameters that keep no key", "parameters that nobody can write", "no class that can be written");
    await refuseEverywhere("a parameter for every class, by a default of its own", "a parameter for every class, by a default of all");
    await refuseEverywhere("Secrets of its own for every class", "another type for every Secret", "secretObjects that keep nothing");
    await refuseEverywhere("a status of its own");
  });

  test("let the worker repair a definition that somebody else damaged, and keep what only a newer driver has in it", async () => {
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/secretproviderclasses.secrets-store.csi.x-k8s.io";
    const { body: whole } = await call({ method: "GET", path });
    const newer = jsonPatch.applyPatch(structuredClone(whole), [...NEWER_DRIVER], false, false).newDocument;
    const patch = (body: readonly Operation[], token?: string): Promise<ApiAnswer> =>
      call({ method: "PATCH", path, contentType: JSON_PATCH, body, ...(token === undefined ? {} : { token }) });
    const versions: Operation = { op: "replace", path: "/spec/versions", value: at(newer, "spec", "versions") };
    assertAllowed(await patch([...NEWER_DRIVER, ...CUT]));

    assertAllowed(await patch([versions], sync));
    assertAllowed(await patch([{ op: "replace", path: "/spec/versions", value: at(whole, "spec", "versions") }]));
  });

  // This is last, because it deletes the components.
  for (const target of TARGETS) {
    test(`S3: refuse the worker the same of ${target.name} where it makes it anew after a deletion`, async () => {
      const { body: live } = await call({ method: "GET", path: pathOf(target) });
      assert.ok(typeof live === "object" && live !== null);
      await plane.kubectl(["delete", "--raw", pathOf(target)]);
      await eventually(async () => (await call({ method: "GET", path: pathOf(target) })).status === 404);
      const whole = anew(live);
      assertAllowed(await make(target, whole, somebody));
      assertAllowed(await make(target, whole, sync));
      for (const [what, operations] of changesOf(target, target.onlyOnUpdate)) {
        const changed: unknown = jsonPatch.applyPatch(structuredClone(whole), structuredClone([...operations])).newDocument;
        assertAllowed(await make(target, changed, somebody));
        const answer = await make(target, changed, sync);
        assert.ok(answer.status >= 400, `${what}: it was let through`);
        assertRefused(answer, target);
      }
    });
  }
}
