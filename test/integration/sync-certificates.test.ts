import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  allStatuses,
  askNow,
  classOf,
  createClass,
  dataOf,
  opaque,
  reasonIs,
  type SyncWorld,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

let world: SyncWorld;
let worker: ProductProcess;

/** Creates a class whose objects are these entries. Each entry consists of `key: value` lines, separated by commas. */
async function given(entries: readonly string[], secretObjects: readonly SecretObject[]) {
  const namespace = await world.namespace();
  const objects = `array:\n${entries.map((entry) => `  - |\n    ${entry.replaceAll(", ", "\n    ")}\n`).join("")}`;
  const parameters = { objects };
  await createClass(world.plane, classOf(world, { namespace, name: "demo", objects: [], secretObjects, parameters }));
  return { namespace, name: "demo" };
}

function tls(secretName: string, objectName: string, ...more: readonly string[]): SecretObject {
  return { secretName, type: "kubernetes.io/tls", data: ["tls.crt", "tls.key", ...more].map((key) => ({ objectName, key })) };
}

describe("the sync worker mirrors", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    const { vault, principal, emulator } = world;
    const permissions = ["list", "keys/get", "keys/list", "certificates/get", "certificates/list"] as const;
    await emulator.grant({ vault, appId: principal.appId, permissions: [...permissions] });
    worker = await world.product.start("sync", { args: ["--rotation-poll-interval=24h", "--write-cert-and-key-in-separate-files=true"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("a certificate into a Secret of type kubernetes.io/tls, and its parts and its key into others", async () => {
    const { vault, emulator, plane } = world;
    const { chainPem } = await emulator.createCertificate({ vault, name: "web", issuer: "intermediate", pfx: "modern" });
    const key = await emulator.createKey({ vault, name: "signing", keyType: "EC" });

    const place = await given(
      [
        "objectName: web, objectType: secret",
        "objectName: web, objectType: cert, objectAlias: leaf",
        "objectName: signing, objectType: key",
      ],
      [tls("web-tls", "web"), opaque("chain", "web.crt"), opaque("leaf", "leaf"), opaque("signing", "signing")],
    );

    await reasonIs(plane, place, "Synced");
    const data = (await dataOf(plane, place.namespace, "web-tls")) ?? assert.fail();
    assert.equal(data["tls.crt"], chainPem.join(""));
    assert.match(data["tls.key"] ?? "", /^-----BEGIN RSA PRIVATE KEY-----/);
    assert.ok(new X509Certificate(chainPem[0] ?? "").checkPrivateKey(createPrivateKey(data["tls.key"] ?? "")));
    assert.deepEqual(await dataOf(plane, place.namespace, "chain"), { value: chainPem.join("") });
    assert.deepEqual(await dataOf(plane, place.namespace, "leaf"), { value: chainPem[0] });
    assert.deepEqual(await dataOf(plane, place.namespace, "signing"), { value: key.publicKeyPem });
  });

  test("what secretData makes of several objects, anew once one of them is rotated, and says which it is made of", async () => {
    const { vault, emulator, plane } = world;
    const db = await world.object('{"user": {"name": "shop"}, "id": 12345678901234567890}');
    const password = await world.object("p@ss");
    const namespace = await world.namespace();
    const place = { namespace, name: "shaped" };
    const secretData = [
      "shaped:",
      `  id: property(${db}, "user")`,
      `  url: join("", "postgres://", property(${db}, "user.name"), ":", uri(${password}), "@db")`,
    ].join("\n");
    const data = ["id", "url", "raw"].map((key) => ({ objectName: key === "raw" ? password : db, key }));
    const secretObjects = [{ secretName: "shaped", type: "Opaque", data }, opaque("plain", password)];
    await createClass(plane, classOf(world, { ...place, objects: [db, password], secretObjects, parameters: { secretData } }));

    await reasonIs(plane, place, "Synced");
    assert.deepEqual(await dataOf(plane, namespace, "shaped"), { id: '{"name":"shop"}', url: "postgres://shop:p%40ss@db", raw: "p@ss" });
    const { version } = await emulator.rotateSecret({ vault, name: password, value: "n#w" });
    await askNow(plane, place);
    const keysAt = async (wanted?: string): Promise<readonly string[]> => {
      const keys = (await statusOf(plane, namespace, "shaped"))?.secrets[0]?.data ?? [];
      return keys.filter((key) => wanted === undefined || key.version === wanted).map(({ key, object }) => `${key} ${object}`);
    };
    await eventually(async () => (await keysAt(version)).length === 2, { within: 10_000, what: "the rotated object in the status" });
    assert.equal((await dataOf(plane, namespace, "shaped"))?.["url"], "postgres://shop:n%23w@db");
    assert.deepEqual(await keysAt(version), [`url secret/${password}`, `raw secret/${password}`]);
    assert.deepEqual(await keysAt(), [`id secret/${db}`, `url secret/${db}`, `url secret/${password}`, `raw secret/${password}`]);
  });

  test("objects by their names and tags: a new one is taken in, and one that is gone goes after the second list without it", async () => {
    const { vault, emulator, plane } = world;
    const tags = { team: "shop" };
    await emulator.setSecret({ vault, name: "pick-user", value: "u", tags });
    await emulator.setSecret({ vault, name: "pick-other", value: "o" });
    await emulator.createCertificate({ vault, name: "pick-tls", issuer: "self", tags });
    const namespace = await world.namespace();
    const place = { namespace, name: "picked" };
    const objectSelectors = "picked:\n  names: pick-*\n  tags: {team: shop}\n  keys: {removePrefix: pick-, letters: upper}\n";
    const secretObjects = [{ secretName: "picked", type: "Opaque" }];
    const parameters = { objects: "array: []", objectSelectors };
    await createClass(plane, classOf(world, { ...place, objects: [], secretObjects, parameters }));
    const hasData = (data: Readonly<Record<string, string>>): Promise<unknown> =>
      eventually(async () => isDeepStrictEqual(await dataOf(plane, namespace, "picked"), data), {
        within: 10_000,
        what: JSON.stringify(data),
      });

    await hasData({ USER: "u" });
    await emulator.setSecret({ vault, name: "pick-mail", value: "m", tags });
    await askNow(plane, place);
    await hasData({ MAIL: "m", USER: "u" });
    await emulator.deleteSecret({ vault, name: "pick-mail" });
    await askNow(plane, place);
    await reasonIs(plane, place, "ObjectNotFound");
    assert.deepEqual(await dataOf(plane, namespace, "picked"), { MAIL: "m", USER: "u" });
    await askNow(plane, place);
    await hasData({ USER: "u" });
    await reasonIs(plane, place, "Synced");
  });

  test("versions of a history, and says in the status which", async () => {
    const { vault, emulator, plane } = world;
    const { version } = await emulator.setSecret({ vault, name: "db", value: "only" });

    const place = await given(["objectName: db, objectType: secret, objectVersionHistory: 3"], [opaque("current", "db/0")]);

    await reasonIs(plane, place, "Synced");
    assert.deepEqual(await dataOf(plane, place.namespace, "current"), { value: "only" });
    const [secret] = (await statusOf(plane, place.namespace, place.name))?.secrets ?? [];
    assert.deepEqual(
      secret?.data.map(({ object, version: shown }) => [object, shown]),
      [["secret/db/0", version]],
    );
  });

  test("what can be mirrored where one Secret asks for a key that its type does not have", async () => {
    const { vault, emulator, plane } = world;
    await emulator.createCertificate({ vault, name: "shop", keyType: "EC" });

    const place = await given(["objectName: shop, objectType: secret"], [tls("good", "shop"), tls("bad", "shop", "ca.crt")]);

    const { message } = await reasonIs(plane, place, "PartialSync");
    assert.match(message, /failed to get cert data from file shop, err: key 'ca\.crt' is not supported/);
    assert.equal(await dataOf(plane, place.namespace, "bad"), undefined);
    assert.match((await dataOf(plane, place.namespace, "good"))?.["tls.key"] ?? "", /^-----BEGIN EC PRIVATE KEY-----/);
  });

  test("nothing of a version that the history does not have, and names the file that is missing", async () => {
    const { vault, emulator, plane } = world;
    await emulator.setSecret({ vault, name: "short", value: "x" });

    const place = await given(["objectName: short, objectType: secret, objectVersionHistory: 3"], [opaque("old", "short/7")]);

    const { message } = await reasonIs(plane, place, "InvalidClass");
    assert.match(message, /file matching objectName short\/7 not found in the pod .*the class has: short\/0/);
  });

  test("no key material into log and status", async () => {
    const shown = [worker.log(), JSON.stringify(await allStatuses(world.plane))];
    const keyBody = (await dataOf(world.plane, "team-1", "web-tls"))?.["tls.key"]?.split("\n")[1] ?? assert.fail();
    for (const text of shown) {
      // The control: both texts mention the class.
      assert.match(text, /demo/);
      assert.ok(!text.includes("BEGIN") && !text.includes(keyBody));
    }
  });
});
