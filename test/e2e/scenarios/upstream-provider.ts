import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { REPOSITORY } from "../../../tools/repository-files.ts";
import { Workshop } from "../../support/fixtures/openssl.ts";
import { clusterOf } from "../support/cluster.ts";
import { federatedApplication } from "../support/federation.ts";
import { object, opaque, providerClass } from "../support/provider-class.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { VAULT, type World } from "../support/world.ts";
import { using } from "./life-cycle.ts";

/** Areas of the Azure provider's own end-to-end suite for which this file has no scenario, with the reason. */
export const NOT_HERE: Readonly<Record<string, string>> = {
  "custom cloud": "test/contract/clouds.test.ts: the same provider, without a node, against two custom clouds",
  "pod identity": "the add-on that served those tokens is retired; what the provider says of it: test/contract/judges.test.ts",
  "identity binding":
    "test/contract/identity-bindings.test.ts: the same provider, without a node, at an endpoint in place of the service that only AKS clusters have",
  "split certificate files": "the provider's flag is off in the manifests; compared in test/contract/judges.test.ts with the flag on",
};

const FOLDER = "/mnt/secrets-store";
const CERTIFICATES = {
  pemcert1: { contentType: "application/x-pem-file" },
  pkcs12cert1: { contentType: "application/x-pkcs12" },
  ecccert1: { contentType: "application/x-pem-file", keyType: "EC" },
} as const;

