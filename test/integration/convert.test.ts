import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { runOffline } from "../support/cli/cli.ts";
import { apiRequest } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import {
  createClass,
  dataOf,
  find,
  mergePatch,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const FOLDER = path.resolve(import.meta.dirname, "../fixtures/convert");

let world: SyncWorld;

const classesIn = (text: string): readonly SecretProviderClass[] =>
  readManifests("-", text).documents.map(({ object }) => object as unknown as SecretProviderClass); // Documents as convert prints them.

const inNamespace = (spc: SecretProviderClass, namespace: string): SecretProviderClass => ({
  ...spc,
  metadata: { ...spc.metadata, namespace },
});

async function convertedIn(namespace: string, objects: readonly unknown[], options: readonly string[] = []) {
  const { code, output, notes } = await runOffline(
    ["convert", "-f", "-", ...options],
    objects.map((each) => JSON.stringify(each)).join("\n---\n"),
  );
  assert.equal(code, 0, notes.join("\n"));
  return classesIn(output).map((spc) => inNamespace(spc, namespace));
}

/** The emulator's vault knows only the service principal in the namespace's credentials. */
function asPrincipal(spc: SecretProviderClass): SecretProviderClass {
  const { useVMManagedIdentity: _node, clientID: _application, ...parameters } = spc.spec?.parameters ?? {};
  return { ...spc, spec: { ...spc.spec, parameters } };
}

const store = () => ({
  apiVersion: "external-secrets.io/v1",
  kind: "SecretStore",
  metadata: { name: "vault" },
  spec: {
    provider: {
      azurekv: {
        tenantId: world.tenantId,
        vaultUrl: `https://${world.vault}.vault.azure.net`,
        authSecretRef: {
          clientId: { name: "secrets-store-creds", key: "clientid" },
          clientSecret: { name: "secrets-store-creds", key: "clientsecret" },
        },
      },
    },
  },
});

const externalSecret = (name: string, data: Readonly<Record<string, object>>, target: object = {}) => ({
  apiVersion: "external-secrets.io/v1",
  kind: "ExternalSecret",
  metadata: { name },
  spec: {
    secretStoreRef: { name: "vault" },
    target,
    data: Object.entries(data).map(([secretKey, remoteRef]) => ({ secretKey, remoteRef })),
  },
});

const keyVaultSecret = (name: string, object: object, secret: object) => ({
  apiVersion: "spv.no/v2beta1",
  kind: "AzureKeyVaultSecret",
  metadata: { name },
  spec: { vault: { name: world.vault, object }, output: { secret: { name, ...secret } } },
});

describe("classes that convert prints", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    const { vault, principal, emulator } = world;
    await emulator.grant({ vault, appId: principal.appId, permissions: ["list", "certificates/get", "certificates/list"] });
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("are admitted by a server-side dry run, every one", async () => {
    const namespace = await world.namespace();
    const classes = globSync("*/*.classes.txt", { cwd: FOLDER }).flatMap((file) =>
      classesIn(readFileSync(path.join(FOLDER, file), "utf8")),
    );
    const answers = await Promise.all(
      classes.map((spc) =>
        apiRequest(world.plane, {
          method: "POST",
          path: `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${namespace}/secretproviderclasses?dryRun=All&fieldValidation=Strict`,
          body: inNamespace(spc, namespace),
        }),
      ),
    );

    assert.ok(classes.length > 25);
    assert.deepEqual(
      answers.filter(({ status }) => status !== 201),
      [],
    );
  });

  test("give the bytes of an ExternalSecret: values, versions, base64, properties, and the PKCS#12 of a certificate", async () => {
    const { vault, emulator, plane } = world;
    const namespace = await world.namespace();
    const { version } = await emulator.setSecret({ vault, name: "eso-token", value: "first" });
    await emulator.setSecret({ vault, name: "eso-token", value: "second" });
    const json = { user: { name: "ana", id: 7 }, encoded: Buffer.from("inside").toString("base64") };
    await emulator.setSecret({ vault, name: "eso-json", value: JSON.stringify(json) });
    await emulator.setSecret({ vault, name: "eso-encoded", value: Buffer.from("decoded").toString("base64") });
    const { chainPem } = await emulator.createCertificate({ vault, name: "eso-web", issuer: "intermediate", pfx: "modern" });
    const parts = { "tls.crt": "{{ .pfx | b64dec | pkcs12cert }}", "tls.key": "{{ .pfx | b64dec | pkcs12key }}" };
    const classes = await convertedIn(namespace, [
      store(),
      externalSecret("eso", {
        now: { key: "eso-token" },
        pinned: { key: "secret/eso-token", version },
        decoded: { key: "eso-encoded", decodingStrategy: "Base64" },
        property: { key: "eso-json", property: "user.name" },
        mapping: { key: "eso-json", property: "user" },
        inside: { key: "eso-json", property: "encoded", decodingStrategy: "Base64" },
        pfx: { key: "eso-web" },
      }),
      externalSecret("eso-tls", { pfx: { key: "eso-web" } }, { template: { type: "kubernetes.io/tls", data: parts } }),
    ]);

    for (const spc of classes) await createClass(plane, spc);
    for (const name of ["eso", "eso-tls"]) await reasonIs(plane, { namespace, name }, "Synced");
    const { pfx = "", ...values } = (await dataOf(plane, namespace, "eso")) ?? assert.fail();
    assert.deepEqual(values, {
      now: "second",
      pinned: "first",
      decoded: "decoded",
      property: "ana",
      mapping: '{"name":"ana","id":7}',
      inside: "inside",
    });
    // A DER sequence, in base64.
    assert.match(pfx, /^MII[A-Za-z0-9+/=]+$/);
    const tls = (await dataOf(plane, namespace, "eso-tls")) ?? assert.fail();
    assert.equal(tls["tls.crt"], chainPem.join(""));
    assert.match(tls["tls.key"] ?? "", /^-----BEGIN RSA PRIVATE KEY-----/);
  });

  test("give the bytes of AzureKeyVaultSecrets: two in one Secret, and certificates of each form", async () => {
    const { vault, emulator, plane } = world;
    const namespace = await world.namespace();
    await emulator.setSecret({ vault, name: "akv-one", value: "1" });
    await emulator.setSecret({ vault, name: "akv-two", value: "2" });
    const { chainPem } = await emulator.createCertificate({ vault, name: "akv-web", issuer: "intermediate", pfx: "modern" });
    const one = keyVaultSecret("both", { name: "akv-one", type: "secret" }, { dataKey: "one" });
    const two = keyVaultSecret("both", { name: "akv-two", type: "secret" }, { dataKey: "two" });
    const certificate = { name: "akv-web", type: "certificate" };
    const classes = await convertedIn(
      namespace,
      [
        one,
        { ...two, metadata: { name: "both-two" } },
        keyVaultSecret("tls", certificate, { type: "kubernetes.io/tls", chainOrder: "ensureserverfirst" }),
        keyVaultSecret("tls-of-secret", { name: "akv-web", type: "secret" }, { type: "kubernetes.io/tls" }),
        keyVaultSecret("leaf", certificate, { dataKey: "web.crt" }),
        keyVaultSecret("pfx", certificate, { type: "Opaque", dataKey: "web.pfx" }),
      ],
      ["--tenant-id", world.tenantId],
    );

    for (const spc of classes) await createClass(plane, asPrincipal(spc));
    for (const { metadata } of classes) await reasonIs(plane, { namespace, name: metadata.name }, "Synced");
    assert.deepEqual(await dataOf(plane, namespace, "both"), { one: "1", two: "2" });
    assert.deepEqual(await dataOf(plane, namespace, "leaf"), { "web.crt": chainPem[0] });
    const tls = (await dataOf(plane, namespace, "tls")) ?? assert.fail();
    assert.equal(tls["tls.crt"], chainPem.join(""));
    const ofSecret = (await dataOf(plane, namespace, "tls-of-secret")) ?? assert.fail();
    assert.deepEqual(ofSecret, tls);
    const { data } = (await find<Secret>(plane, secretPath(namespace, "pfx"))) ?? assert.fail();
    // A DER sequence, in binary.
    assert.equal(Buffer.from(data?.["web.pfx"] ?? "", "base64")[0], 0x30);
  });

  test("give the bytes of a SecretSync, beside what the class had", async () => {
    const namespace = await world.namespace();
    const object = await world.object("of the vault");
    const spc = {
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClass",
      metadata: { name: "vault" },
      spec: {
        provider: "azure",
        parameters: {
          keyvaultName: world.vault,
          tenantID: world.tenantId,
          objects: `array:\n  - |\n    objectName: ${object}\n    objectType: secret\n`,
        },
      },
    };
    const data = [{ sourcePath: object, targetKey: "token" }];
    const sync = {
      apiVersion: "secret-sync.x-k8s.io/v1alpha1",
      kind: "SecretSync",
      metadata: { name: "synced" },
      spec: { secretProviderClassName: "vault", serviceAccountName: "default", secretObject: { data, labels: { team: "a" } } },
    };
    const [converted = assert.fail()] = await convertedIn(namespace, [spc, sync]);

    await createClass(world.plane, converted);
    await reasonIs(world.plane, { namespace, name: "vault" }, "Synced");
    assert.deepEqual(await dataOf(world.plane, namespace, "synced"), { token: "of the vault" });
    assert.equal((await find<Secret>(world.plane, secretPath(namespace, "synced")))?.metadata.labels?.["team"], "a");
  });

  test("take over the Secret that is there, by the steps of the how-to: the same object, without its owner", async () => {
    const { plane } = world;
    const namespace = await world.namespace();
    const object = await world.object("of the vault");
    const owner = {
      apiVersion: "external-secrets.io/v1",
      kind: "ExternalSecret",
      name: "moved",
      uid: "0d0d0d0d-1111-2222-3333-444444444444",
    };
    const metadata = { name: "login", ownerReferences: [owner], labels: { "reconcile.external-secrets.io/managed": "true" } };
    const body = { apiVersion: "v1", kind: "Secret", metadata, stringData: { token: "of the vault" } };
    await send(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body });
    const { uid } = (await find<Secret>(plane, secretPath(namespace, "login")))?.metadata ?? assert.fail();
    const [converted = assert.fail()] = await convertedIn(
      namespace,
      [store(), externalSecret("moved", { token: { key: object } }, { name: "login" })],
      ["--adopt"],
    );

    await mergePatch(plane, secretPath(namespace, "login"), { metadata: { annotations: { [SECRET_ANNOTATIONS.adoptableBy]: "moved" } } });
    await createClass(plane, converted);
    await reasonIs(plane, { namespace, name: "moved" }, "Synced");
    const secret = (await find<Secret>(plane, secretPath(namespace, "login"))) ?? assert.fail();
    assert.deepEqual(
      [secret.metadata.uid, secret.metadata.ownerReferences, secret.metadata.labels?.[MANAGED_LABEL]],
      [uid, undefined, "true"],
    );
    assert.deepEqual(await dataOf(plane, namespace, "login"), { token: "of the vault" });
  });
});
