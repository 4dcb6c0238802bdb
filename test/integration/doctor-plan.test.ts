import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { PlannedClass } from "../../src/cli/doctor/plan/plan.ts";
import { CLASS_VERDICTS } from "../../src/cli/doctor/plan/plan.ts";
import type { PlannedSecret } from "../../src/cli/doctor/plan/plan-secret.ts";
import { SECRET_ACTIONS } from "../../src/cli/doctor/plan/plan-secret.ts";
import { CLASS_ANNOTATIONS, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { runOnline } from "../support/cli/cli.ts";
import { classReader } from "../support/cluster/class-reader.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { aNamespace } from "../support/cluster/namespace.ts";
import { installDefinitions } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { findLeaks } from "../support/worker/canary.ts";
import {
  type ClassFacts,
  classOf,
  createClass,
  createCredentials,
  mirroredSecrets,
  opaque,
  type SyncWorld,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const VALUE = "a value of a Secret that was there before";
const VAULT = { vault: "demo-vault", tenantId: "00000000-0000-4000-8000-000000000001" };

const WHOLE = { clientid: "app", clientsecret: VALUE };

let plane: ControlPlane;
const printed: string[] = [];
const seen = new Set<string>();

interface Planned {
  readonly code: number;
  readonly classes: readonly PlannedClass[];
}

async function plan(namespace: string, kubeconfig = plane.kubeconfigPath): Promise<Planned> {
  const { code, output, notes } = await runOnline(["doctor", "plan", "-n", namespace, "-o", "json"], kubeconfig);
  assert.deepEqual(notes, []);
  printed.push(output);
  const { report, format, classes }: { readonly report: string; readonly format: number; readonly classes: readonly PlannedClass[] } =
    JSON.parse(output);
  assert.deepEqual([report, format], ["plan", 1]);
  for (const { verdict, secrets } of classes) {
    seen.add(verdict);
    for (const { action } of secrets) seen.add(`Secret ${action}`);
  }
  return { code, classes };
}

/** Creates a namespace with credentials and one class. */
async function aClass(facts: Partial<ClassFacts> = {}, credentials: Readonly<Record<string, string>> = WHOLE): Promise<string> {
  const namespace = await aNamespace(plane);
  await createCredentials(plane, namespace, credentials);
  await createClass(
    plane,
    classOf(VAULT, { namespace, name: "demo", objects: ["object"], secretObjects: [opaque("app", "object")], ...facts }),
  );
  return namespace;
}

async function aForeignSecret(namespace: string, metadata: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const body = { apiVersion: "v1", kind: "Secret", metadata: { name: "app", ...metadata }, type: "Opaque", stringData: { value: VALUE } };
  await send(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body });
}

async function onlySecret(namespace: string): Promise<PlannedSecret> {
  const [secret] = (await plan(namespace)).classes[0]?.secrets ?? [];
  assert.ok(secret !== undefined);
  return secret;
}

async function assertRefused(namespace: string, reason: string, message: RegExp): Promise<void> {
  const { code, classes } = await plan(namespace);
  const [planned] = classes;
  assert.deepEqual([code, planned?.verdict, planned?.reason], [1, "refused", reason]);
  assert.match(planned?.message ?? "", message);
  assert.match(planned?.fix ?? "", /^[A-Z].*\.$/);
}

describe("doctor plan, before anything but the CRDs is installed", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    await installDefinitions(plane);
  });

  after(async () => {
    await plane?.stop();
  });

  test("names the Secrets that would be created, and makes none", async () => {
    const namespace = await aClass({ objects: ["object", "other"], secretObjects: [opaque("app", "object"), opaque("other", "other")] });

    const { code, classes } = await plan(namespace);

    assert.equal(code, 0);
    assert.deepEqual(classes, [
      {
        namespace,
        name: "demo",
        verdict: "ready",
        secrets: [
          { name: "app", type: "Opaque", action: "create" },
          { name: "other", type: "Opaque", action: "create" },
        ],
      },
    ]);
    const { output } = await runOnline(["doctor", "plan", "-n", namespace], plane.kubeconfigPath);
    assert.match(output, /\n2 Secrets would be created in 1 namespace; 0 in conflict, 0 invalid; 0 of 1 classes refused\n$/);
    assert.deepEqual(await mirroredSecrets(plane, namespace), []);
  });

  test("tells of a Secret that somebody else has, and who wrote it", async () => {
    const namespace = await aClass();
    await aForeignSecret(namespace);

    const { action, reason, message, fix } = await onlySecret(namespace);

    assert.deepEqual([action, reason], ["conflict", "Conflict"]);
    assert.match(message ?? "", /^Secret app exists but is not managed by the worker/);
    assert.match(fix ?? "", /\.$/);
    assert.equal((await plan(namespace)).code, 1);
  });

  test("tells of a Secret that would be taken over, because both sides agree or the driver's sync is off", async () => {
    const agreed = await aClass({ annotations: { [CLASS_ANNOTATIONS.adopt]: "app" } });
    await aForeignSecret(agreed, { annotations: { [SECRET_ANNOTATIONS.adoptableBy]: "demo" } });
    const driver = await aClass();
    await aForeignSecret(driver, { labels: { "secrets-store.csi.k8s.io/managed": "true" } });

    assert.equal((await onlySecret(agreed)).action, "take-over");
    assert.equal((await onlySecret(driver)).action, "take-over");
    assert.equal((await plan(driver)).code, 0);
  });

  test("tells of a Secret that the driver's own sync, which is switched on, would go on writing", async () => {
    const namespace = await aClass();
    await aForeignSecret(namespace, { labels: { "secrets-store.csi.k8s.io/managed": "true" } });
    await plane.kubectl([
      "create",
      "clusterrolebinding",
      "secretprovidersyncing-rolebinding",
      "--clusterrole=edit",
      "--serviceaccount=kube-system:driver",
    ]);

    const { action, message } = await onlySecret(namespace);

    assert.equal(action, "conflict");
    assert.match(message ?? "", /written by the CSI driver's own sync, which ClusterRoleBinding secretprovidersyncing-rolebinding allows/);
    await plane.kubectl(["delete", "clusterrolebinding", "secretprovidersyncing-rolebinding"]);
  });

  test("tells which of two classes would have a Secret that both name", async () => {
    const namespace = await aClass();
    await createClass(plane, classOf(VAULT, { namespace, name: "late", objects: ["object"], secretObjects: [opaque("app", "object")] }));

    const { classes } = await plan(namespace);

    assert.deepEqual(
      classes.map(({ name, secrets }) => `${name} ${secrets[0]?.action ?? ""}`),
      ["demo create", "late conflict"],
    );
    assert.match(classes[1]?.secrets[0]?.message ?? "", /written by the class demo/);
  });

  test("tells what the worker has written already", async () => {
    const namespace = await aClass();
    await aForeignSecret(namespace, {
      labels: { "keyvault-injector.dev/managed": "true" },
      annotations: { [SECRET_ANNOTATIONS.class]: "demo" },
    });

    assert.equal((await onlySecret(namespace)).action, "keep");
  });

  test("tells of secretObjects that give no Secret", async () => {
    const invalid = await onlySecret(await aClass({ secretObjects: [{ ...opaque("app", "object"), type: "helm.sh/release.v1" }] }));
    const twice = await onlySecret(await aClass({ secretObjects: [opaque("app", "object"), opaque("app", "object")] }));

    assert.deepEqual([invalid.action, invalid.reason], ["invalid", "ForbiddenType"]);
    assert.deepEqual([twice.action, twice.reason], ["invalid", "InvalidClass"]);
  });

  test("tells of classes that the worker would refuse, with the reason that it would give", async () => {
    await assertRefused(await aClass({ parameters: { keyvaultName: "x" } }), "InvalidClass", /keyvaultName/);
    await assertRefused(await aClass({ parameters: { usePodIdentity: "true" } }), "IdentityUnavailable", /pod identity/);
    await assertRefused(await aClass({ objects: [{ objectName: "object", objectType: "file" }] }), "InvalidObject", /objectType/);
    await assertRefused(await aClass({}, {}), "CredentialsMissing", /has no clientid$/);
    const bare = await aNamespace(plane);
    await createClass(
      plane,
      classOf(VAULT, { namespace: bare, name: "demo", objects: ["object"], secretObjects: [opaque("app", "object")] }),
    );
    await assertRefused(bare, "CredentialsMissing", /^Secret \S+\/secrets-store-creds does not exist$/);
    await assertRefused(
      await aClass({ annotations: { [CLASS_ANNOTATIONS.credentialsSecret]: "other" } }),
      "CredentialsMissing",
      /named other/,
    );
    await assertRefused(await aClass({ parameters: { clientID: "app" } }), "IdentityUnavailable", /no pod mounts the class/);
    const annotations = { [CLASS_ANNOTATIONS.serviceAccount]: "nobody" };
    const lent = await aClass({ parameters: { clientID: "app" }, annotations });
    await assertRefused(lent, "IdentityUnavailable", /^ServiceAccount \S+\/nobody does not exist$/);
    await plane.kubectl(["create", "serviceaccount", "nobody", "-n", lent]);
    await assertRefused(lent, "IdentityUnavailable", /^no token for the ServiceAccount nobody: Namespace \S+ does not grant it/);
  });

  test("tells of classes that would not be mirrored, or not yet", async () => {
    const modes = await Promise.all(
      ["never", "while-used"].map(
        async (sync) => (await plan(await aClass({ annotations: { [CLASS_ANNOTATIONS.sync]: sync } }))).classes[0]?.verdict,
      ),
    );

    assert.deepEqual(modes, ["off", "waits"]);
    assert.equal((await plan(await aClass({ secretObjects: [] }))).classes[0]?.verdict, "off");
  });

  test("says what the user may not see", async () => {
    const namespace = await aClass();
    const reader = await classReader(plane, namespace, "get,list");

    const { code, classes } = await plan(namespace, reader);

    assert.equal(code, 0);
    assert.deepEqual([classes[0]?.verdict, classes[0]?.secrets[0]?.action], ["unknown", "unknown"]);
    assert.match(classes[0]?.message ?? "", /^you lack permission to get secrets/);
    const all = await runOnline(["doctor", "plan"], reader);
    assert.equal(all.code, 2);
    assert.match(all.notes.join(""), /you lack permission to list secretproviderclasses; name a namespace with -n/);
  });

  test("has met every verdict and every action", () => {
    const known = [...Object.keys(CLASS_VERDICTS), ...Object.keys(SECRET_ACTIONS).map((action) => `Secret ${action}`)];
    assert.deepEqual(
      known.filter((word) => !seen.has(word)),
      [],
    );
  });

  test("prints no value of a Secret; a planted one is found", () => {
    assert.deepEqual(
      findLeaks(
        [VALUE],
        printed.map((text, index) => ({ name: `output ${index}`, text })),
      ),
      [],
    );
    assert.ok(findLeaks([VALUE], [{ name: "planted", text: `${printed[0] ?? ""}${VALUE}` }]).length > 0);
  });
});

