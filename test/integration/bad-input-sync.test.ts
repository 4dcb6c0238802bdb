import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret } from "../../src/domain/kubernetes.ts";
import type { SyncReason } from "../../src/domain/reasons.ts";
import { MERGE_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  assertNothingForbidden,
  type ClassFacts,
  CREDENTIALS,
  classOf,
  classPath,
  createClass,
  createCredentials,
  dataOf,
  eventsOf,
  find,
  mirroredSecrets,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const KEY = "keyvault-injector-sync-key";

/** After a permanent vault error, the worker queries the vault again at the next poll. */
const SYNC = { args: ["--rotation-poll-interval=10s"] };

let world: SyncWorld;
let worker: ProductProcess;
let object: string;

type Wrong = Partial<ClassFacts> & { readonly provider?: string };
/** Creates a class with one object and one Secret, which is correct except for the given error. */
async function given(wrong: Wrong, namespace?: string): Promise<Place> {
  const place = { namespace: namespace ?? (await world.namespace()), name: "demo" };
  const { provider, ...facts } = wrong;
  const whole = classOf(world, { ...place, objects: [object], secretObjects: [opaque("app", object)], ...facts });
  await createClass(world.plane, provider === undefined ? whole : { ...whole, spec: { ...whole.spec, provider } });
  return place;
}

/** Asserts that condition and event have the same message, that the worker is alive, and that it wrote nothing. */
async function assertTold(place: Place, reason: SyncReason, message: RegExp): Promise<void> {
  const condition = await reasonIs(world.plane, place, reason);
  assert.equal(condition.status, "False");
  assert.match(condition.message, message);
  const event = await eventually(async () => (await eventsOf(world.plane, place)).find((candidate) => candidate.reason === reason), {
    what: `the event ${reason}`,
  });
  assert.equal(event.type, "Warning");
  assert.equal(event.message, condition.message);
  assert.equal(event.involvedObject.kind, "SecretProviderClass");
  assert.deepEqual(await mirroredSecrets(world.plane, place.namespace), []);
  assert.ok(await worker.isReady());
}

async function assertRecovers(place: Place): Promise<void> {
  await reasonIs(world.plane, place, "Synced");
  assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { value: "of the vault" });
  await eventually(async () => (await eventsOf(world.plane, place)).find(({ reason, type }) => reason === "Synced" && type === "Normal"), {
    what: "the event Synced",
  });
}

function patch(path: string, body: unknown): Promise<unknown> {
  return send(world.plane, { method: "PATCH", path, body, contentType: MERGE_PATCH });
}

