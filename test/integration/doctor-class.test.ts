import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createProxy, type Server } from "node:http";
import { connect, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import type { ClassFinding, LeafName } from "../../src/cli/doctor/class/leaves.ts";
import { LEAVES } from "../../src/cli/doctor/class/leaves.ts";
import type { ReportedWalk } from "../../src/cli/doctor/class/reported-walk.ts";
import { CLASS_ANNOTATIONS, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { clientEnvironment, managedIdentityEnvironment } from "../../tools/key-vault-emulator/emulator.ts";
import { findLeaks } from "../support/canary.ts";
import { classReader } from "../support/class-reader.ts";
import { trustCluster } from "../support/cluster-trust.ts";
import { controlPlaneRefusal } from "../support/control-plane.ts";
import type { DoctorAnswer, DoctorQuestion } from "../support/doctor-process.ts";
import { type LineProcess, startLineProcess } from "../support/line-process.ts";
import type { ProductProcess } from "../support/product.ts";
import { selfSignedCertificate } from "../support/serving-certificate.ts";
import {
  type ClassFacts,
  classOf,
  classPath,
  createClass,
  createCredentials,
  find,
  mergePatch,
  opaque,
  type Place,
  reasonIs,
  type SyncWorld,
  secretPath,
  send,
  startSyncWorld,
} from "../support/sync-world.ts";

const refusal = controlPlaneRefusal();
const LOGIN = "login.microsoftonline.com";
const CANARY = `canary-"${randomUUID()}"\n~?>ü/+`;

let world: SyncWorld;
let doctor: LineProcess<DoctorQuestion, DoctorAnswer>;
/** Trusts nobody's CA but the machine's. */
let untrusting: LineProcess<DoctorQuestion, DoctorAnswer>;
let object: string;
let issuer: string;
/** Everything that was printed, to be searched for values. */
const printed: string[] = [];
const reached = new Set<LeafName>();
const clientSecrets: string[] = [];

interface Asked extends Partial<DoctorQuestion> {
  readonly by?: LineProcess<DoctorQuestion, DoctorAnswer>;
}

async function ask(args: readonly string[], { by = doctor, ...question }: Asked = {}): Promise<DoctorAnswer> {
  const answer = await by.ask({ kubeconfig: world.plane.kubeconfigPath, ...question, args });
  printed.push(answer.output, ...answer.notes);
  return answer;
}

async function walk({ namespace, name }: Place, asked: Asked = {}): Promise<ReportedWalk> {
  const { output, notes } = await ask(["doctor", "class", `${namespace}/${name}`, "-o", "json"], asked);
  assert.deepEqual(notes, []);
  const report: { readonly report: string; readonly format: number; readonly walks: readonly ReportedWalk[] } = JSON.parse(output);
  assert.deepEqual([report.report, report.format], ["classes", 1]);
  const [only] = report.walks;
  assert.ok(only !== undefined);
  for (const { leaf } of only.findings) reached.add(leaf);
  return only;
}

/** The way ends at the leaf, in one sentence of what to do. */
async function assertLeaf(
  place: Place,
  leaf: LeafName,
  { message = /./, ...asked }: Asked & { readonly message?: RegExp } = {},
): Promise<ClassFinding> {
  const { findings } = await walk(place, asked);
  const hit = findings.find((finding) => finding.leaf === leaf);
  assert.ok(hit !== undefined, `${leaf} is not among ${JSON.stringify(findings, null, 1)}`);
  assert.deepEqual([hit.state, hit.step], [LEAVES[leaf].state, LEAVES[leaf].step]);
  assert.match(hit.message, message);
  if (hit.state !== "OK") assert.match(hit.fix ?? "", /^[A-Z].*[^.]\.$/s, `${leaf} ends in a sentence`);
  return hit;
}

/** A namespace with the class in it, whose vault has the object. */
async function aClass(facts: Partial<ClassFacts> = {}, options?: { readonly credentials: boolean }): Promise<Place> {
  const place = { namespace: await world.namespace(options), name: "demo" };
  await createClass(world.plane, classOf(world, { ...place, objects: [object], secretObjects: [opaque("app", object)], ...facts }));
  return place;
}

async function inANamespaceWithCredentials(data: Readonly<Record<string, string>>, facts: Partial<ClassFacts> = {}): Promise<Place> {
  const place = await aClass(facts, { credentials: false });
  await createCredentials(world.plane, place.namespace, data);
  return place;
}

async function anAccount(namespace: string, name: string): Promise<void> {
  await world.plane.kubectl(["create", "serviceaccount", name, "-n", namespace]);
}

async function anApplication(
  permissions: readonly ("get" | "keys/get")[] = ["get"],
): Promise<{ readonly appId: string; readonly clientSecret: string }> {
  const principal = await world.emulator.createServicePrincipal({ tenantId: world.tenantId, clientSecret: `secret-of-${randomUUID()}` });
  clientSecrets.push(principal.clientSecret);
  if (permissions.length > 0) await world.emulator.grant({ vault: world.vault, appId: principal.appId, permissions: [...permissions] });
  return principal;
}

const credentialsOf = ({ appId, clientSecret }: { readonly appId: string; readonly clientSecret: string }) => ({
  clientid: appId,
  clientsecret: clientSecret,
});

/** What the worker would say of the class; no worker runs. */
async function setStatus({ namespace, name }: Place, status: Readonly<Record<string, unknown>>): Promise<void> {
  const resource = `/apis/keyvault-injector.dev/v1alpha1/namespaces/${namespace}/secretproviderclasssyncs`;
  const body = { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", metadata: { name } };
  if ((await find(world.plane, `${resource}/${name}`)) === undefined) await send(world.plane, { method: "POST", path: resource, body });
  const synced = {
    type: "Synced",
    status: "True",
    reason: "Synced",
    message: "all is well",
    observedGeneration: 1,
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const whole = { observedGeneration: 1, conditions: [synced], secretsSynced: "1/1", secrets: [], ...status };
  await mergePatch(world.plane, `${resource}/${name}/status`, { status: whole });
}

const written = (version: string, state = "Synced") => [
  { name: "app", state, data: [{ key: "value", object: `secret/${object}`, version }] },
];

/** As the worker writes it, by hand: without the install's key nobody can make the fingerprint. */
async function aSecret(
  { namespace, name }: Place,
  change: { readonly version: string; readonly labels?: object; readonly annotations?: object },
): Promise<void> {
  const metadata = {
    name: "app",
    labels: change.labels ?? { [MANAGED_LABEL]: "true" },
    annotations: change.annotations ?? {
      [SECRET_ANNOTATIONS.class]: name,
      [SECRET_ANNOTATIONS.objects]: `secret/${object}@${change.version}`,
    },
  };
  const body = { apiVersion: "v1", kind: "Secret", metadata, stringData: { value: CANARY } };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body });
}

async function currentVersion(name: string): Promise<string> {
  const versions = await world.emulator.secretVersions({ vault: world.vault, name });
  return versions.at(-1)?.version ?? "";
}

function listening(server: Server | TcpServer | TlsServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

/** A proxy that leads every name to one port of this machine. */
async function proxyTo(port: number): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createProxy();
  server.on("connect", (_request, client) => {
    const upstream = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) socket.on("error", () => socket.destroy());
  });
  return { server, url: `http://127.0.0.1:${await listening(server)}` };
}

const DIRECT = { HTTPS_PROXY: "", https_proxy: "" };

/** One leaf of the tree, and what leads to it. */
interface Fault {
  readonly leaf: LeafName;
  readonly plant: () => Promise<Place>;
  readonly asked?: (place: Place) => Promise<Asked>;
  readonly message?: RegExp | (() => RegExp);
  readonly repair?: () => Promise<unknown>;
}

const CLASS_FAULTS: readonly Fault[] = [
  {
    leaf: "class-absent",
    plant: async () => ({ namespace: await world.namespace(), name: "nowhere" }),
    message: /^there is no SecretProviderClass /,
  },
  {
    leaf: "class-unreadable",
    plant: () => aClass(),
    asked: async (place) => ({ kubeconfig: await classReader(world.plane, place.namespace, "") }),
    message: /you may not get/,
  },
  {
    leaf: "class-not-azure",
    plant: async () => {
      const place = { namespace: await world.namespace(), name: "demo" };
      const provider = classOf(world, { ...place, objects: [], secretObjects: [] });
      await createClass(world.plane, { ...provider, spec: { ...provider.spec, provider: "vault" } });
      return place;
    },
  },
  { leaf: "class-invalid", plant: () => aClass({ parameters: { tenantId: "" } }), message: /tenant/ },
  {
    leaf: "class-limited",
    plant: async () => {
      await setWorkerArguments(["sync", "--allowed-vaults=another"]);
      return aClass();
    },
    message: /does not allow the vault/,
    repair: () => setWorkerArguments(["sync"]),
  },
  {
    leaf: "secret-object-invalid",
    plant: () => aClass({ secretObjects: [{ ...opaque("app", object), type: "helm.sh/release.v1" }] }),
    message: /never written/,
  },
  {
    leaf: "secret-object-invalid",
    plant: () =>
      aClass({ secretObjects: [{ secretName: "app", type: "kubernetes.io/tls", data: [{ objectName: object, key: "tls.crt" }] }] }),
  },
  { leaf: "identity-unsupported", plant: () => aClass({ parameters: { usePodIdentity: "true" } }), message: /pod identity/ },
  {
    leaf: "credentials-unreadable",
    plant: () => aClass(),
    asked: async (place) => ({ kubeconfig: await classReader(world.plane, place.namespace, "get") }),
    message: /you may not get secrets/,
  },
  {
    leaf: "credentials-not-allowed",
    plant: () => aClass({ annotations: { [CLASS_ANNOTATIONS.credentialsSecret]: "other" } }),
    message: /named other/,
  },
  { leaf: "credentials-absent", plant: () => aClass({}, { credentials: false }), message: /^there is no Secret / },
  { leaf: "credentials-incomplete", plant: () => inANamespaceWithCredentials({ clientid: "only" }), message: /no clientsecret/ },
  { leaf: "account-unknown", plant: () => aClass({ parameters: { clientID: randomUUID() } }), message: /no pod mounts the class/ },
  {
    leaf: "account-absent",
    plant: () => aClass({ parameters: { clientID: randomUUID() }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "nobody" } }),
    message: /^there is no ServiceAccount \S+\/nobody$/,
  },
  {
    leaf: "token-request-forbidden",
    plant: async () => {
      const place = await aClass({ parameters: { clientID: randomUUID() }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "app" } });
      await anAccount(place.namespace, "app");
      return place;
    },
    asked: async (place) => ({ kubeconfig: await classReader(world.plane, place.namespace, "get") }),
    message: /Forbidden/,
  },
  { leaf: "cloud-elsewhere", plant: () => aClass({ parameters: { cloudName: "AzureStackCloud", cloudEnvFileName: "cloud.json" } }) },
  {
    leaf: "managed-identity-elsewhere",
    plant: () => aClass({ parameters: { useVMManagedIdentity: "true" } }),
    message: /not to be had on this machine/,
  },
];

