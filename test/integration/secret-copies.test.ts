import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CLASS_ANNOTATIONS,
  COPY_ANNOTATIONS,
  COPY_LABEL,
  GRANT_ANNOTATIONS,
  MANAGED_LABEL,
  SECRET_ANNOTATIONS,
} from "../../src/domain/annotations.ts";
import type { KubeObject, Secret } from "../../src/domain/kubernetes.ts";
import type { CopyStatus } from "../../src/domain/sync/status-fields.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  askNow,
  assertNothingForbidden,
  CLASS_CRD,
  classOf,
  classPath,
  createClass,
  dataOf,
  eventsOf,
  find,
  mergePatch,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
  statusOf,
  writesOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAME = "app";
const ARGS = ["--rotation-poll-interval=24h"];

let world: SyncWorld;
let worker: ProductProcess;

interface Shared extends Place {
  readonly object: string;
  /** Namespaces that it names. */
  readonly targets: readonly string[];
}

/** A class that names so many new namespaces, all of which agree, and whose copies are there. */
async function shared(count: number, annotations: Readonly<Record<string, string>> = {}): Promise<Shared> {
  const namespace = await world.namespace();
  const object = await world.object("first");
  const targets = await Promise.all(Array.from({ length: count }, () => world.namespace({ credentials: false })));
  const place = { namespace, name: "demo", object, targets };
  for (const target of targets) await agree(target, `${namespace}/demo`);
  const all = { [CLASS_ANNOTATIONS.mirrorTo]: targets.join(","), ...annotations };
  const secretObjects = [{ ...opaque(NAME, object), labels: { team: "platform" } }];
  await createClass(world.plane, classOf(world, { namespace, name: "demo", annotations: all, objects: [object], secretObjects }));
  for (const target of targets) await valueIs(target, "first");
  return place;
}

const agree = (namespace: string, from: string | null) =>
  mergePatch(world.plane, `/api/v1/namespaces/${namespace}`, { metadata: { annotations: { [GRANT_ANNOTATIONS.mirrorsFrom]: from } } });

const valueIs = (namespace: string, value: string): Promise<true> =>
  eventually(async () => (await dataOf(world.plane, namespace, NAME))?.["value"] === value || undefined, {
    what: `${value} in ${namespace}`,
  });

const isGone = (namespace: string): Promise<true> =>
  eventually(async () => (await find(world.plane, secretPath(namespace, NAME))) === undefined || undefined, {
    what: `no ${NAME} in ${namespace}`,
  });

async function rotate({ namespace, name, object }: Shared, value: string): Promise<void> {
  await world.emulator.setSecret({ vault: world.vault, name: object, value });
  await askNow(world.plane, { namespace, name });
  await valueIs(namespace, value);
}

function copiesAre({ namespace, name }: Place, expected: readonly CopyStatus[]): Promise<true> {
  let last: unknown;
  return eventually(
    async () => {
      last = (await statusOf(world.plane, namespace, name))?.copies ?? [];
      assert.deepEqual(last, expected);
      return true as const;
    },
    { what: `copies ${JSON.stringify(expected)}` },
  );
}

async function assertCopied({ namespace }: Place, target: string): Promise<void> {
  const [source, copy] = await Promise.all([namespace, target].map((where) => find<Secret>(world.plane, secretPath(where, NAME))));
  assert.ok(source !== undefined && copy !== undefined);
  const { annotations: given = {} } = source.metadata;
  const { labels, annotations = {} } = copy.metadata;
  assert.equal(copy.type, "Opaque");
  assert.deepEqual(copy.data, source.data);
  assert.deepEqual(labels, { team: "platform", [COPY_LABEL]: "true" });
  assert.equal(annotations[COPY_ANNOTATIONS.copiedFrom], `${namespace}/demo`);
  assert.equal(annotations[SECRET_ANNOTATIONS.objects], given[SECRET_ANNOTATIONS.objects]);
  assert.notEqual(annotations[SECRET_ANNOTATIONS.content], given[SECRET_ANNOTATIONS.content]);
}

/** Writes of the worker among Secrets of the namespace, since then. */
const writesIn = (namespace: string, since: number) =>
  writesOf(world.plane.audit()).filter(
    (entry) =>
      entry.resource === "secrets" && entry.namespace === namespace && Date.parse(entry.time) > since && !entry.uri.includes("dryRun"),
  );

const deleteSecret = (namespace: string) => send(world.plane, { method: "DELETE", path: secretPath(namespace, NAME) });