describe("bad input to the sync worker", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    object = await world.object("of the vault");
    await send(world.plane, {
      method: "POST",
      path: `/api/v1/namespaces/${world.product.namespace}/secrets`,
      body: { apiVersion: "v1", kind: "Secret", metadata: { name: KEY }, stringData: { "hmac.key": "half-written" } },
    });
    worker = await world.product.start("sync", SYNC);
  });
  after(async () => {
    await world?.stop();
  });

  test("a half-written fingerprint key is replaced by a whole one, and said so", async () => {
    const place = await given({});
    await reasonIs(world.plane, place, "Synced");

    const secret = await find<Secret>(world.plane, secretPath(world.product.namespace, KEY));
    assert.equal(Buffer.from(secret?.data?.["hmac.key"] ?? "", "base64").byteLength, 32);
    assert.match(worker.log(), /keyvault-injector-sync-key.*hmac\.key.*the fingerprint key was unusable and has been replaced/);
  });

  describe("in the credentials", () => {
    test("no Secret: its name, its keys and the annotation are told, and it may come later", async () => {
      const place = await given({}, await world.namespace({ credentials: false }));
      const where = `Secret ${CREDENTIALS} does not exist in the namespace ${place.namespace}`;
      await assertTold(
        place,
        "CredentialsMissing",
        new RegExp(
          `^${where}: create it with the keys clientid and clientsecret, or name .*annotation .*nodePublishSecretRef secret is not set\\)$`,
        ),
      );

      await createCredentials(world.plane, place.namespace, {
        clientid: world.principal.appId,
        clientsecret: world.principal.clientSecret,
      });
      await assertRecovers(place);
    });

    test("no clientsecret: the missing key is told", async () => {
      const namespace = await world.namespace({ credentials: false });
      await createCredentials(world.plane, namespace, { clientid: world.principal.appId });

      await assertTold(
        await given({}, namespace),
        "CredentialsMissing",
        /^Secret secrets-store-creds, data\.clientsecret: put a .* there \(.*could not find clientsecret in secrets\)$/,
      );
    });

    test("a name that is not allowed: the allowed ones and the setting are told", async () => {
      const place = await given({ annotations: { [CLASS_ANNOTATIONS.credentialsSecret]: "my-own" } });

      await assertTold(
        place,
        "CredentialsMissing",
        /is not allowed to read a Secret named my-own; name one of secrets-store-creds in .* or add my-own to the setting --credentials-secret-names/,
      );
    });

    test("a wrong client secret: Entra's code and the key to correct are told, and the correction is taken up", async () => {
      const namespace = await world.namespace({ credentials: false });
      await createCredentials(world.plane, namespace, { clientid: world.principal.appId, clientsecret: "wrong" });
      const place = await given({}, namespace);
      await assertTold(
        place,
        "Unauthorized",
        /AADSTS7000215\): the client secret is wrong; put the secret's value, not its id, into clientsecret/,
      );

      await patch(secretPath(namespace, CREDENTIALS), { stringData: { clientsecret: world.principal.clientSecret } });
      await assertRecovers(place);
    });

    test("an unknown application: the two fields that may be wrong are told", async () => {
      const namespace = await world.namespace({ credentials: false });
      await createCredentials(world.plane, namespace, { clientid: randomUUID(), clientsecret: "any" });

      await assertTold(
        await given({}, namespace),
        "Unauthorized",
        /AADSTS700016\): the application does not exist in the tenant; correct clientid or tenantID/,
      );
    });

    test("an application without rights: the role to grant is told", async () => {
      const stranger = await world.emulator.createServicePrincipal({ tenantId: world.tenantId });
      const namespace = await world.namespace({ credentials: false });
      await createCredentials(world.plane, namespace, { clientid: stranger.appId, clientsecret: stranger.clientSecret });

      await assertTold(await given({}, namespace), "Forbidden", /is not allowed to .*grant it/);
    });
  });

  describe("in the vault", () => {
    test("no such vault: its address and the parameters to check are told", async () => {
      const place = await given({ parameters: { keyvaultName: "no-such-vault" } });

      await assertTold(
        place,
        "Unreachable",
        /https:\/\/no-such-vault\.vault\.azure\.net\/: the proxy .*does not open a tunnel to no-such-vault.*check/,
      );
    });

    test("no such object: its name is told, and it may come later", async () => {
      const name = `late-${randomUUID()}`;
      const place = await given({ objects: [name], secretObjects: [opaque("app", name)] });
      await assertTold(
        place,
        "ObjectNotFound",
        new RegExp(`secret ${name} .*not found in the vault .*create it, or correct objectName or objectVersion`),
      );

      await world.emulator.setSecret({ vault: world.vault, name, value: "of the vault" });
      await assertRecovers(place);
    });

    test("a disabled object: that it is disabled is told, and it may be enabled later", async () => {
      const name = await world.object("of the vault");
      await world.emulator.disableSecret({ vault: world.vault, name });
      const place = await given({ objects: [name], secretObjects: [opaque("app", name)] });
      await assertTold(place, "ObjectDisabled", /the version is disabled .*enable it, or set objectVersion to an enabled one/);

      await world.emulator.enableSecret({ vault: world.vault, name });
      await assertRecovers(place);
    });
  });

  describe("in the class", () => {
    test("broken YAML in an entry of objects: the entry and the line are told, and the correction is taken up at once", async () => {
      const place = await given({ parameters: { objects: "array:\n  - |\n    objectName: a\n    objectType: secret: key\n" } });
      await assertTold(place, "InvalidObject", /yaml: line 2: .*\(spec\.parameters\.objects\[0\]: write the entry as YAML/);

      const whole = classOf(world, { ...place, objects: [object], secretObjects: [] });
      await patch(classPath(place.namespace, place.name), { spec: { parameters: whole.spec?.parameters } });
      await assertRecovers(place);
    });

    const wrong: readonly (readonly [what: string, facts: () => Wrong, reason: SyncReason, message: RegExp])[] = [
      [
        "broken YAML around the entries of objects",
        () => ({ parameters: { objects: "array: [" } }),
        "InvalidObject",
        /yaml: .*\(spec\.parameters\.objects: /,
      ],
      [
        "an unknown objectType",
        () => ({ objects: [{ objectName: object, objectType: "password" }] }),
        "InvalidObject",
        /Invalid vaultObjectTypes.*\(spec\.parameters\.objects\[0\]\.objectType: write secret, key or cert/,
      ],
      ["no tenant", () => ({ parameters: { tenantId: "" } }), "InvalidClass", /tenantI[Dd].*\(spec\.parameters\.tenantI[Dd]: /],
      ["no vault name", () => ({ parameters: { keyvaultName: "" } }), "InvalidClass", /\(spec\.parameters\.keyvaultName: /],
      [
        "a type that is never written",
        () => ({ secretObjects: [{ ...opaque("app", object), type: "kubernetes.io/service-account-token" }] }),
        "ForbiddenType",
        /never written \(spec\.secretObjects\[0\]\.type: use Opaque\)/,
      ],
      [
        "an objectName that is no object of the class",
        () => ({ secretObjects: [opaque("app", "other")] }),
        "InvalidClass",
        /file matching objectName other not found.*\(spec\.secretObjects\[0\]\.data\[0\]\.objectName: the class has: /,
      ],
      [
        "a key that the API server would refuse",
        () => ({ secretObjects: [{ secretName: "app", type: "Opaque", data: [{ objectName: object, key: "not a key" }] }] }),
        "InvalidClass",
        /\(spec\.secretObjects\[0\]\.data\[0\]\.key: use letters/,
      ],
      [
        "content that the type does not allow",
        () => ({
          secretObjects: [{ secretName: "app", type: "kubernetes.io/dockerconfigjson", data: [{ objectName: object, key: "other" }] }],
        }),
        "InvalidObject",
        /create secrets .*app: HTTP 422: .*data/,
      ],
    ];
    for (const [what, facts, reason, message] of wrong) {
      test(`${what}: the field and the remedy are told`, async () => assertTold(await given(facts()), reason, message));
    }

    test("another provider: it is left alone without a word", async () => {
      const place = await given({ provider: "vault" });
      // The control: a good class, which the worker sees after the bad one.
      await reasonIs(world.plane, await given({}), "Synced");

      assert.equal(await statusOf(world.plane, place.namespace, place.name), undefined);
      assert.deepEqual(await eventsOf(world.plane, place), []);
      assert.deepEqual(await mirroredSecrets(world.plane, place.namespace), []);
    });
  });

  test("was never refused a request", () => {
    assertNothingForbidden("bad input", world.plane);
  });
});
