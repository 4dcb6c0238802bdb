import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { clientEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import type { Permission } from "../../tools/key-vault-emulator/vault/permissions.ts";
import { type LineProcess, startLineProcess } from "../support/processes/line-process.ts";
import type { ClassAnswer, ClassQuestion } from "./class-objects-process.ts";

const PROCESS = fileURLToPath(new URL("./class-objects-process.ts", import.meta.url));
const EVERYTHING: readonly Permission[] = ["get", "list", "keys/get", "keys/list", "certificates/get", "certificates/list"];
const READ: readonly Permission[] = ["get", "keys/get", "certificates/get"];

let folder: string;
let emulator: SpawnedEmulator;
let worker: LineProcess<ClassQuestion, ClassAnswer>;
let count = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "class-objects-"));
  emulator = await spawnEmulator(folder);
  worker = startLineProcess({ command: process.execPath, args: [PROCESS], environment: clientEnvironment(emulator) });
});

after(async () => {
  await worker.stop();
  await emulator.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Creates a vault, and a function that fetches its objects. */
async function aVault(permissions = EVERYTHING) {
  count += 1;
  const { name: vault, tenantId } = await emulator.createVault({ name: `class-${count}` });
  const { appId: clientId, clientSecret } = await emulator.createServicePrincipal({});
  await emulator.grant({ vault, appId: clientId, permissions: [...permissions] });
  const fetchAll = async (objects: readonly string[], changes: Partial<ClassQuestion> = {}): Promise<ClassAnswer> => {
    const array = `array:\n${objects.map((object) => `  - |\n    ${object.replaceAll(", ", "\n    ")}\n`).join("")}`;
    const parameters = { keyvaultName: vault, tenantID: tenantId, objects: array };
    return worker.ask({ parameters, clientId, clientSecret, ...changes });
  };
  return { vault, fetchAll };
}

function textOf(encoded: string | undefined): string {
  assert.ok(encoded !== undefined);
  return Buffer.from(encoded, "base64").toString();
}

const blocks = (text: string): readonly string[] => text.match(/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----\n/g) ?? [];

describe("the objects of a class", () => {
  test("are a secret, keys in software and hardware, and certificates: the document's and the provider's own examples", async () => {
    const { vault, fetchAll } = await aVault();
    const secret = await emulator.setSecret({ vault, name: "secret1", value: "test" });
    const rsa = await emulator.createKey({ vault, name: "key1" });
    const rsaHsm = await emulator.createKey({ vault, name: "rsahsmkey1", keyType: "RSA-HSM" });
    const ecHsm = await emulator.createKey({ vault, name: "echsmkey1", keyType: "EC-HSM" });
    const certificate = await emulator.createCertificate({ vault, name: "cert1", issuer: "intermediate" });

    const { files, objects, failures } = await fetchAll([
      "objectName: secret1, objectType: secret",
      "objectName: key1, objectType: key",
      "objectName: key1, objectType: key, objectAlias: keys/alias",
      "objectName: rsahsmkey1, objectType: key",
      "objectName: echsmkey1, objectType: key",
      "objectName: cert1, objectType: cert",
    ]);

    assert.deepEqual(failures, []);
    assert.deepEqual(
      { ...files },
      Object.fromEntries(
        Object.entries({
          secret1: "test",
          key1: rsa.publicKeyPem,
          "keys/alias": rsa.publicKeyPem,
          rsahsmkey1: rsaHsm.publicKeyPem,
          echsmkey1: ecHsm.publicKeyPem,
          cert1: certificate.certificatePem,
        }).map(([path, text]) => [path, Buffer.from(text ?? "").toString("base64")]),
      ),
    );
    assert.equal(objects["secret1"], `secret/secret1@${secret.version}`);
    assert.equal(objects["keys/alias"], `key/key1@${rsa.version}`);
    assert.equal(objects["cert1"], `cert/cert1@${certificate.version}`);
  });

  for (const [contentType, keyType, pfx] of [
    ["application/x-pem-file", "RSA", "legacy"],
    ["application/x-pkcs12", "RSA", "legacy"],
    ["application/x-pkcs12", "RSA", "modern"],
    ["application/x-pkcs12", "EC", "legacy"],
    ["application/x-pkcs12", "EC", "modern"],
  ] as const) {
    test(`agree for a certificate, its key and its secret: ${contentType}, ${keyType}, ${pfx}`, async () => {
      const { vault, fetchAll } = await aVault();
      const { chainPem } = await emulator.createCertificate({ vault, name: "web", issuer: "intermediate", contentType, keyType, pfx });

      const { files, failures, tls } = await fetchAll(
        [
          "objectName: web, objectType: secret, objectAlias: secret",
          "objectName: web, objectType: cert, objectAlias: cert",
          "objectName: web, objectType: key, objectAlias: key",
        ],
        { tlsFrom: "secret" },
      );

      assert.deepEqual(failures, []);
      const [key = "", ...chain] = blocks(textOf(files["secret"]));
      assert.deepEqual(chain, chainPem);
      assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
      const leaf = new X509Certificate(textOf(files["cert"]));
      assert.equal(leaf.toString(), chain[0]);
      assert.ok(leaf.checkPrivateKey(createPrivateKey(key)));
      assert.equal(textOf(files["key"]), createPublicKey(key).export({ type: "spki", format: "pem" }));
      assert.ok(typeof tls === "object", JSON.stringify(tls));
      assert.deepEqual(blocks(textOf(tls["tls.crt"])), chainPem);
      const type = keyType === "RSA" ? "pkcs1" : "sec1";
      assert.equal(textOf(tls["tls.key"]), createPrivateKey(key).export({ type, format: "pem" }));
    });
  }

  test("come from a chain in the wrong order in the right one", async () => {
    const { vault, fetchAll } = await aVault();
    const { chainPem } = await emulator.createCertificate({
      vault,
      name: "web",
      issuer: "intermediate",
      order: "root-first",
      keyType: "EC",
    });
    const { files } = await fetchAll(["objectName: web, objectType: secret"]);
    assert.deepEqual(blocks(textOf(files["web"])).slice(1), chainPem.toReversed());
  });

  test("are split into .crt and .key where that is set, and stay a PKCS#12 file where that is asked for", async () => {
    const { vault, fetchAll } = await aVault();
    const { chainPem } = await emulator.createCertificate({ vault, name: "web", issuer: "root", keyType: "EC" });
    const objects = [
      "objectName: web, objectType: secret",
      "objectName: web, objectType: secret, objectAlias: file.pfx, objectFormat: pfx, objectEncoding: base64",
    ];

    const { files, tls } = await fetchAll(objects, { writeCertAndKeyInSeparateFiles: true, tlsFrom: "file.pfx" });

    assert.deepEqual(Object.keys(files), ["web.crt", "web.key", "web", "file.pfx.crt", "file.pfx.key", "file.pfx"]);
    assert.equal(textOf(files["web.crt"]), chainPem.join(""));
    assert.equal(`${textOf(files["web.key"])}${textOf(files["web.crt"])}`, textOf(files["web"]));
    assert.deepEqual([files["file.pfx.crt"], files["file.pfx.key"]], ["", ""]);
    assert.ok(typeof tls === "object", JSON.stringify(tls));
    const leaf = new X509Certificate(chainPem[0] ?? "");
    assert.ok(leaf.checkPrivateKey(createPrivateKey(textOf(tls["tls.key"]))));
  });

  test("have a history, one version longer than asked for, without the disabled ones", async () => {
    const { vault, fetchAll } = await aVault();
    const versions: string[] = [];
    for (let number = 0; number < 30; number += 1) {
      versions.unshift((await emulator.setSecret({ vault, name: "db", value: `value ${number}` })).version);
    }
    await emulator.disableSecret({ vault, name: "db", version: versions[1] });

    const { objects, failures } = await fetchAll([
      "objectName: db, objectType: secret, objectAlias: new, objectVersionHistory: 2",
      `objectName: db, objectType: secret, objectAlias: old, objectVersionHistory: 2, objectVersion: ${versions[27] ?? ""}`,
      "objectName: db, objectType: secret, objectAlias: none, objectVersionHistory: 2, objectVersion: absent",
    ]);

    assert.deepEqual(failures, []);
    assert.deepEqual(
      Object.keys(objects).filter((path) => !path.startsWith("old/")),
      ["new/0", "new/1", "new/2"],
    );
    // Key Vault's times have whole seconds, so that the list decides which versions follow an old one.
    assert.ok("old/0" in objects && !("old/3" in objects));
    assert.ok(!Object.values(objects).some((object) => object.endsWith(versions[1] ?? "")));
    assert.match(objects["new/0"] ?? "", /^secret\/db\/0@[0-9a-f]{32}$/);
    assert.ok(objects["old/0"]?.endsWith(versions[27] ?? ""));
  });

  test("of type key and cert have histories too", async () => {
    const { vault, fetchAll } = await aVault();
    await emulator.createCertificate({ vault, name: "web", keyType: "EC" });
    await emulator.rotateCertificate({ vault, name: "web" });

    const { files, failures } = await fetchAll([
      "objectName: web, objectType: key, objectAlias: key, objectVersionHistory: 5",
      "objectName: web, objectType: cert, objectAlias: cert, objectVersionHistory: 5",
      "objectName: web, objectType: secret, objectAlias: secret, objectVersionHistory: 5",
    ]);

    assert.deepEqual(failures, []);
    assert.deepEqual(Object.keys(files), ["key/0", "key/1", "cert/0", "cert/1", "secret/0", "secret/1"]);
  });
});

describe("an object that cannot be had", () => {
  for (const [type, kind] of [
    ["secret", "secret"],
    ["key", "key"],
    ["cert", "certificate"],
  ] as const) {
    test(`V2: is not found although it has a history: ${type}`, async () => {
      const { vault, fetchAll } = await aVault();
      await emulator.setSecret({ vault, name: "there", value: "there" });

      const { failures, objects } = await fetchAll([
        `objectName: gone, objectType: ${type}, objectVersionHistory: 2`,
        `objectName: gone, objectType: ${type}, objectAlias: old, objectVersionHistory: 2, objectVersion: 0123456789abcdef0123456789abcdef`,
        "objectName: there, objectType: secret, objectVersionHistory: 2",
      ]);

      assert.deepEqual(Object.keys(objects), ["there/0"]);
      assert.equal(failures.length, 2, failures.join("\n"));
      const named = `ObjectNotFound: failed to get objectType:${type}, objectName:gone`;
      assert.ok(failures[0]?.startsWith(`${named}, objectVersion:: get ${kind} gone from https://`), failures[0]);
      assert.ok(
        failures[1]?.startsWith(`${named}, objectVersion:0123456789abcdef0123456789abcdef: get ${kind} gone, version 01`),
        failures[1],
      );
    });
  }

  for (const [object, what, advice] of [
    [
      "objectName: gone, objectType: secret",
      "ObjectNotFound: failed to get objectType:secret, objectName:gone, objectVersion:: get secret gone",
      "correct objectName",
    ],
    [
      "objectName: gone, objectType: key",
      "ObjectNotFound: failed to get objectType:key, objectName:gone, objectVersion:: get key gone",
      "correct objectName",
    ],
    [
      "objectName: gone, objectType: cert",
      "ObjectNotFound: failed to get objectType:cert, objectName:gone, objectVersion:: get certificate gone",
      "correct objectName",
    ],
    ["objectName: gone, objectType: key, objectVersionHistory: 2", "Forbidden: list the versions of key gone", "List on keys"],
    [
      "objectName: gone, objectType: cert, objectVersionHistory: 2",
      "Forbidden: list the versions of certificate gone",
      "List on certificates",
    ],
    ["objectName: gone, objectType: secret, objectVersionHistory: 2", "Forbidden: list the versions of secret gone", "List on secrets"],
  ] as const) {
    test(`is named with its kind and with what to do: ${what}`, async () => {
      const { fetchAll } = await aVault(READ);
      const { failures } = await fetchAll([object]);
      assert.equal(failures.length, 1);
      assert.ok(failures[0]?.startsWith(`${what} from https://`), failures[0]);
      assert.match(failures[0] ?? "", new RegExp(advice));
    });
  }

  test("leaves the others alone", async () => {
    const { vault, fetchAll } = await aVault();
    await emulator.createKey({ vault, name: "odd", keyType: "oct" });
    await emulator.createKey({ vault, name: "koblitz", keyType: "EC", curve: "P-256K" });
    await emulator.setSecret({ vault, name: "broken", value: "canary", contentType: "application/x-pkcs12", certificateBacked: true });
    await emulator.setSecret({ vault, name: "good", value: "x" });

    const { files, failures } = await fetchAll([
      "objectName: odd, objectType: key",
      "objectName: koblitz, objectType: key",
      "objectName: broken, objectType: secret",
      "objectName: good, objectType: secret",
    ]);

    assert.deepEqual(Object.keys(files), ["good"]);
    const [odd = "", koblitz = "", broken = ""] = failures;
    assert.match(odd, /^InvalidObject: failed to get objectType:key, objectName:odd, .*key type 'oct' currently not supported/);
    assert.match(koblitz, /curve P-256K is not supported/);
    assert.match(broken, /objectName:broken, objectVersion:: illegal base64 data at input byte 4/);
    assert.doesNotMatch(failures.join(), /canary/);
  });
});
