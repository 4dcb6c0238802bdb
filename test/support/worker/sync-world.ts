import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import path from "node:path";
import { CLASS_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import type { KubeObject, Secret, SecretObject, SecretProviderClass } from "../../../src/domain/kubernetes.ts";
import type { ClassStatus, Condition } from "../../../src/domain/sync/status-fields.ts";
import { clientEnvironment } from "../../../tools/key-vault-emulator/emulator.ts";
import { type SpawnedEmulator, spawnEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import { type ApiAnswer, type ApiCall, apiRequest, MERGE_PATCH } from "../cluster/api-request.ts";
import { type AuditEntry, forbidden } from "../cluster/audit.ts";
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "../cluster/control-plane.ts";
import { type InstallOptions, installProduct, type Product } from "../cluster/product.ts";
import { eventually } from "../time/eventually.ts";

export const CLASS_CRD = "secretproviderclasses.secrets-store.csi.x-k8s.io";
export const STATUS_CRD = "secretproviderclasssyncs.keyvault-injector.dev";
export const CREDENTIALS = "secrets-store-creds";

/** The worker's user name in the API server. */
export const SYNC_USER = "system:serviceaccount:keyvault-injector:keyvault-injector-sync";
/** Annotation of a synced Secret that contains its object versions. */
export const OBJECTS = "keyvault-injector.dev/objects";
/** Path of the Lease with which the worker's replicas elect their leader. */
export const LEASE = "/apis/coordination.k8s.io/v1/namespaces/keyvault-injector/leases/keyvault-injector-sync";

const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1";
const STATUSES = "/apis/keyvault-injector.dev/v1alpha1";

/** The shipped install on a real API server, and a vault that one service principal may read. */
export interface SyncWorld {
  readonly plane: ControlPlane;
  readonly emulator: SpawnedEmulator;
  readonly product: Product;
  /** Environment of processes that use the vault. */
  readonly environment: Readonly<Record<string, string>>;
  readonly vault: string;
  readonly tenantId: string;
  readonly principal: { readonly appId: string; readonly clientSecret: string };
  /** Creates a namespace with the credentials Secret by default, and without grants. */
  namespace(options?: NamespaceOptions): Promise<string>;
  /** Creates a secret in the vault. Resolves with its name. */
  object(value: string): Promise<string>;
  stop(): Promise<void>;
}

export interface NamespaceOptions {
  /** Default true. */
  readonly credentials?: boolean;
  /** ServiceAccounts that the Namespace grants to the worker. */
  readonly accounts?: readonly string[];
  /** Whether it grants the node's managed identity. */
  readonly managedIdentity?: boolean;
}

/** Annotations of a Namespace that grants something to the worker. */
export function grantAnnotations({ accounts = [], managedIdentity = false }: NamespaceOptions): Readonly<Record<string, string>> {
  return {
    ...(accounts.length === 0 ? {} : { "grants.keyvault-injector.dev/service-accounts": accounts.join(", ") }),
    ...(managedIdentity ? { "grants.keyvault-injector.dev/managed-identity": "allowed" } : {}),
  };
}

export interface SyncWorldOptions extends Pick<InstallOptions, "overlay" | "apply" | "manifests" | "main"> {
  readonly controlPlane?: ControlPlaneOptions;
}

export async function startSyncWorld({ controlPlane, ...install }: SyncWorldOptions = {}): Promise<SyncWorld> {
  const plane = await startControlPlane(controlPlane);
  const emulator = await spawnEmulator(path.join(plane.directory, "emulator"));
  const vault = `vault-${randomBytes(4).toString("hex")}`;
  const tenantId = randomUUID();
  await emulator.createVault({ name: vault, tenantId });
  const principal = await emulator.createServicePrincipal({ tenantId });
  await emulator.grant({ vault, appId: principal.appId, permissions: ["get"] });
  const environment = clientEnvironment(emulator);
  const product = await installProduct(plane, { ...install, environment }).catch(async (error: unknown) => {
    // The suite never gets these processes and therefore cannot stop them, and a process with children does not end.
    await emulator.stop();
    await plane.stop();
    throw error;
  });
  let serial = 0;
  return {
    plane,
    emulator,
    product,
    environment,
    vault,
    tenantId,
    principal,
    namespace: async (options = {}) => {
      const name = `team-${++serial}`;
      const metadata = { name, annotations: grantAnnotations(options) };
      await send(plane, { method: "POST", path: "/api/v1/namespaces", body: { apiVersion: "v1", kind: "Namespace", metadata } });
      if (options.credentials ?? true)
        await createCredentials(plane, name, { clientid: principal.appId, clientsecret: principal.clientSecret });
      return name;
    },
    object: async (value) => {
      const name = `object-${++serial}`;
      await emulator.setSecret({ vault, name, value });
      return name;
    },
    stop: async () => {
      await product.stop();
      await emulator.stop();
      await plane.stop();
    },
  };
}

export async function createCredentials(
  plane: ControlPlane,
  namespace: string,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: CREDENTIALS }, stringData };
  await send(plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: secret });
}

