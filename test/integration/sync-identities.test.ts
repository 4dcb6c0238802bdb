import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Condition } from "../../src/domain/sync/status-fields.ts";
import { managedIdentityEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { apiRequest } from "../support/cluster/api-request.ts";
import { trustCluster } from "../support/cluster/cluster-trust.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { eventually } from "../support/time/eventually.ts";
import {
  askNow,
  assertNothingForbidden,
  type ClassFacts,
  classOf,
  classPath,
  createClass,
  dataOf,
  mergePatch,
  mirroredSecrets,
  type NamespaceOptions,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  send,
  startSyncWorld,
  statusOf,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const AUDIENCE = "api://AzureADTokenExchange";
const SYNC = { args: ["--rotation-poll-interval=10s"] };

let world: SyncWorld;
let worker: ProductProcess;
let object: string;
/** Of the API server's tokens. */
let issuer: string;

/** Without a way around the proxy: what must not go through it finds nobody there. */
function identityEnvironment(): Readonly<Record<string, string>> {
  const { proxyUrl } = world.emulator;
  return { ...managedIdentityEnvironment(world.emulator), HTTP_PROXY: proxyUrl, http_proxy: proxyUrl, NO_PROXY: "", no_proxy: "" };
}

const subjectOf = (namespace: string, account: string): string => `system:serviceaccount:${namespace}:${account}`;

/** An application that may read the vault and has no secret that anybody uses. */
async function anApplication(): Promise<string> {
  const { appId } = await world.emulator.createServicePrincipal({ tenantId: world.tenantId });
  await world.emulator.grant({ vault: world.vault, appId, permissions: ["get"] });
  return appId;
}

async function aClass(place: Place, facts: Partial<ClassFacts>): Promise<Place> {
  await createClass(world.plane, classOf(world, { ...place, objects: [object], secretObjects: [opaque("app", object)], ...facts }));
  return place;
}

async function aPlace(grants: Omit<NamespaceOptions, "credentials"> = {}): Promise<Place> {
  return { namespace: await world.namespace({ credentials: false, ...grants }), name: "demo" };
}

/** What the status says once it says something. */
async function firstReasonOf({ namespace, name }: Place): Promise<Condition> {
  return eventually(async () => (await statusOf(world.plane, namespace, name))?.conditions.find(({ type }) => type === "Synced"), {
    what: `a word of the worker on ${namespace}/${name}`,
  });
}

/** As whoever may write the Namespace does it. */
async function grant(namespace: string, annotations: Readonly<Record<string, string | null>>): Promise<void> {
  await mergePatch(world.plane, `/api/v1/namespaces/${namespace}`, { metadata: { annotations } });
}

async function anAccount(namespace: string, name: string): Promise<void> {
  const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body });
}