const closing: (Server | TcpServer | TlsServer)[] = [];
let silentProxy = "";
let wrongProxy = "";

const NETWORK_FAULTS: readonly Fault[] = [
  { leaf: "host-unresolved", plant: () => aClass(), asked: async () => ({ environment: DIRECT, names: "ENOTFOUND" }), message: /NXDOMAIN/ },
  {
    leaf: "name-service-silent",
    plant: () => aClass(),
    asked: async () => ({ environment: DIRECT, names: "EAI_AGAIN" }),
    message: /EAI_AGAIN/,
  },
  {
    leaf: "proxy-unreachable",
    plant: () => aClass(),
    asked: async () => ({ environment: { HTTPS_PROXY: "http://user:hidden@127.0.0.1:1", https_proxy: "http://user:hidden@127.0.0.1:1" } }),
    message: /^the proxy 127\.0\.0\.1:1 is not reached \(ECONNREFUSED\)/,
  },
  {
    leaf: "proxy-refuses",
    plant: () => aClass({ parameters: { keyvaultName: "no-such-vault" } }),
    message: /no-such-vault\.vault\.azure\.net \(HTTP 502\)/,
  },
  {
    leaf: "host-refuses",
    plant: () => aClass(),
    asked: async () => ({ environment: DIRECT, names: "127.0.0.77" }),
    message: /ECONNREFUSED/,
  },
  {
    leaf: "host-silent",
    plant: () => aClass(),
    asked: async () => ({ environment: { HTTPS_PROXY: silentProxy, https_proxy: silentProxy }, timeoutMs: 500 }),
    message: /does not answer/,
  },
  {
    leaf: "authority-unknown",
    plant: () => aClass(),
    asked: async () => ({ by: untrusting }),
    message: /signed by "Key Vault emulator|signed by ".+", which is not trusted/,
  },
  {
    leaf: "certificate-wrong",
    plant: () => aClass(),
    asked: async () => ({ environment: { HTTPS_PROXY: wrongProxy, https_proxy: wrongProxy } }),
    message: /ERR_TLS_CERT_ALTNAME_INVALID/,
  },
];

