import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { PERMISSIONS, type Permission } from "../../tools/key-vault-emulator/vault/permissions.ts";
import { EmulatorSetting } from "./emulator-setting.ts";
import type { DeletionCall, SdkCall } from "./sdk-protocol.ts";

const DAY_MS = 86_400_000;

let setting: EmulatorSetting;

before(async () => {
  setting = await EmulatorSetting.start();
});

after(() => setting?.stop());

const KINDS = [
  { object: "secret", read: "get", list: "list", versions: "versions", noun: "Secret", codeOf: "SecretNotFound" },
  { object: "key", read: "key", list: "keys", versions: "keyVersions", noun: "Key", codeOf: "KeyNotFound" },
  {
    object: "certificate",
    read: "certificate",
    list: "certificates",
    versions: "certificateVersions",
    noun: "Certificate",
    codeOf: "CertificateNotFound",
  },
] as const;

async function make(vault: string, object: DeletionCall["object"], name: string): Promise<void> {
  if (object === "secret") await setting.emulator.setSecret({ vault, name, value: "v" });
  else if (object === "key") await setting.emulator.createKey({ vault, name, keyType: "EC" });
  else await setting.emulator.createCertificate({ vault, name, keyType: "EC" });
}

function timeAt(value: unknown, name: string): number {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return Date.parse(String(found));
}

