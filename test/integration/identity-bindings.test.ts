/** Sync with identity bindings: the worker, its policy and the API server's own tokens. A test endpoint replaces the token proxy. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { trustCluster } from "../support/cluster/cluster-trust.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { parseManifests, renderOwnKustomization } from "../support/cluster/shipped-manifests.ts";
import { startTokenProxyServer, type TokenProxyServer } from "../support/cluster/token-proxy-server.ts";
import {
  askNow,
  classOf,
  createClass,
  dataOf,
  mergePatch,
  mirroredSecrets,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  send,
  startSyncWorld,
} from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const AUDIENCE = "api://AKSIdentityBinding";
const FEDERATION = "api://AzureADTokenExchange";
const POLICY = "keyvault-injector-sync-tokens";
const PROXY_NAME = "aproxy.ests.aks";
const ACCOUNT = "vault-reader";

const bindings = new Map<string, readonly string[]>();
let world: SyncWorld;
let proxy: TokenProxyServer;
let folder: string;
let object: string;
let issuer: string;

/** Creates a class in its own namespace, whose identity is bound to the account. */
async function aBoundClass(grants: { readonly accounts?: readonly string[] } = { accounts: [ACCOUNT] }): Promise<Place> {
  const place = { namespace: await world.namespace({ credentials: false, ...grants }), name: "demo" };
  const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT } };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${place.namespace}/serviceaccounts`, body });
  const { appId } = await world.emulator.createServicePrincipal({ tenantId: world.tenantId });
  await world.emulator.grant({ vault: world.vault, appId, permissions: ["get"] });
  const subject = subjectIn(place);
  await world.emulator.addFederatedCredential({ appId, issuer, subject, audience: AUDIENCE });
  bindings.set(appId, [subject]);
  const parameters = { clientID: appId, useAzureTokenProxy: "true" };
  const annotations = { [CLASS_ANNOTATIONS.serviceAccount]: ACCOUNT };
  const facts = { ...place, parameters, annotations, objects: [object], secretObjects: [opaque("app", object)] };
  await createClass(world.plane, classOf(world, facts));
  return place;
}

const subjectIn = ({ namespace }: Place): string => `system:serviceaccount:${namespace}:${ACCOUNT}`;

/** Token exchanges of this account at the token proxy. */
const exchangesOf = (place: Place) => proxy.requests.filter(({ claims }) => claims.sub === subjectIn(place));

async function applyPolicy(components: readonly string[]): Promise<void> {
  const objects = parseManifests(await renderOwnKustomization({ resources: ["overlays/default"], components }));
  const policy = objects.find(({ kind, metadata }) => kind === "ValidatingAdmissionPolicy" && metadata.name === POLICY);
  assert.ok(policy);
  await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify(policy));
}

describe("the sync worker with identity bindings", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    object = await world.object("of the vault");
    issuer = await trustCluster(world.emulator, world.plane);
    const { proxyUrl, caFile } = world.emulator;
    const ca = readFileSync(caFile, "utf8");
    proxy = await startTokenProxyServer({ emulator: { proxyUrl, ca }, apiServerNames: [], proxyName: PROXY_NAME, bindings });
    folder = mkdtempSync(path.join(tmpdir(), "identity-bindings-"));
    const trusted = path.join(folder, "ca.crt");
    writeFileSync(trusted, `${ca}${proxy.ca}`);
    // The worker does not run in a pod here: the cluster's CA is not in a file, and the flags specify the name.
    const flags = ["--identity-bindings=true", `--token-proxy-url=https://localhost:${proxy.port}`, `--sni-name=${PROXY_NAME}`];
    const environment = { NODE_EXTRA_CA_CERTS: trusted, NO_PROXY: "", no_proxy: "" };
    await world.product.start("sync", { args: ["--rotation-poll-interval=10s", ...flags], environment });
  });

  after(async () => {
    await world?.stop();
    await proxy?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  test("is kept from such tokens by the policy of an install that was not told, and goes on once the component is applied", async () => {
    const place = await aBoundClass();
    const { message } = await reasonIs(world.plane, place, "IdentityUnavailable");
    assert.match(
      message,
      /the policy keyvault-injector-sync-tokens denies the request: to allow the audience api:\/\/AKSIdentityBinding, apply/,
    );
    assert.deepEqual(exchangesOf(place), []);

    await applyPolicy(["components/identity-bindings"]);
    await askNow(world.plane, place);

    await reasonIs(world.plane, place, "Synced");
    assert.deepEqual(await dataOf(world.plane, place.namespace, "app"), { value: "of the vault" });
    const [exchange, ...more] = exchangesOf(place);
    assert.deepEqual(more, [], "one sign-in");
    assert.deepEqual([exchange?.serverName, exchange?.status, [exchange?.claims.aud].flat()], [PROXY_NAME, 200, [AUDIENCE]]);
  });

  test("may ask for tokens of that audience alone besides, and of no two at once", async () => {
    const namespace = await world.namespace({ credentials: false, accounts: ["default"] });
    const asWorker = (...audiences: readonly string[]): Promise<string> => {
      const asked = audiences.map((audience) => `--audience=${audience}`);
      const user = "--as=system:serviceaccount:keyvault-injector:keyvault-injector-sync";
      return world.plane.kubectl(["create", "token", "default", "-n", namespace, "--duration=600s", user, ...asked]);
    };
    for (const audience of [AUDIENCE, FEDERATION]) assert.match(await asWorker(audience), /^eyJ/);
    for (const audiences of [[AUDIENCE, FEDERATION], [AUDIENCE, AUDIENCE], ["vault"], []])
      await assert.rejects(asWorker(...audiences), /one audience, api:\/\/AzureADTokenExchange or api:\/\/AKSIdentityBinding/);
  });

  test("asks for no token of an account that its Namespace does not grant, and goes on when it does", async () => {
    const place = await aBoundClass({ accounts: ["another"] });
    const { message } = await reasonIs(world.plane, place, "IdentityUnavailable");
    assert.match(message, new RegExp(`Namespace ${place.namespace} does not grant it`));
    assert.deepEqual(exchangesOf(place), []);
    assert.deepEqual(await mirroredSecrets(world.plane, place.namespace), []);

    const annotations = { "grants.keyvault-injector.dev/service-accounts": ACCOUNT };
    await mergePatch(world.plane, `/api/v1/namespaces/${place.namespace}`, { metadata: { annotations } });
    await reasonIs(world.plane, place, "Synced");
  });

  test("says what to bind where the proxy refuses the account", async () => {
    const place = await aBoundClass();
    const client = (await reasonIs(world.plane, place, "Synced")) && exchangesOf(place)[0]?.form["client_id"];
    assert.ok(client !== undefined);
    const second = await aBoundClass();
    bindings.set(client, []);
    const parameters = { clientID: client };
    await mergePatch(
      world.plane,
      `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${second.namespace}/secretproviderclasses/${second.name}`,
      { spec: { parameters } },
    );
    const { message } = await reasonIs(world.plane, second, "Unauthorized");
    assert.match(message, new RegExp(`bind the managed identity ${client} .* let ServiceAccount ${second.namespace}/${ACCOUNT} use it`));
  });
});
