import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { CLOUDS } from "../../tools/key-vault-emulator/network/clouds.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  askNow,
  assertNothingForbidden,
  classOf,
  createClass,
  createCredentials,
  dataOf,
  eventsOf,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const VAULT = "stack-vault";

let world: SyncWorld;
let cloudEnvDir: string;
let credentials: { readonly clientid: string; readonly clientsecret: string };
let tenantId: string;

/** A cloud apart, whose vaults know no newer version than 7.1, as Azure Stack Hub's. */
async function describeCloud(file: string, keyVaultAPIVersion: string | undefined): Promise<void> {
  const { vaultSuffix, vaultResource, entraHosts } = CLOUDS.private;
  const description = {
    name: "AzureStackCloud",
    activeDirectoryEndpoint: `https://${entraHosts[0]}/`,
    keyVaultEndpoint: `${vaultResource}/`,
    keyVaultDNSSuffix: vaultSuffix,
    keyVaultAPIVersion,
  };
  await writeFile(path.join(cloudEnvDir, file), JSON.stringify(description));
}

/** A class of a secret, a key, a certificate, and a secret with its history. */
async function givenAClass(cloudEnvFileName: string): Promise<Place> {
  const place = { namespace: await world.namespace({ credentials: false }), name: "demo" };
  await createCredentials(world.plane, place.namespace, credentials);
  const objects = [
    { objectName: "db", objectType: "secret" },
    { objectName: "sign", objectType: "key" },
    { objectName: "web", objectType: "cert" },
    { objectName: "old", objectType: "secret", objectVersionHistory: 2 },
  ];
  const secretObjects = [opaque("db", "db"), opaque("sign", "sign"), opaque("web", "web"), opaque("old", "old/1")];
  const parameters = { cloudName: "AzureStackCloud", cloudEnvFileName, keyvaultName: VAULT, tenantId };
  await createClass(world.plane, classOf(world, { ...place, objects, secretObjects, parameters }));
  return place;
}

describe("the version of Key Vault's API", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    const { emulator, plane } = world;
    cloudEnvDir = path.join(plane.directory, "clouds");
    await mkdir(cloudEnvDir);
    ({ tenantId } = await emulator.createVault({ name: VAULT, cloud: "private", apiVersions: ["7.0", "7.1"] }));
    const { appId, clientSecret } = await emulator.createServicePrincipal({ cloud: "private", tenantId });
    credentials = { clientid: appId, clientsecret: clientSecret };
    const permissions = ["get", "list", "keys/get", "keys/list", "certificates/get", "certificates/list"] as const;
    await emulator.grant({ vault: VAULT, appId, permissions: [...permissions] });
    await emulator.setSecret({ vault: VAULT, name: "db", value: "one" });
    for (const value of ["older", "newer"]) await emulator.setSecret({ vault: VAULT, name: "old", value });
    await emulator.createKey({ vault: VAULT, name: "sign", keyType: "EC" });
    await emulator.createCertificate({ vault: VAULT, name: "web" });
    await world.product.start("sync", { args: ["--rotation-poll-interval=10s", `--cloud-env-dir=${cloudEnvDir}`] });
  });

  after(async () => {
    await world?.stop();
  });

  test("is the one of the cloud file, for secrets, keys, certificates, histories and lists", async () => {
    await describeCloud("older.json", "7.1");
    const place = await givenAClass("older.json");
    await reasonIs(world.plane, place, "Synced");
    const last = (await world.emulator.requests()).at(-1)?.sequence ?? 0;
    await world.emulator.setSecret({ vault: VAULT, name: "db", value: "two" });
    await eventually(async () => (await dataOf(world.plane, place.namespace, "db"))?.["value"] === "two", { what: "the rotation" });

    const asked = (await world.emulator.requests()).filter(({ host, status }) => host.startsWith(VAULT) && status === 200);
    assert.deepEqual([...new Set(asked.map(({ apiVersion }) => apiVersion))], ["7.1"]);
    assert.ok(
      asked.some(({ sequence, path: asPath }) => sequence > last && asPath === "/secrets"),
      "by the list",
    );
  });

  test("that the vault does not know is named in status and event, with the latest that it knows and where to set it", async () => {
    await describeCloud("silent.json", undefined);
    const place = await givenAClass("silent.json");
    const reported =
      /does not support version 7\.4 of the Key Vault API, only versions up to 7\.1; set keyVaultAPIVersion to 7\.1 in the cloud file/;

    const { message } = await reasonIs(world.plane, place, "UnsupportedApiVersion");
    assert.match(message, reported);
    const event = await eventually(
      async () => (await eventsOf(world.plane, place)).find(({ reason }) => reason === "UnsupportedApiVersion"),
      { what: "the event" },
    );
    assert.match(event.message ?? "", reported);

    await describeCloud("silent.json", "7.0");
    await askNow(world.plane, place);
    await reasonIs(world.plane, place, "Synced");
  });

  test("needed no right that the worker lacks", () => assertNothingForbidden("sync-api-version", world.plane));
});