async function federated(): Promise<Place> {
  const { appId } = await anApplication();
  const place = await aClass(
    { parameters: { clientID: appId }, annotations: { [CLASS_ANNOTATIONS.serviceAccount]: "app" } },
    { credentials: false },
  );
  await anAccount(place.namespace, "app");
  return place;
}

const TOKEN_FAULTS: readonly Fault[] = [
  {
    leaf: "client-secret-wrong",
    plant: async () => inANamespaceWithCredentials({ ...credentialsOf(await anApplication()), clientsecret: CANARY }),
    message: /AADSTS7000215/,
  },
  {
    leaf: "client-secret-expired",
    plant: async () => {
      await world.emulator.injectFault({
        host: LOGIN,
        path: `/${world.tenantId}/oauth2`,
        kind: "refusal",
        refusal: "expired-client-secret",
        times: 1,
      });
      return inANamespaceWithCredentials(credentialsOf(await anApplication()));
    },
    message: /AADSTS7000222/,
    repair: () => world.emulator.clearFaults(),
  },
  {
    leaf: "application-unknown",
    plant: () => inANamespaceWithCredentials({ clientid: randomUUID(), clientsecret: "x" }),
    message: /AADSTS700016/,
  },
  {
    leaf: "tenant-unknown",
    plant: async () => {
      const tenantId = randomUUID();
      await world.emulator.createVault({ name: "lone-vault", tenantId });
      await world.emulator.injectFault({ host: LOGIN, path: `/${tenantId}/oauth2`, kind: "refusal", refusal: "unknown-tenant", times: 1 });
      return inANamespaceWithCredentials(credentialsOf(await anApplication()), { parameters: { keyvaultName: "lone-vault", tenantId } });
    },
    message: /AADSTS90002/,
    repair: () => world.emulator.clearFaults(),
  },
  {
    leaf: "not-federated",
    plant: federated,
    message: /AADSTS70021\d?\b.*subject system:serviceaccount:team-\d+:app/,
  },
  {
    leaf: "token-refused",
    plant: async () => {
      await world.emulator.injectFault({
        host: LOGIN,
        path: `/${world.tenantId}/oauth2`,
        kind: "refusal",
        refusal: "conditional-access",
        times: 1,
      });
      return inANamespaceWithCredentials(credentialsOf(await anApplication()));
    },
    message: /AADSTS53003/,
    repair: () => world.emulator.clearFaults(),
  },
  {
    leaf: "managed-identity-refused",
    plant: () => aClass({ parameters: { useVMManagedIdentity: "true", userAssignedIdentityID: randomUUID() } }),
    asked: async () => ({ environment: { ...managedIdentityEnvironment(world.emulator), KUBERNETES_SERVICE_HOST: "10.0.0.1" } }),
    message: /the node has no such identity/,
  },
];