describe("soft delete, by the official SDK", () => {
  for (const { object, read, list, noun, codeOf } of KINDS) {
    test(`keeps a ${object} until it is recovered, with all its versions`, async () => {
      const { vault, client } = await setting.aVault(PERMISSIONS);
      for (let version = 0; version < 2; version += 1) await make(vault, object, "db");

      const deleted = await setting.succeeds(client, { kind: "delete", object, name: "db" });

      // In a certificate, these fields are next to its properties.
      const facts = { ...Object(deleted).properties, ...Object(deleted) };
      assert.match(String(facts.recoveryId), new RegExp(`^${client.vaultUrl}deleted${object}s/db$`));
      assert.equal(timeAt(facts, "scheduledPurgeDate") - timeAt(facts, "deletedOn"), 90 * DAY_MS);
      assert.partialDeepStrictEqual(await setting.fails(client, { kind: read, name: "db" }), { statusCode: 404, code: codeOf });
      assert.deepEqual(await setting.succeeds(client, { kind: list }), []);
      assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "allDeleted", object }), [{ name: "db" }]);
      assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "deleted", object, name: "DB" }), { name: "db" });

      await setting.succeeds(client, { kind: "recover", object, name: "db" });

      await setting.succeeds(client, { kind: read, name: "db" });
      const error = await setting.fails(client, { kind: "deleted", object, name: "db" });
      assert.partialDeepStrictEqual(error, { statusCode: 404, code: codeOf, message: `Deleted ${noun} not found: db` });
    });

    test(`lets a deleted ${object} go when it is purged`, async () => {
      const { vault, client } = await setting.aVault(PERMISSIONS);
      await make(vault, object, "db");
      await setting.succeeds(client, { kind: "delete", object, name: "db" });

      await setting.succeeds(client, { kind: "purge", object, name: "db" });

      assert.deepEqual(await setting.succeeds(client, { kind: "allDeleted", object }), []);
      assert.partialDeepStrictEqual(await setting.fails(client, { kind: "recover", object, name: "db" }), {
        statusCode: 404,
        code: codeOf,
      });
      await make(vault, object, "db");
      await setting.succeeds(client, { kind: read, name: "db" });
    });

    test(`lists no versions of a ${object} that is not there, and of one that is deleted`, async () => {
      const { vault, host, client } = await setting.aVault(PERMISSIONS);
      await make(vault, object, "db");
      await setting.succeeds(client, { kind: "delete", object, name: "db" });
      const start = await setting.lastSequence();

      const { versions } = KINDS.find((kind) => kind.object === object) ?? KINDS[0];
      for (const name of ["db", "never"]) assert.deepEqual(await setting.succeeds(client, { kind: versions, name }), []);

      assert.deepEqual(await setting.statuses(host, start), [200, 200]);
    });
  }

  test("keeps the name of a secret until it is recovered or purged", async () => {
    const { vault, client } = await setting.aVault(PERMISSIONS);
    await make(vault, "secret", "db");
    await setting.succeeds(client, { kind: "delete", object: "secret", name: "db" });

    const error = await setting.fails(client, { kind: "set", name: "db", value: "other" });

    assert.partialDeepStrictEqual(error, { statusCode: 409, code: "Conflict" });
    assert.match(error.message, /^Secret db is currently in a deleted but recoverable state, and its name cannot be reused/);
    assert.match(JSON.stringify(error.details), /"ObjectIsDeletedButRecoverable"/);
    await assert.rejects(make(vault, "secret", "db"), /name: db is deleted, and can be recovered/);
  });

  test("takes key and secret of a certificate along, which can't be deleted on their own", async () => {
    const { vault, client } = await setting.aVault(PERMISSIONS);
    await make(vault, "certificate", "web");
    for (const object of ["key", "secret"] as const)
      assert.partialDeepStrictEqual(await setting.fails(client, { kind: "delete", object, name: "web" }), { statusCode: 409 });

    await setting.succeeds(client, { kind: "delete", object: "certificate", name: "web" });
    for (const kind of ["key", "get"] as const)
      assert.partialDeepStrictEqual(await setting.fails(client, { kind, name: "web" }), { statusCode: 404 });

    await setting.succeeds(client, { kind: "recover", object: "certificate", name: "web" });
    for (const kind of ["key", "get"] as const) await setting.succeeds(client, { kind, name: "web" });
  });

  test("shows a shorter retention in every answer", async () => {
    const { name: vault, url, tenantId } = await setting.emulator.createVault({ name: "short-retention", recoverableDays: 7 });
    const { appId: clientId, clientSecret } = await setting.emulator.createServicePrincipal({});
    await setting.emulator.grant({ vault, appId: clientId, permissions: ["get", "secrets/delete"] });
    const client = { vaultUrl: url, tenantId, clientId, clientSecret };
    await make(vault, "secret", "db");

    const properties = { recoveryLevel: "CustomizedRecoverable+Purgeable", recoverableDays: 7 };
    assert.partialDeepStrictEqual(await setting.succeeds(client, { kind: "get", name: "db" }), { properties });
    const deleted = Object(await setting.succeeds(client, { kind: "delete", object: "secret", name: "db" })).properties;
    assert.equal(timeAt(deleted, "scheduledPurgeDate") - timeAt(deleted, "deletedOn"), 7 * DAY_MS);
  });

  const calls: readonly (readonly [SdkCall, Permission])[] = [
    [{ kind: "delete", object: "secret", name: "db" }, "secrets/delete"],
    [{ kind: "recover", object: "secret", name: "other" }, "secrets/recover"],
    [{ kind: "purge", object: "secret", name: "other" }, "secrets/purge"],
    [{ kind: "delete", object: "key", name: "db" }, "keys/delete"],
    [{ kind: "delete", object: "certificate", name: "db" }, "certificates/delete"],
  ];
  for (const [call, permission] of calls) {
    test(`needs ${permission}`, async () => {
      const { client } = await setting.aVault(PERMISSIONS.filter((one) => one !== permission));
      const error = await setting.fails(client, call);
      assert.partialDeepStrictEqual(error, { statusCode: 403, code: "Forbidden" });
      assert.match(error.message, new RegExp(`does not have ${permission.replace("/", " ")} permission`));
    });
  }
});

test("pages of a list keep their places where objects were deleted: one may be empty and still name the next", async () => {
  const { vault, host, client } = await setting.aVault(PERMISSIONS);
  const names = Array.from({ length: 60 }, (_, at) => `secret-${String(at).padStart(2, "0")}`);
  for (const name of names) await make(vault, "secret", name);
  for (const name of names.slice(25, 50)) await setting.emulator.deleteSecret({ vault, name });
  const start = await setting.lastSequence();

  const listed = await setting.succeeds(client, { kind: "list" });

  assert.ok(Array.isArray(listed));
  assert.deepEqual(
    listed.map(({ name }) => String(name)),
    [...names.slice(0, 25), ...names.slice(50)],
  );
  assert.deepEqual(await setting.statuses(host, start), [200, 200, 200]);
});