export function upstreamProviderScenarios(scenario: Scenarios, world: () => World): void {
  const cluster = clusterOf(world);
  const run = (area: string, what: string, body: () => Promise<void>): void => scenario.run(`upstream provider, ${area}: ${what}`, body);
  const file = (pod: string, name: string): Promise<string> => cluster.read(pod, `${FOLDER}/${name}`);

  /** Applies a class and a pod that mounts it, and waits until the pod is ready. */
  const mounted = async (name: string, parts: Parameters<typeof providerClass>[2]): Promise<void> => {
    await cluster.apply(providerClass(world(), name, parts), using(name, name, `ls ${FOLDER}`));
    await cluster.wait(`pod/${name}`, "condition=Ready");
  };
  const end = (name: string): Promise<string> => cluster.remove(`pod/${name}`, `secretproviderclass/${name}`);

  run("secrets", "the same object by its name and by an alias; an Opaque and a TLS Secret are made of it", async () => {
    const { emulator } = world();
    await emulator.setSecret({ vault: VAULT, name: "secret1", value: "test" });
    for (const [name, kind] of Object.entries(CERTIFICATES)) await emulator.createCertificate({ vault: VAULT, name, ...kind });
    const tls = {
      secretName: "upstream-tls",
      type: "kubernetes.io/tls",
      data: ["tls.key", "tls.crt"].map((key) => ({ key, objectName: "pemcert1" })),
    };
    await mounted("upstream-secrets", {
      objects: [object("secret1"), object("secret1", { objectAlias: "SECRET_1" }), object("pemcert1")],
      secretObjects: [opaque("upstream-opaque", "SECRET_1", "username"), tls],
    });
    for (const name of ["secret1", "SECRET_1"]) assert.equal(await file("upstream-secrets", name), "test");
    await cluster.wait("spcsync/upstream-secrets", "condition=Synced");
    assert.equal(await cluster.secretKey("upstream-opaque", "username"), "test");
    assert.equal(await cluster.field("secret/upstream-tls", ".type"), "kubernetes.io/tls");
    const [certificate = "", key = ""] = await Promise.all(["tls.crt", "tls.key"].map((name) => cluster.secretKey("upstream-tls", name)));
    assert.ok(new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)));
    await end("upstream-secrets");
  });

  run("keys", "RSA by name and alias, hardware RSA and EC as public keys; an edit of the class before the pod counts", async () => {
    const { emulator } = world();
    await emulator.createKey({ vault: VAULT, name: "key1" });
    await emulator.createKey({ vault: VAULT, name: "rsahsmkey1", keyType: "RSA-HSM" });
    await emulator.createKey({ vault: VAULT, name: "echsmkey1", keyType: "EC-HSM" });
    const key = { objectType: "key" };
    await cluster.apply(providerClass(world(), "upstream-keys", { objects: [object("nothing", key)] }));
    const names = { key1: "rsa", KEY_1: "rsa", rsahsmkey1: "rsa", echsmkey1: "ec" };
    await mounted("upstream-keys", {
      objects: [object("key1", key), object("key1", { ...key, objectAlias: "KEY_1" }), object("rsahsmkey1", key), object("echsmkey1", key)],
    });
    for (const [name, type] of Object.entries(names)) {
      const text = await file("upstream-keys", name);
      assert.match(text, /^-----BEGIN PUBLIC KEY-----/);
      assert.equal(createPublicKey(text).asymmetricKeyType, type, name);
    }
    await end("upstream-keys");
  });

  run("certificates", "certificate, key and secret of PEM, PKCS#12 and EC ones agree, a PFX file opens without a password", async () => {
    const objects = Object.keys(CERTIFICATES).flatMap((name) => [
      object(name, { objectType: "cert", objectAlias: `${name}.cert` }),
      object(name, { objectType: "key", objectAlias: `${name}.key` }),
      object(name, { objectAlias: `${name}.secret` }),
    ]);
    await mounted("upstream-certs", { objects: [...objects, object("pkcs12cert1", { objectFormat: "pfx", objectAlias: "file.pfx" })] });
    for (const name of Object.keys(CERTIFICATES)) {
      const certificate = new X509Certificate(await file("upstream-certs", `${name}.cert`));
      const publicKey = createPublicKey(await file("upstream-certs", `${name}.key`));
      assert.ok(certificate.publicKey.equals(publicKey), `${name}: public key`);
      assert.ok(certificate.checkPrivateKey(createPrivateKey(await file("upstream-certs", `${name}.secret`))), `${name}: private key`);
    }
    const workshop = new Workshop();
    const pfx = Buffer.from(await file("upstream-certs", "file.pfx"), "base64");
    const pem = workshop.run(["pkcs12", "-nodes", "-legacy", "-passin", "pass:"], pfx).toString();
    workshop.remove();
    assert.match(pem, /BEGIN PRIVATE KEY[\s\S]*BEGIN CERTIFICATE|BEGIN CERTIFICATE[\s\S]*BEGIN PRIVATE KEY/);
    await end("upstream-certs");
  });

  run("permission", "filePermission is the file's mode", async () => {
    await mounted("upstream-mode", {
      objects: [object("secret1", { filePermission: '"0600"' }), object("secret1", { objectAlias: "usual" })],
    });
    const mode = (name: string): Promise<string> =>
      cluster.kubectl("exec", "upstream-mode", "--", "stat", "-L", "-c", "%a", `${FOLDER}/${name}`);
    assert.equal((await mode("secret1")).trim(), "600");
    assert.equal((await mode("usual")).trim(), "644");
    await end("upstream-mode");
  });

  run("identities", "secret and key by workload identity and by a user-assigned managed identity", async () => {
    const { emulator, walk } = world();
    const permissions = ["get" as const, "keys/get" as const];
    const federated = await federatedApplication(world(), { serviceAccount: "default", permissions });
    const { appId: managed } = await emulator.createManagedIdentity({ kind: "user", tenantId: walk.values["tenant-Id"] });
    await emulator.grant({ vault: VAULT, appId: managed, permissions });
    const modes = {
      "upstream-workload": { clientID: federated },
      "upstream-managed": { useVMManagedIdentity: "true", userAssignedIdentityID: managed },
    };
    for (const [name, parameters] of Object.entries(modes)) {
      await mounted(name, { objects: [object("secret1"), object("key1", { objectType: "key" })], parameters });
      assert.equal(await file(name, "secret1"), "test");
      assert.match(await file(name, "key1"), /BEGIN PUBLIC KEY/);
      await end(name);
    }
  });

  run("version history", "the newest first, in an alias's folder; a rotation moves them down, in mount and Secret", async () => {
    const { emulator } = world();
    // A vault has times in whole seconds, and of two versions in one second no client knows which is newer.
    const set = async (value: string): Promise<void> => {
      await emulator.setSecret({ vault: VAULT, name: "history", value });
      const second = Math.floor(Date.now() / 1_000);
      await cluster.until("the next second", async () => Math.floor(Date.now() / 1_000) > second);
    };
    await set("v1");
    await set("v2");
    await mounted("upstream-history", {
      objects: [object("history", { objectVersionHistory: "5", objectAlias: "versions" })],
      secretObjects: [opaque("upstream-history", "versions/0")],
    });
    const both = (): Promise<string[]> => Promise.all(["0", "1"].map((index) => file("upstream-history", `versions/${index}`)));
    assert.deepEqual(await both(), ["v2", "v1"]);
    await cluster.until("the Secret of the newest", async () => (await cluster.secretKey("upstream-history", "password")) === "v2");
    await set("v3");
    await cluster.until("the rotated files", async () => (await both()).join() === "v3,v2");
    await cluster.until("the rotated Secret", async () => (await cluster.secretKey("upstream-history", "password")) === "v3");
    await end("upstream-history");
  });

  run("the rest", "what has no scenario on this node is listed with the reason, and the tests that stand in exist", async () => {
    for (const [area, why] of Object.entries(NOT_HERE)) {
      console.log(`not here: upstream provider, ${area}: ${why}`);
      for (const [test] of why.matchAll(/test\/\S+\.ts/g)) assert.ok(existsSync(path.join(REPOSITORY, test)), test);
    }
  });
}