const strike =
  (effect: { readonly kind: "status"; readonly status: number } | { readonly kind: "refusal"; readonly refusal: "firewall" }) =>
  async (): Promise<Place> => {
    const name = await world.object("struck");
    await world.emulator.injectFault({ vault: world.vault, path: `/secrets/${name}`, ...effect });
    return aClass({ objects: [name], secretObjects: [opaque("app", name)] });
  };

/** A class of one object of its own. */
async function ofObject(name: string, entry: Readonly<Record<string, string>> = {}): Promise<Place> {
  return aClass({ objects: [{ objectName: name, objectType: "secret", ...entry }], secretObjects: [opaque("app", name)] });
}

const HOUR = 3_600;
const now = (): number => Math.floor(Date.now() / 1_000);

const VAULT_FAULTS: readonly Fault[] = [
  {
    leaf: "vault-other-tenant",
    plant: async () => inANamespaceWithCredentials(credentialsOf(await anApplication()), { parameters: { tenantId: randomUUID() } }),
    message: /belongs to another tenant/,
  },
  {
    leaf: "permission-missing",
    plant: async () => inANamespaceWithCredentials(credentialsOf(await anApplication([]))),
    message: /is not allowed to \(HTTP 403/,
  },
  { leaf: "vault-firewall", plant: strike({ kind: "refusal", refusal: "firewall" }), message: /ForbiddenByFirewall/ },
  { leaf: "vault-throttles", plant: strike({ kind: "status", status: 429 }), message: /HTTP 429/ },
  { leaf: "vault-fails", plant: strike({ kind: "status", status: 503 }), message: /HTTP 503/ },
  { leaf: "object-absent", plant: () => ofObject("nowhere"), message: /HTTP 404/ },
  {
    leaf: "object-wrong-type",
    plant: async () => {
      await world.emulator.createKey({ vault: world.vault, name: "only-a-key" });
      const { appId, clientSecret } = await anApplication(["get", "keys/get"]);
      return inANamespaceWithCredentials(
        { clientid: appId, clientsecret: clientSecret },
        { objects: ["only-a-key"], secretObjects: [opaque("app", "only-a-key")] },
      );
    },
    message: /no secret only-a-key, but a key of that name/,
  },
  {
    leaf: "object-disabled",
    plant: async () => {
      const name = await world.object("disabled");
      await world.emulator.disableSecret({ vault: world.vault, name });
      return ofObject(name);
    },
  },
  {
    leaf: "object-expired",
    plant: async () => {
      const name = await world.object("old");
      await world.emulator.setAttributes({ vault: world.vault, name, expires: now() - HOUR });
      return ofObject(name);
    },
    message: /expired at \d{4}-/,
  },
  {
    leaf: "object-not-yet-valid",
    plant: async () => {
      const name = await world.object("young");
      await world.emulator.setAttributes({ vault: world.vault, name, notBefore: now() + HOUR });
      return ofObject(name);
    },
    message: /not valid before \d{4}-/,
  },
  { leaf: "object-invalid", plant: async () => ofObject(await world.object(`${CANARY} is no hex`), { objectEncoding: "hex" }) },
];

const STATUS_FAULTS: readonly Fault[] = [
  { leaf: "status-off", plant: () => aClass({ secretObjects: [] }), message: /no secretObjects/ },
  {
    leaf: "status-unreadable",
    plant: () => aClass(),
    asked: async (place) => ({ kubeconfig: await classReader(world.plane, place.namespace, "get") }),
  },
  { leaf: "status-absent", plant: () => aClass() },
  {
    leaf: "status-outdated",
    plant: async () => {
      const place = await aClass();
      await setStatus(place, {});
      await mergePatch(world.plane, classPath(place.namespace, place.name), { spec: { secretObjects: [opaque("other", object)] } });
      return place;
    },
  },
  {
    leaf: "status-failing",
    plant: async () => {
      const place = await aClass();
      const failing = {
        type: "Synced",
        status: "False",
        reason: "Forbidden",
        message: "not granted",
        observedGeneration: 1,
        lastTransitionTime: "2026-01-01T00:00:00Z",
      };
      await setStatus(place, { conditions: [failing] });
      return place;
    },
    message: /^Forbidden: not granted$/,
  },
  {
    leaf: "secret-unreadable",
    plant: async () => {
      const place = await aClass();
      await setStatus(place, { secrets: written("v1") });
      return place;
    },
    asked: async (place) => {
      const kubeconfig = await classReader(world.plane, place.namespace, "get");
      await world.plane.kubectl([
        "create",
        "rolebinding",
        "status",
        "-n",
        place.namespace,
        "--clusterrole=keyvault-injector-view",
        `--serviceaccount=${place.namespace}:reader`,
      ]);
      return { kubeconfig };
    },
  },
  {
    leaf: "secret-absent",
    plant: async () => {
      const place = await aClass();
      await setStatus(place, { secrets: written("v1") });
      return place;
    },
    message: /there is no Secret \S+\/app: the status says that it was written$/,
  },
  ...[
    { labels: {}, annotations: {}, message: /has no label/ },
    { labels: { "secrets-store.csi.k8s.io/managed": "true" }, annotations: {}, message: /CSI driver's own sync/ },
    { labels: { [MANAGED_LABEL]: "true" }, annotations: { [SECRET_ANNOTATIONS.class]: "another" }, message: /for the class another/ },
  ].map(
    ({ labels, annotations, message }): Fault => ({
      leaf: "secret-foreign",
      plant: async () => {
        const place = await aClass();
        await setStatus(place, { secrets: written("v1") });
        await aSecret(place, { version: "v1", labels, annotations });
        return place;
      },
      message,
    }),
  ),
  {
    leaf: "secret-differs",
    plant: async () => {
      const place = await aClass();
      await setStatus(place, { secrets: written("v2") });
      await aSecret(place, { version: "v1" });
      return place;
    },
    message: /not made from secret\/object-\d+ version v2/,
  },
];

function setWorkerArguments(args: readonly string[]): Promise<string> {
  const patch = [{ op: "replace", path: "/spec/template/spec/containers/0/args", value: args }];
  return world.plane.kubectl([
    "patch",
    "deployment",
    "keyvault-injector-sync",
    "-n",
    "keyvault-injector",
    "--type=json",
    "-p",
    JSON.stringify(patch),
  ]);
}

function testFaults(faults: readonly Fault[]): void {
  for (const { leaf, plant, asked, message, repair } of faults) {
    test(`${leaf}: ${LEAVES[leaf].meaning}`, async () => {
      const place = await plant();
      try {
        const pattern = typeof message === "function" ? message() : message;
        await assertLeaf(place, leaf, { ...(await asked?.(place)), ...(pattern === undefined ? {} : { message: pattern }) });
      } finally {
        await repair?.();
      }
    });
  }
}

describe("doctor class", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    object = await world.object(CANARY);
    issuer = await trustCluster(world.emulator, world.plane);

    const silent = createTcpServer();
    const wrong = selfSignedCertificate("wrong", ["somebody.else.example"]);
    const tls = createTlsServer(wrong);
    tls.on("tlsClientError", () => undefined);
    const proxy = await proxyTo(await listening(tls));
    silentProxy = `http://127.0.0.1:${await listening(silent)}`;
    wrongProxy = proxy.url;
    closing.push(silent, tls, proxy.server);

    const trusted = path.join(world.plane.directory, "trusted.pem");
    writeFileSync(trusted, `${readFileSync(world.emulator.caFile, "utf8")}\n${wrong.cert}`);
    const environment = {
      ...clientEnvironment(world.emulator),
      HOME: "/nowhere",
      KUBEBUILDER_ASSETS: process.env["KUBEBUILDER_ASSETS"] ?? "",
    };
    const file = path.resolve(import.meta.dirname, "../support/doctor-process.ts");
    const distrusting = Object.fromEntries(Object.entries(environment).filter(([name]) => name !== "NODE_EXTRA_CA_CERTS"));
    doctor = startLineProcess({ command: process.execPath, args: [file], environment: { ...environment, NODE_EXTRA_CA_CERTS: trusted } });
    untrusting = startLineProcess({ command: process.execPath, args: [file], environment: distrusting });
  });

  after(async () => {
    for (const server of closing) {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
    }
    await doctor?.stop();
    await untrusting?.stop();
    await world?.stop();
  });

  describe("ends at the leaf of the fault that was planted:", () => {
    testFaults(CLASS_FAULTS);
    testFaults(NETWORK_FAULTS);
    testFaults(TOKEN_FAULTS);
    testFaults(VAULT_FAULTS);
    testFaults(STATUS_FAULTS);
  });

  describe("with a worker", () => {
    let worker: ProductProcess;
    let place: Place;

    before(async () => {
      worker = await world.product.start("sync", { args: ["--enable-secret-rotation=false"] });
      place = await aClass();
      await reasonIs(world.plane, place, "Synced");
    });

    test("finds nothing to do for a class that is mirrored, through every step of the tree", async () => {
      const { state, next, findings } = await walk(place);

      assert.deepEqual([state, next], ["OK", undefined], JSON.stringify(findings, null, 1));
      assert.deepEqual(
        findings.map(({ leaf }) => leaf),
        ["class-ok", "identity-ok", "network-ok", "network-ok", "token-ok", "permission-ok", "object-ok", "status-ok", "secret-ok"],
      );
    });

    test("walks a class with workload identity with a token that the user may ask for", async () => {
      const own = await federated();
      const provider = await find<{
        readonly apiVersion: string;
        readonly kind: string;
        readonly metadata: { readonly name: string };
        readonly spec: { readonly parameters: { readonly clientID: string } };
      }>(world.plane, classPath(own.namespace, own.name));
      const appId = provider?.spec.parameters.clientID ?? "";
      await world.emulator.addFederatedCredential({ appId, issuer, subject: `system:serviceaccount:${own.namespace}:app` });

      await assertLeaf(own, "object-ok");
    });

    test("walks with the worker's own rights, in its pod, a class that the node's identity reads", async () => {
      const { appId } = await world.emulator.createManagedIdentity({ kind: "user", tenantId: world.tenantId });
      await world.emulator.grant({ vault: world.vault, appId, permissions: ["get"] });
      const own = await aClass({ parameters: { useVMManagedIdentity: "true", userAssignedIdentityID: appId } });
      const kubeconfig = await world.plane.kubeconfigFor({ namespace: "keyvault-injector", name: "keyvault-injector-sync" });
      const environment = { ...managedIdentityEnvironment(world.emulator), KUBERNETES_SERVICE_HOST: "10.0.0.1" };

      await assertLeaf(own, "object-ok", { kubeconfig, environment });
      const { findings } = await walk(place, { kubeconfig });
      assert.deepEqual(
        findings.filter(({ state: found }) => found !== "OK"),
        [],
        "the worker's rights are enough for every step",
      );
    });

    test("tells of a Secret that was edited while no worker looked", async () => {
      await worker.stop();
      await mergePatch(world.plane, secretPath(place.namespace, "app"), { stringData: { value: "edited" } });

      await assertLeaf(place, "secret-edited", { message: /holds other content than the worker wrote/ });
    });

    test("tells of a version that the vault has and the Secret has not", async () => {
      const other = await world.object("first");
      const own = await aClass({ objects: [other], secretObjects: [opaque("app", other)] });
      const version = await currentVersion(other);
      await setStatus(own, { secrets: [{ name: "app", state: "Synced", data: [{ key: "value", object: `secret/${other}`, version }] }] });
      const annotations = { [SECRET_ANNOTATIONS.class]: own.name, [SECRET_ANNOTATIONS.objects]: `secret/${other}@${version}` };
      await aSecret(own, { version, annotations });
      // With the install's key the content is compared, and only the worker can make that: here the key is gone.
      await world.plane.kubectl(["delete", "secret", "keyvault-injector-sync-key", "-n", "keyvault-injector"]);
      await world.emulator.rotateSecret({ vault: world.vault, name: other });

      await assertLeaf(own, "secret-behind", { message: /and the vault a newer one/ });
    });

    test("says in one line what to do, and ends with 1 for a failure alone", async () => {
      const failing = await aClass({}, { credentials: false });

      const { code, output } = await ask(["doctor", "class", `${failing.namespace}/${failing.name}`]);

      assert.equal(code, 1);
      assert.match(output, /FAIL {2}identity +credentials-absent: there is no Secret/);
      assert.match(output, /\n {2}to do: Create Secret \S+\/secrets-store-creds with the keys clientid and clientsecret\.\n/);
      assert.match(output, /\n0 OK, 0 WARN, 1 FAIL, 0 SKIP\n$/);
    });

    test("walks every class of a namespace, and leaves credentials and vaults alone where that is asked", async () => {
      const before = (await world.emulator.requests()).length;

      const { output } = await ask(["doctor", "class", "-n", place.namespace, "--no-vaults", "-o", "json"]);

      const { walks }: { readonly walks: readonly ReportedWalk[] } = JSON.parse(output);
      assert.deepEqual(
        walks.map(({ name }) => name),
        ["demo"],
      );
      assert.equal((await world.emulator.requests()).length, before);
      assert.deepEqual(
        walks.flatMap(({ findings }) => findings).filter(({ step }) => !["class", "status", "secret"].includes(step)),
        [],
      );
    });

    test("walks in plain doctor, failing classes first, and tells how many were left out", async () => {
      const { output } = await ask(["doctor", "-o", "json"]);

      const { walks }: { readonly walks: readonly ReportedWalk[] } = JSON.parse(output);
      assert.equal(walks.length, 20);
      const text = await ask(["doctor"]);
      assert.match(text.output, /\n\d+ more classes were not walked: keyvault-injector doctor class walks them all\n/);
    });
  });

  test("has a planted fault for every leaf", (context) => {
    const missing = Object.keys(LEAVES).filter((leaf) => ![...reached].some((name) => name === leaf));
    assert.deepEqual(missing, []);
    context.diagnostic(`${reached.size} of ${Object.keys(LEAVES).length} leaves reached`);
  });

  test("has printed no value, credential or proxy password in any encoding; a planted one is found", (context) => {
    const values = [CANARY, world.principal.clientSecret, "user:hidden", ...clientSecrets];
    const texts = printed.map((text, index) => ({ name: `output ${index}`, text }));

    assert.deepEqual(findLeaks(values, texts), []);
    const planted = [{ name: "planted", text: `${printed[0] ?? ""}${Buffer.from(`x${CANARY}`).toString("base64")}` }];
    assert.equal(findLeaks(values, planted).length, 1);
    context.diagnostic(`${texts.length} outputs scanned for ${values.length} values, 0 found`);
  });
});
