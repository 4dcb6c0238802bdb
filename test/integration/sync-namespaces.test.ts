import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PlannedClass } from "../../src/cli/doctor/plan/plan.ts";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { runOnline } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { readManifests } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  assertNothingForbidden,
  classOf,
  classPath,
  createClass,
  dataOf,
  find,
  mergePatch,
  mirroredSecrets,
  opaque,
  reasonIs,
  SYNC_USER,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

let world: SyncWorld;
let worker: ProductProcess;
let served: readonly string[] = [];
let other: string;

/** Applies the shipped component as kustomize renders it: its own objects, without the binding that it removes. */
async function limitRights(namespaces: readonly string[]): Promise<void> {
  const bindings = readManifests("components/namespaces/binding.yaml");
  const copies = namespaces.flatMap((namespace) =>
    bindings.map((binding) => ({ ...binding, metadata: { ...Object(binding["metadata"]), namespace } })),
  );
  const items = [...readManifests("components/namespaces/cluster-rights.yaml"), ...bindings, ...copies];
  await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await world.plane.kubectl(["delete", "clusterrolebinding", "keyvault-injector-sync"]);
}

async function doctor<Report>(...args: readonly string[]): Promise<Report> {
  const { output, notes } = await runOnline(["doctor", ...args, "-o", "json"], world.plane.kubeconfigPath);
  assert.deepEqual(notes, []);
  return JSON.parse(output);
}

async function given(namespace: string): Promise<string> {
  const object = await world.object(`of ${namespace}`);
  await createClass(world.plane, classOf(world, { namespace, name: "demo", objects: [object], secretObjects: [opaque("app", object)] }));
  return object;
}

describe("the sync worker of some namespaces", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    served = [await world.namespace(), await world.namespace()];
    other = await world.namespace();
    await limitRights(served);
    worker = await world.product.start("sync", { args: [`--namespaces=${served.join(",")}`, "--rotation-poll-interval=24h"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("mirrors their classes and repairs their Secrets, and leaves those of others alone", async () => {
    await given(other);
    for (const namespace of served) await given(namespace);

    for (const namespace of served) {
      await reasonIs(world.plane, { namespace, name: "demo" }, "Synced");
      await send(world.plane, { method: "DELETE", path: secretPath(namespace, "app") });
      await eventually(async () => (await dataOf(world.plane, namespace, "app"))?.["value"] === `of ${namespace}`, { what: "the repair" });
    }
    assert.deepEqual(await mirroredSecrets(world.plane, other), []);
  });

  test("copies Secrets into those of them that agree, and says of others that it does not serve them", async () => {
    const [namespace = "", target = ""] = served;
    const taking = { metadata: { annotations: { [GRANT_ANNOTATIONS.mirrorsFrom]: `${namespace}/*` } } };
    for (const name of [target, other]) await mergePatch(world.plane, `/api/v1/namespaces/${name}`, taking);
    const object = await world.object("shared");
    const annotations = { [CLASS_ANNOTATIONS.mirrorTo]: `${target},${other}` };
    const secretObjects = [opaque("shared", object)];
    await createClass(world.plane, classOf(world, { namespace, name: "sharing", annotations, objects: [object], secretObjects }));

    await eventually(async () => (await dataOf(world.plane, target, "shared"))?.["value"] === "shared", { what: "the copy" });
    const copies = await eventually(async () => (await statusOf(world.plane, namespace, "sharing"))?.copies, { what: "its status" });
    assert.deepEqual(Object.fromEntries(copies.map(({ namespace: where, state }) => [where, state])), {
      [target]: "Synced",
      [other]: "NotServed",
    });
    assert.equal(await dataOf(world.plane, other, "shared"), undefined);
    await send(world.plane, { method: "DELETE", path: classPath(namespace, "sharing") });
    await eventually(async () => (await dataOf(world.plane, target, "shared")) === undefined, { what: "the end of the copy" });
    assert.equal(await statusOf(world.plane, other, "demo"), undefined);
  });

  test("has no rights in others, and is refused nothing because it asks for nothing there", async () => {
    const canGet = (namespace: string) =>
      world.plane.kubectl(["auth", "can-i", "list", "secrets", "-n", namespace, `--as=${SYNC_USER}`]).catch(() => "no");
    assert.match(await canGet(other), /^no/);
    for (const namespace of served) assert.match(await canGet(namespace), /^yes/);
    assert.ok(!/guardrails_missing\{[^}]*\} 1$/m.test(await worker.metrics()));

    assertNothingForbidden("namespaces", world.plane);
  });

  test("removes what a class in one of them leaves, and restarts with what it has", async () => {
    const [first = "", second = ""] = served;
    const before = (await find(world.plane, secretPath(second, "app")))?.metadata.resourceVersion;
    await worker.stop();
    worker = await world.product.start("sync", { args: [`--namespaces=${served.join(",")}`, "--rotation-poll-interval=24h"] });

    await send(world.plane, { method: "DELETE", path: classPath(first, "demo") });

    await eventually(async () => (await mirroredSecrets(world.plane, first)).length === 0, { what: "the end of the Secret" });
    assert.equal((await find(world.plane, secretPath(second, "app")))?.metadata.resourceVersion, before);
    await mergePatch(world.plane, classPath(second, "demo"), { spec: { secretObjects: [] } });
    await eventually(async () => (await mirroredSecrets(world.plane, second)).length === 0, { what: "the end of the other Secret" });
  });

  test("is whole to doctor, which takes the other namespaces for what they are, and finds a served one that is not bound", async () => {
    const [first = "", second = ""] = served;
    await worker.stop();
    await given(first);
    const args = [{ op: "add", path: "/spec/template/spec/containers/0/args/-", value: `--namespaces=${served.join(",")}` }];
    const deployment = ["deployment", "keyvault-injector-sync", "-n", "keyvault-injector"];
    await world.plane.kubectl(["patch", ...deployment, "--type=json", "-p", JSON.stringify(args)]);

    const { findings, walks } = await doctor<InstallReport>("--no-vaults");
    assert.deepEqual(
      findings.filter(({ check }) => check === "rights").map(({ state, message }) => `${state} ${message}`),
      ["OK ServiceAccount keyvault-injector/keyvault-injector-sync has the permissions that it needs"],
    );
    assert.deepEqual(
      walks.map(({ namespace, name }) => `${namespace}/${name}`),
      [`${first}/demo`],
    );
    const { walks: walked } = await doctor<Pick<InstallReport, "walks">>("class", `${other}/demo`, "--no-vaults");
    assert.deepEqual(
      walked
        .flatMap(({ findings: found }) => found.filter(({ step }) => step === "status"))
        .map(({ leaf, message }) => `${leaf} ${message}`),
      [`status-off the class is not synced: --namespaces does not name ${other}`],
    );
    const { classes } = await doctor<{ readonly classes: readonly PlannedClass[] }>("plan");
    assert.deepEqual(
      classes.map(({ namespace, verdict }) => `${namespace} ${verdict}`),
      [`${first} ready`, `${second} off`, `${other} off`],
    );

    await world.plane.kubectl(["delete", "rolebinding", "keyvault-injector-sync-served", "-n", second]);
    const lacking = (await doctor<InstallReport>("--no-vaults")).findings.filter(
      ({ check, state }) => check === "rights" && state === "FAIL",
    );
    const expected = `the worker lacks permission to create, patch, delete secrets in ${second}: no Secret is written`;
    assert.ok(lacking.some(({ message }) => message === expected));
    for (const { message } of lacking) assert.ok(message.includes(` in ${second}: `));
  });
});