describe("copies of a class's Secrets in other namespaces", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    worker = await world.product.start("sync", { args: ARGS });
  });
  after(async () => {
    await worker?.stop();
    await world?.stop();
  });

  test("have name, type, labels and data of the Secret, say whose they are, and stand in the status", async () => {
    const place = await shared(2);

    for (const target of place.targets) await assertCopied(place, target);
    await copiesAre(
      place,
      [...place.targets].sort().map((namespace) => ({ namespace, state: "Synced" })),
    );
  });

  test("follow a rotation, and at rest nothing is written", async () => {
    const place = await shared(1);
    const [target = ""] = place.targets;

    await rotate(place, "second");
    await valueIs(target, "second");
    await copiesAre(place, [{ namespace: target, state: "Synced" }]);

    const [since, other] = [Date.now(), await shared(1)];
    await rotate(other, "second");
    await valueIs(other.targets[0] ?? "", "second");
    assert.deepEqual(writesIn(target, since), []);
  });

  test("are repaired when somebody edits or deletes them, and what others add to them stays", async () => {
    const place = await shared(1);
    const [target = ""] = place.targets;
    const edit = { metadata: { labels: { team: "mine", theirs: "stays" } }, data: { value: "bWluZQ==", theirs: "c3RheXM=" } };

    await mergePatch(world.plane, secretPath(target, NAME), edit);
    await valueIs(target, "first");
    await eventually(async () => (await find<Secret>(world.plane, secretPath(target, NAME)))?.metadata.labels?.["team"] === "platform");
    const copy = await find<Secret>(world.plane, secretPath(target, NAME));
    assert.equal(copy?.metadata.labels?.["theirs"], "stays");
    assert.equal(copy?.data?.["theirs"], "c3RheXM=");

    await deleteSecret(target);
    await valueIs(target, "first");
  });

  test("leave a Secret of the name alone that is somebody else's, say so, and come once it is gone", async () => {
    const namespace = await world.namespace({ credentials: false });
    const body = { apiVersion: "v1", kind: "Secret", metadata: { name: NAME }, stringData: { value: "theirs" } };
    const { body: made } = await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body });
    await agree(namespace, "*/*");
    const place = await shared(1);
    await agree(namespace, `${place.namespace}/*`);
    const mirrorTo = [...place.targets, namespace].join(",");
    await mergePatch(world.plane, classPath(place.namespace, "demo"), {
      metadata: { annotations: { [CLASS_ANNOTATIONS.mirrorTo]: mirrorTo } },
    });

    const states = [
      { namespace, state: "Conflict", secrets: [NAME] } as const,
      { namespace: place.targets[0] ?? "", state: "Synced" } as const,
    ];
    await copiesAre(
      place,
      states.toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1)),
    );
    const live = await find<Secret>(world.plane, secretPath(namespace, NAME));
    assert.deepEqual(live, made);
    const reported = await eventually(async () => (await eventsOf(world.plane, place)).find(({ reason }) => reason === "Conflict"));
    assert.match(reported.message, new RegExp(`Secret ${namespace}/${NAME} exists but is not a copy for this class`));
    assert.equal((await reasonIs(world.plane, place, "Synced")).status, "True");
    await deleteSecret(namespace);
    await rotate(place, "second");
    await valueIs(namespace, "second");
  });

  test("are neither made nor kept where the Namespace does not agree, and nothing is written there any more", async () => {
    const place = await shared(2);
    const [target = "", other = ""] = place.targets;
    const withdrawn = Date.now();

    await agree(target, "elsewhere/*");
    await isGone(target);
    const seconds = (Date.now() - withdrawn) / 1_000;
    await copiesAre(
      place,
      [{ namespace: target, state: "NotGranted" } as const, { namespace: other, state: "Synced" } as const].toSorted((a, b) =>
        a.namespace < b.namespace ? -1 : 1,
      ),
    );
    const gone = Date.now();
    for (const value of ["second", "third", "fourth"]) {
      await rotate(place, value);
      await valueIs(other, value);
    }

    console.log(
      `secret copies: a copy was deleted ${seconds.toFixed(1)} s after the consent was withdrawn, and ${writesIn(target, gone).length} writes followed`,
    );
    // A write onto a copy that the watch has not shown yet is refused, and changes nothing.
    assert.equal(writesIn(other, gone).filter(({ code }) => code < 400).length, 3);
    assert.deepEqual(writesIn(target, gone), []);
    assert.equal(await find(world.plane, secretPath(target, NAME)), undefined);
    await agree(target, `${place.namespace}/*`);
    await valueIs(target, "fourth");
  });

  test("stay as they are where the class is switched off, whatever becomes of the consent", async () => {
    const place = await shared(1);
    const [target = ""] = place.targets;
    const patch = (sync: string) =>
      mergePatch(world.plane, classPath(place.namespace, "demo"), { metadata: { annotations: { [CLASS_ANNOTATIONS.sync]: sync } } });
    await patch("never");
    await copiesAre(place, [{ namespace: target, state: "SwitchedOff" }]);
    const since = Date.now();

    await agree(target, null);
    const control = await shared(1);
    await agree(control.targets[0] ?? "", null);
    await isGone(control.targets[0] ?? "");

    assert.deepEqual(writesIn(target, since), []);
    await valueIs(target, "first");
    await patch("always");
    await isGone(target);
  });

  test("go with what the class no longer names, and with the class, and not before its Secret", async () => {
    const place = await shared(2);
    const [target = "", other = ""] = place.targets;
    await mergePatch(world.plane, classPath(place.namespace, "demo"), {
      metadata: { annotations: { [CLASS_ANNOTATIONS.mirrorTo]: other } },
    });
    await isGone(target);
    await valueIs(other, "first");

    await send(world.plane, { method: "DELETE", path: classPath(place.namespace, "demo") });
    await isGone(other);
    assert.equal(await find(world.plane, secretPath(place.namespace, NAME)), undefined);
  });

  test("stay where they only look like one: a Secret that somebody marked as a copy is not deleted", async () => {
    const place = await shared(1);
    const [target = ""] = place.targets;
    const copy = await find<Secret>(world.plane, secretPath(target, NAME));
    const { labels, annotations } = copy?.metadata ?? {};
    const forged = { apiVersion: "v1", kind: "Secret", metadata: { name: "forged", labels, annotations }, data: copy?.data };
    await send(world.plane, {
      method: "POST",
      path: `/api/v1/namespaces/${target}/secrets?fieldManager=keyvault-injector-sync`,
      body: forged,
    });

    await agree(target, null);
    await isGone(target);

    assert.deepEqual((await find<Secret>(world.plane, secretPath(target, "forged")))?.data, copy?.data);
  });

  test("are nobody's for a class of that name in their namespace, which says Conflict", async () => {
    const place = await shared(1);
    const [target = ""] = place.targets;
    await world.emulator.setSecret({ vault: world.vault, name: place.object, value: "first" });
    const body = { apiVersion: "v1", kind: "Secret", metadata: { name: "secrets-store-creds" }, stringData: credentials() };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${target}/secrets`, body });
    const own = { namespace: target, name: "demo" };
    await createClass(world.plane, classOf(world, { ...own, objects: [place.object], secretObjects: [opaque(NAME, place.object)] }));

    const { message } = await reasonIs(world.plane, own, "Conflict");
    assert.match(message, /exists but is not managed by the worker/);
    await send(world.plane, { method: "DELETE", path: classPath(target, "demo") });
    await eventually(async () => (await statusOf(world.plane, target, "demo")) === undefined);
    const copy = await find<Secret>(world.plane, secretPath(target, NAME));
    assert.equal(copy?.metadata.labels?.[MANAGED_LABEL], undefined);
    assert.equal(copy?.metadata.annotations?.[COPY_ANNOTATIONS.copiedFrom], `${place.namespace}/demo`);
  });

  test("are left to the end of their namespace, without a word", async () => {
    const place = await shared(2);
    const [target = "", other = ""] = place.targets;
    // A finalizer of its own keeps it for as long as the test looks.
    const held = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "held", finalizers: ["example.com/held"] } };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${target}/configmaps`, body: held });

    await send(world.plane, { method: "DELETE", path: `/api/v1/namespaces/${target}` });
    await isGone(target);
    await rotate(place, "second");
    await valueIs(other, "second");
    await eventually(async () =>
      (await statusOf(world.plane, place.namespace, "demo"))?.copies?.some(({ state }) => state === "Terminating"),
    );

    assert.deepEqual(
      (await eventsOf(world.plane, place)).filter(({ type }) => type === "Warning"),
      [],
    );
    await mergePatch(world.plane, `/api/v1/namespaces/${target}/configmaps/held`, { metadata: { finalizers: null } });
    await eventually(async () => (await find<KubeObject>(world.plane, `/api/v1/namespaces/${target}`)) === undefined);
  });

  test("stay as they are while the definition of classes is lost, and follow the class that was restored", async () => {
    const place = await shared(1);
    const [target = ""] = place.targets;
    const before = await find<Secret>(world.plane, secretPath(target, NAME));

    const lost = (await find<KubeObject>(world.plane, classPath(place.namespace, "demo")))?.metadata.uid;
    await world.plane.kubectl(["delete", "crd", CLASS_CRD, "--wait=false"]);
    await eventually(
      async () => {
        const { uid } = (await find<KubeObject>(world.plane, classPath(place.namespace, "demo")))?.metadata ?? {};
        return uid !== undefined && uid !== lost;
      },
      { what: "the restored class", within: 60_000 },
    );
    await rotate(place, "second");
    await valueIs(target, "second");

    const after = await find<Secret>(world.plane, secretPath(target, NAME));
    assert.equal(after?.metadata.uid, before?.metadata.uid);
  });

  test("are there again after another worker has taken over, without a write", async () => {
    const place = await shared(1);
    const [target = ""] = place.targets;
    await copiesAre(place, [{ namespace: target, state: "Synced" }]);
    await worker.stop();
    const since = Date.now();
    worker = await world.product.start("sync", { args: ARGS });

    const other = await shared(1);
    await agree(other.targets[0] ?? "", null);
    await isGone(other.targets[0] ?? "");

    assert.deepEqual(writesIn(target, since), []);
  });

  test("took no right that the worker does not have", () => assertNothingForbidden("secret copies", world.plane));
});

function credentials(): Readonly<Record<string, string>> {
  return { clientid: world.principal.appId, clientsecret: world.principal.clientSecret };
}