describe("doctor plan, compared with what the worker then does", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let world: SyncWorld;

  before(async () => {
    world = await startSyncWorld();
    ({ plane } = world);
  });

  after(async () => {
    await world?.stop();
  });

  test("names the very Secrets that a first start creates", async () => {
    const object = await world.object("of the vault");
    const namespaces = [await world.namespace(), await world.namespace()];
    for (const namespace of namespaces) {
      for (const name of ["one", "two"]) {
        await createClass(
          plane,
          classOf(world, { namespace, name, objects: [object], secretObjects: [opaque(`${name}-app`, object), opaque("shared", object)] }),
        );
      }
    }
    const [first = "", second = ""] = namespaces;
    await send(plane, {
      method: "POST",
      path: `/api/v1/namespaces/${second}/secrets`,
      body: { apiVersion: "v1", kind: "Secret", metadata: { name: "two-app" } },
    });
    const { output } = await runOnline(["doctor", "plan", "-o", "json"], plane.kubeconfigPath);
    const { classes }: { readonly classes: readonly PlannedClass[] } = JSON.parse(output);
    const planned = classes.flatMap(({ namespace, secrets }) =>
      secrets.filter(({ action }) => action === "create").map(({ name }) => `${namespace}/${name}`),
    );

    const worker = await world.product.start("sync", { args: ["--enable-secret-rotation=false"] });
    const created = await eventually(async () => {
      const found = (await mirroredSecrets(plane)).map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);
      return found.length >= planned.length && found;
    });

    assert.deepEqual([...created].sort(), [...planned].sort());
    assert.equal(planned.length, 5);
    assert.ok(planned.includes(`${first}/two-app`) && !planned.includes(`${second}/two-app`));
    await worker.stop();
  });

  test("says of Secrets with our label, and of a class that is never mirrored, what the worker then does", async () => {
    const object = await world.object("of the vault");
    const namespace = await world.namespace();
    const labelled = (name: string, annotations: Readonly<Record<string, string>>): Promise<unknown> =>
      send(plane, {
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/secrets`,
        body: { apiVersion: "v1", kind: "Secret", metadata: { name, labels: { [MANAGED_LABEL]: "true" }, annotations }, type: "Opaque" },
      });
    await labelled("of-none", {});
    await labelled("of-gone", { [SECRET_ANNOTATIONS.class]: "gone" });
    const named = ["of-none", "of-gone", "new"].map((name) => opaque(name, object));
    const never = { [CLASS_ANNOTATIONS.sync]: "never" };
    await createClass(plane, classOf(world, { namespace, name: "a-never", objects: [object], secretObjects: named, annotations: never }));
    await createClass(plane, classOf(world, { namespace, name: "demo", objects: [object], secretObjects: named }));

    const { classes } = await plan(namespace);
    assert.deepEqual(
      classes.map(({ name, verdict, secrets }) => [name, verdict, ...secrets.map((secret) => `${secret.name} ${secret.action}`)]),
      [
        ["a-never", "off"],
        ["demo", "ready", "of-none keep", "of-gone keep", "new create"],
      ],
    );

    await world.product.start("sync", { args: ["--enable-secret-rotation=false"] });
    const wanted = ["new demo", "of-gone demo", "of-none demo"];
    await eventually(async () => {
      const found = (await mirroredSecrets(plane, namespace)).map(
        ({ metadata: { name, annotations = {} } }) => `${name} ${annotations[SECRET_ANNOTATIONS.class] ?? ""}`,
      );
      return found.sort().join() === wanted.join();
    });
  });
});