/** A pod that mounts the class; nobody runs it. */
async function aConsumer({ namespace, name }: Place, account: string): Promise<void> {
  const csi = { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: name } };
  const spec = { serviceAccountName: account, containers: [{ name: "app", image: "app" }], volumes: [{ name: "secrets", csi }] };
  const body = { apiVersion: "v1", kind: "Pod", metadata: { name: `by-${account}` }, spec };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods`, body });
}

async function assertMirrored(place: Place): Promise<void> {
  await reasonIs(world.plane, place, "Synced");
  assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { value: "of the vault" });
}

async function assertRefused(place: Place, reason: string, message: RegExp): Promise<void> {
  const condition = await reasonIs(world.plane, place, reason);
  assert.match(condition.message, message);
  assert.deepEqual(await mirroredSecrets(world.plane, place.namespace), []);
}

const tokenRequests = (namespace: string): readonly string[] =>
  world.plane
    .audit()
    .map(({ uri }) => uri)
    .filter((uri) => uri.startsWith(`/api/v1/namespaces/${namespace}/serviceaccounts/`));

describe("the identities of the sync worker", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    object = await world.object("of the vault");
    issuer = await trustCluster(world.emulator, world.plane);
    worker = await world.product.start("sync", { ...SYNC, environment: identityEnvironment() });
  });
  after(async () => {
    await world?.stop();
  });

  describe("workload identity", () => {
    test("exchanges the token of the account that the class names for the vault's objects, and asks for it once", async () => {
      const [place, clientID] = [await aPlace({ accounts: ["vault-reader"] }), await anApplication()];
      await anAccount(place.namespace, "vault-reader");
      await world.emulator.addFederatedCredential({ appId: clientID, issuer, subject: subjectOf(place.namespace, "vault-reader") });
      const another = await world.object("another");

      const annotations = { [CLASS_ANNOTATIONS.serviceAccount]: "vault-reader" };
      const secretObjects = [opaque("app", object), opaque("other", another)];
      await aClass(place, { parameters: { clientID }, annotations, objects: [object, another], secretObjects });

      await assertMirrored(place);
      assert.deepEqual(await dataOf(world.plane, place.namespace, "other"), { value: "another" });
      await askNow(world.plane, place);
      await aClass({ ...place, name: "second" }, { parameters: { clientID }, annotations, secretObjects: [opaque("third", object)] });
      await reasonIs(world.plane, { ...place, name: "second" }, "Synced");
      await eventually(() => tokenRequests(place.namespace).length > 0, { what: "the TokenRequest in the audit log" });
      assert.deepEqual(tokenRequests(place.namespace), [`/api/v1/namespaces/${place.namespace}/serviceaccounts/vault-reader/token`]);
    });

    test("without the annotation uses the one account of the pods that mount the class, as soon as there is one", async () => {
      const [place, clientID] = [await aPlace({ accounts: ["cart"] }), await anApplication()];
      await anAccount(place.namespace, "cart");
      await world.emulator.addFederatedCredential({ appId: clientID, issuer, subject: subjectOf(place.namespace, "cart") });
      await aClass(place, { parameters: { clientID } });
      await assertRefused(
        place,
        "IdentityUnavailable",
        /^no pod mounts the class, .*annotation keyvault-injector\.dev\/service-account of the class$/,
      );

      await aConsumer(place, "cart");
      await assertMirrored(place);
    });

    test("with several accounts among the pods names them and the annotation, which decides", async () => {
      const [place, clientID] = [await aPlace({ accounts: ["cart", "shelf"] }), await anApplication()];
      await Promise.all(["cart", "shelf"].map((account) => anAccount(place.namespace, account)));
      await Promise.all(["cart", "shelf"].map((account) => aConsumer(place, account)));
      await world.emulator.addFederatedCredential({ appId: clientID, issuer, subject: subjectOf(place.namespace, "shelf") });
      // Both are seen before the class is: a worker that knows one of them would take it.
      await aClass(place, { parameters: { clientID } });
      await assertRefused(place, "IdentityUnavailable", /several ServiceAccounts: cart, shelf; name one in the annotation/);

      const body = { metadata: { annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "shelf" } } };
      await mergePatch(world.plane, classPath(place.namespace, place.name), body);
      await assertMirrored(place);
    });

    test("with an account that is not there says so, and goes on when it is", async () => {
      const [place, clientID] = [await aPlace({ accounts: ["late"] }), await anApplication()];
      await world.emulator.addFederatedCredential({ appId: clientID, issuer, subject: subjectOf(place.namespace, "late") });
      await aClass(place, { parameters: { clientID }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "late" } });
      const reported = new RegExp(`ServiceAccount late does not exist in the namespace ${place.namespace}; create it, or name another one`);
      await assertRefused(place, "IdentityUnavailable", reported);

      await anAccount(place.namespace, "late");
      await assertMirrored(place);
    });

    test("with a name that no account can have is refused, and no other address is asked", async () => {
      const place = await aPlace({ accounts: ["../secrets/x"] });
      await aClass(place, { parameters: { clientID: randomUUID() }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "../secrets/x" } });
      await assertRefused(place, "IdentityUnavailable", /"\.\.\/secrets\/x" is not the name of a ServiceAccount/);
    });

    test("with a subject that is not federated is Unauthorized, says what to federate, and recovers", async () => {
      const [place, clientID] = [await aPlace({ accounts: ["mine"] }), await anApplication()];
      await anAccount(place.namespace, "mine");
      await world.emulator.addFederatedCredential({ appId: clientID, issuer, subject: subjectOf(place.namespace, "other") });
      await aClass(place, { parameters: { clientID }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "mine" } });

      const subject = subjectOf(place.namespace, "mine");
      const { message } = await reasonIs(world.plane, place, "Unauthorized");
      assert.match(message, /AADSTS700213/);
      assert.ok(
        message.endsWith(
          `the identity has no matching federated credential; add one: subject ${subject}, issuer ${issuer}, audience ${AUDIENCE}`,
        ),
        message,
      );

      await world.emulator.addFederatedCredential({ appId: clientID, issuer, subject });
      await askNow(world.plane, place);
      await assertMirrored(place);
    });

    test("S5: asks for no token of an account that its Namespace does not grant, says who can, and goes on when it does", async () => {
      const [place, clientID] = [await aPlace({ accounts: ["another"] }), await anApplication()];
      await anAccount(place.namespace, "shop");
      await world.emulator.addFederatedCredential({ appId: clientID, issuer, subject: subjectOf(place.namespace, "shop") });
      await aClass(place, { parameters: { clientID }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "shop" } });

      const { reason, message } = await firstReasonOf(place);
      assert.equal(reason, "IdentityUnavailable");
      assert.match(message, new RegExp(`^no token for the ServiceAccount shop: Namespace ${place.namespace} does not grant it\\.`));
      assert.match(message, /can add shop to its annotation grants\.keyvault-injector\.dev\/service-accounts/);
      assert.match(message, new RegExp(`or run: keyvault-injector grants --namespace ${place.namespace} --account \\S+ --apply$`));
      assert.deepEqual(tokenRequests(place.namespace), []);

      await grant(place.namespace, { "grants.keyvault-injector.dev/service-accounts": "another,shop" });
      await assertMirrored(place);
    });

    test("with another issuer, another audience or no credential at all is told the same way", async () => {
      for (const wrong of [{ issuer: "https://elsewhere.example" }, { audience: "api://other" }, undefined]) {
        const [place, appId] = [await aPlace({ accounts: ["default"] }), await anApplication()];
        const subject = subjectOf(place.namespace, "default");
        if (wrong !== undefined) await world.emulator.addFederatedCredential({ appId, issuer, subject, ...wrong });
        await aClass(place, { parameters: { clientID: appId }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "default" } });
        await assertRefused(place, "Unauthorized", new RegExp(`AADSTS7002?1\\d?.*subject ${subject}, issuer ${issuer}, audience`));
      }
    });
  });

  describe("managed identity", () => {
    const managed = { useVMManagedIdentity: "true" };

    test("of the node is the system-assigned one by default, whatever tenantID says", async () => {
      const { appId } = await world.emulator.createManagedIdentity({ kind: "system", tenantId: world.tenantId });
      await world.emulator.grant({ vault: world.vault, appId, permissions: ["get"] });
      const place = await aPlace({ managedIdentity: true });
      await aClass(place, { parameters: { ...managed, tenantID: "the node's own counts" } });

      await assertMirrored(place);
      await world.emulator.removeManagedIdentity({ appId });
    });

    test("may be a user-assigned one, by its client id", async () => {
      const { appId } = await world.emulator.createManagedIdentity({ kind: "user", tenantId: world.tenantId });
      await world.emulator.grant({ vault: world.vault, appId, permissions: ["get"] });
      const place = await aPlace({ managedIdentity: true });
      await aClass(place, { parameters: { ...managed, userAssignedIdentityID: appId } });

      await assertMirrored(place);
    });

    test("that the node does not have is IdentityUnavailable", async () => {
      const place = await aPlace({ managedIdentity: true });
      await aClass(place, { parameters: { ...managed, userAssignedIdentityID: randomUUID() } });
      await assertRefused(place, "IdentityUnavailable", /the node does not have this identity; assign it .*userAssignedIdentityID/);
    });

    test("without rights in the vault is Forbidden, and named", async () => {
      const { appId } = await world.emulator.createManagedIdentity({ kind: "user", tenantId: world.tenantId });
      const place = await aPlace({ managedIdentity: true });
      await aClass(place, { parameters: { ...managed, userAssignedIdentityID: appId } });
      await assertRefused(place, "Forbidden", new RegExp(`the managed identity ${appId} of the worker's node is not allowed`));
    });

    test("S6: of the node is nobody's whose namespace neither the operator nor the Namespace allows, until one of them does", async () => {
      const { appId } = await world.emulator.createManagedIdentity({ kind: "user", tenantId: world.tenantId });
      await world.emulator.grant({ vault: world.vault, appId, permissions: ["get"] });
      const place = await aPlace();
      await aClass(place, { parameters: { ...managed, userAssignedIdentityID: appId } });

      const { reason, message } = await firstReasonOf(place);
      assert.equal(reason, "IdentityUnavailable");
      assert.match(message, new RegExp(`does not allow managed-identity for synced Secrets in the namespace ${place.namespace}`));
      assert.match(message, /the setting --managed-identity-namespaces/);
      assert.match(message, new RegExp(`keyvault-injector grants --namespace ${place.namespace} --managed-identity --apply`));
      assert.deepEqual(await mirroredSecrets(world.plane, place.namespace), []);

      await grant(place.namespace, { "grants.keyvault-injector.dev/managed-identity": "allowed" });
      await assertMirrored(place);
    });
  });

  test("refuse what only mounts can use, and say what to use instead", async () => {
    for (const parameters of [{ usePodIdentity: "true" }, { useAzureTokenProxy: "true", clientID: randomUUID() }]) {
      await assertRefused(await aClass(await aPlace(), { parameters }), "IdentityUnavailable", /remove use\w+ and set clientID/);
    }
  });

  test("tell of missing credentials before the objects, as the provider does", async () => {
    const parameters = { objects: "array: [" };
    await assertRefused(await aClass(await aPlace(), { parameters }), "CredentialsMissing", /nodePublishSecretRef secret is not set/);
    const managed = { ...parameters, useVMManagedIdentity: "true" };
    await assertRefused(
      await aClass(await aPlace({ managedIdentity: true }), { parameters: managed }),
      "InvalidObject",
      /failed to yaml unmarshal objects/,
    );
  });

  test("are asked for only where the operator allows, by mode and by vault", async () => {
    await worker.stop();
    const args = [...SYNC.args, "--allowed-vaults=another-vault", "--allowed-identity-modes=workload-identity,service-principal"];
    worker = await world.product.start("sync", { args, environment: identityEnvironment() });

    const managed = await aClass(await aPlace({ managedIdentity: true }), { parameters: { useVMManagedIdentity: "true" } });
    await assertRefused(managed, "IdentityUnavailable", /does not allow managed-identity .*--allowed-identity-modes/);
    const place = { namespace: await world.namespace(), name: "demo" };
    await aClass(place, {});
    await assertRefused(place, "InvalidClass", new RegExp(`does not allow the vault ${world.vault} .*--allowed-vaults`));
  });

  test("are refused nothing by the API server, and leave no token in the log", async () => {
    assertNothingForbidden("identities", world.plane);
    const token = (await world.plane.kubectl(["create", "token", "default", "-n", "default", `--audience=${AUDIENCE}`])).trim();
    const isToken = /eyJ[A-Za-z0-9_-]{8}/;
    const logs = world.product.logs().map((file) => readFileSync(file, "utf8"));
    assert.ok(logs.length === 2 && logs.every((log) => log.includes("leading")));
    assert.doesNotMatch(logs.join("\n"), isToken);
    assert.match(`control ${token}`, isToken);
    assert.equal((await apiRequest(world.plane, { method: "GET", path: "/api/v1/namespaces", token })).status, 401, "it is for Entra only");
  });
});