export interface ClassFacts {
  readonly namespace: string;
  readonly name: string;
  /** Names of vault objects, or whole entries of `objects`. */
  readonly objects: readonly (string | Readonly<Record<string, string | number>>)[];
  readonly secretObjects: readonly SecretObject[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Parameters that add to or replace those for the vault. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** A class in service-principal mode for the world's vault. */
export function classOf({ vault, tenantId }: Pick<SyncWorld, "vault" | "tenantId">, facts: ClassFacts): SecretProviderClass {
  const entries = facts.objects.map((object) => (typeof object === "string" ? { objectName: object, objectType: "secret" } : object));
  const array = entries.map(
    (entry) =>
      `  - |\n${Object.entries(entry)
        .map(([key, value]) => `    ${key}: ${JSON.stringify(value)}\n`)
        .join("")}`,
  );
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: {
      namespace: facts.namespace,
      name: facts.name,
      ...(facts.labels === undefined ? {} : { labels: facts.labels }),
      ...(facts.annotations === undefined ? {} : { annotations: facts.annotations }),
    },
    spec: {
      provider: "azure",
      parameters: { usePodIdentity: "false", keyvaultName: vault, tenantId, objects: `array:\n${array.join("")}`, ...facts.parameters },
      secretObjects: facts.secretObjects,
    },
  };
}

/** An Opaque Secret with one key, `value`. */
export function opaque(secretName: string, objectName: string): SecretObject {
  return { secretName, type: "Opaque", data: [{ objectName, key: "value" }] };
}

export function classPath(namespace: string, name: string): string {
  return `${CLASSES}/namespaces/${namespace}/secretproviderclasses/${name}`;
}

export function secretPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/secrets/${name}`;
}

/** Namespace and name of a class, and of its status. */
export interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** Throws on any status except 2xx. */
export async function send(plane: ControlPlane, call: ApiCall): Promise<ApiAnswer> {
  const answer = await apiRequest(plane, call);
  if (answer.status >= 300) throw new Error(`${call.method} ${call.path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

export async function createClass(plane: ControlPlane, provider: SecretProviderClass): Promise<void> {
  const { namespace = "" } = provider.metadata;
  await send(plane, { method: "POST", path: `${CLASSES}/namespaces/${namespace}/secretproviderclasses`, body: provider });
}

export function mergePatch(plane: ControlPlane, where: string, body: unknown): Promise<ApiAnswer> {
  return send(plane, { method: "PATCH", path: where, body, contentType: MERGE_PATCH });
}

/** Makes the worker query the vault now. Resolves with the value of the annotation. */
export async function askNow(plane: ControlPlane, { namespace, name }: Place): Promise<string> {
  const refresh = randomUUID();
  await mergePatch(plane, classPath(namespace, name), { metadata: { annotations: { [CLASS_ANNOTATIONS.refresh]: refresh } } });
  return refresh;
}

/** Number of answered requests for one secret of the vault. */
export async function fetchesOf({ emulator }: SyncWorld, object: string): Promise<number> {
  const requests = await emulator.requests();
  return requests.filter(({ path: asked, status }) => asked.startsWith(`/secrets/${object}`) && status !== 401).length;
}

/** Undefined if the API server answers 404. */
export async function find<T extends KubeObject>(plane: ControlPlane, where: string): Promise<T | undefined> {
  const answer = await apiRequest(plane, { method: "GET", path: where });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`GET ${where}: ${answer.status}`);
  return answer.body as T; // The API server's own object.
}

export async function listAll<T extends KubeObject>(plane: ControlPlane, where: string): Promise<readonly T[]> {
  const { body } = await send(plane, { method: "GET", path: where });
  return (body as { readonly items: readonly T[] }).items; // The path is a collection, so that the answer is a list.
}

export function allClasses(plane: ControlPlane): Promise<readonly SecretProviderClass[]> {
  return listAll(plane, `${CLASSES}/secretproviderclasses`);
}

export function allStatuses(plane: ControlPlane): Promise<readonly (KubeObject & { readonly status?: ClassStatus })[]> {
  return listAll(plane, `${STATUSES}/secretproviderclasssyncs`);
}

/** Secrets that the worker wrote. */
export function mirroredSecrets(plane: ControlPlane, namespace?: string): Promise<readonly Secret[]> {
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return listAll(plane, `/api/v1${scope}/secrets?labelSelector=keyvault-injector.dev/managed=true`);
}

/** Values in plain text. */
export async function dataOf(plane: ControlPlane, namespace: string, name: string): Promise<Readonly<Record<string, string>> | undefined> {
  const secret = await find<Secret>(plane, secretPath(namespace, name));
  if (secret === undefined) return undefined;
  return Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}

export async function statusOf(plane: ControlPlane, namespace: string, name: string): Promise<ClassStatus | undefined> {
  const where = `${STATUSES}/namespaces/${namespace}/secretproviderclasssyncs/${name}`;
  return (await find<KubeObject & { readonly status?: ClassStatus }>(plane, where))?.status;
}

/** The first worker of a cluster waits for the whole lease that it creates, 15 s, before it leads. Polls are further apart. */
const LED_MS = 40_000;

/** Resolves with the class's `Synced` condition once it has the reason. */
export function reasonIs(
  plane: ControlPlane,
  { namespace, name }: Place,
  reason: string,
  wait: { readonly within?: number } = {},
): Promise<Condition> {
  let last: Condition | undefined;
  return eventually(
    async () => {
      last = (await statusOf(plane, namespace, name))?.conditions.find(({ type }) => type === "Synced");
      return last?.reason === reason ? last : undefined;
    },
    { within: LED_MS, what: `${reason} of ${namespace}/${name}`, every: 100, ...wait },
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : ""}; it is ${JSON.stringify(last)}`);
  });
}

export interface ClassEvent extends KubeObject {
  readonly reason: string;
  readonly message: string;
  readonly type: string;
  /** Number of occurrences. */
  readonly count?: number;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

export function eventsOf(plane: ControlPlane, { namespace, name }: Place): Promise<readonly ClassEvent[]> {
  return listAll(plane, `/api/v1/namespaces/${namespace}/events?fieldSelector=involvedObject.name=${name}`);
}

/** Requests of the worker that changed anything except its lease. */
export function writesOf(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  const verbs = new Set(["create", "update", "patch", "delete", "deletecollection"]);
  return entries.filter(({ user, verb, resource }) => user === SYNC_USER && verbs.has(verb) && resource !== "coordination.k8s.io/leases");
}

/** Call this at the end of a suite. Asserts that the API server rejected no request of any ServiceAccount. */
export function assertNothingForbidden(suite: string, plane: ControlPlane): void {
  const entries = plane.audit();
  const refused = forbidden(entries);
  console.log(`${suite}: ${entries.length} requests of ServiceAccounts checked, ${refused.length} answered 403`);
  assert.ok(entries.length > 0);
  assert.deepEqual(
    refused.map(({ user, verb, uri }) => `${user} ${verb} ${uri}`),
    [],
  );
}
