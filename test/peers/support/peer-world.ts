import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { KubeObject, Secret } from "../../../src/domain/kubernetes.ts";
import { externalSecrets } from "../../load/sync/external-secrets.ts";
import { eventually } from "../../support/time/eventually.ts";
import { createCredentials, listAll, type SyncWorld, startSyncWorld } from "../../support/worker/sync-world.ts";
import type { KeptSecret } from "./compare.ts";
import type { Moving } from "./how-to.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { fillVault, TENANT, VAULT } from "./vault-content.ts";

export const NAMESPACE = "shop";
const MANIFESTS = path.resolve(import.meta.dirname, "../manifests");
/** Placeholder in a manifest for the version that a vault assigns. */
const VERSION = "0123456789abcdef0123456789abcdef";

interface ExternalSecret extends KubeObject {
  readonly spec: { readonly target?: { readonly name?: string; readonly creationPolicy?: string } };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[] };
}

/** Our worker and the real External Secrets on one control plane, with one vault. */
export interface PeerWorld extends Omit<SyncWorld, "vault" | "tenantId"> {
  readonly terminal: Terminal;
  /** Applies a folder of manifests. Resolves when the operator reports that each ExternalSecret of the namespace is synced. */
  apply(folder: string): Promise<void>;
  /** Does the same for objects, which it writes to `created.yaml`. */
  create(objects: readonly object[]): Promise<void>;
  externalSecrets(): Promise<readonly Moving[]>;
  secrets(names: readonly string[]): Promise<ReadonlyMap<string, KeptSecret>>;
}

export async function startPeerWorld(): Promise<PeerWorld> {
  const world = await startSyncWorld();
  const { plane, emulator, environment } = world;
  let stopOperator: () => Promise<unknown> = async () => undefined;
  const stop = async (): Promise<void> => {
    await stopOperator();
    await world.stop();
  };
  try {
    await emulator.createVault({ name: VAULT, tenantId: TENANT });
    const { appId, clientSecret } = await emulator.createServicePrincipal({ tenantId: TENANT });
    await emulator.grant({
      vault: VAULT,
      appId,
      permissions: ["get", "list", "certificates/get", "certificates/list", "keys/get", "keys/list"],
    });
    const version = await fillVault(emulator);
    const terminal = openTerminal(plane);
    copyManifests(terminal.folder, version);
    const contestant = externalSecrets("tuned");
    await contestant.install(plane);
    await plane.kubectl(["create", "namespace", NAMESPACE]);
    await plane.kubectl(["label", "namespace", NAMESPACE, "team=shop"]);
    await createCredentials(plane, NAMESPACE, { clientid: appId, clientsecret: clientSecret });
    const operator = await contestant.start(plane, { environment, intervalSeconds: 0 });
    stopOperator = () => operator.stop();
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
    const all = () => listAll<ExternalSecret>(plane, `/apis/external-secrets.io/v1/namespaces/${NAMESPACE}/externalsecrets`);
    const apply = async (file: string): Promise<void> => {
      await plane.kubectl(["apply", "-f", path.join(terminal.folder, file)]);
      await areSynced(all);
    };
    return {
      ...world,
      terminal,
      apply,
      create: async (objects) => {
        writeFileSync(path.join(terminal.folder, "created.yaml"), objects.map((each) => JSON.stringify(each)).join("\n---\n"));
        await apply("created.yaml");
      },
      externalSecrets: async () => (await all()).map(movingOf),
      secrets: async (names) => {
        const secrets = await listAll<Secret>(plane, `/api/v1/namespaces/${NAMESPACE}/secrets`);
        const wanted = secrets.filter(({ metadata }) => names.includes(metadata.name));
        return new Map(wanted.map(({ metadata: { name, uid = "" }, type = "", data = {} }) => [name, { uid, type, data }]));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function copyManifests(folder: string, version: string): void {
  cpSync(MANIFESTS, folder, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"))) {
    const file = path.join(folder, name);
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(VERSION, version));
  }
}

function movingOf({ metadata, spec }: ExternalSecret): Moving {
  return {
    name: metadata.name,
    secret: spec.target?.name ?? metadata.name,
    creationPolicy: spec.target?.creationPolicy ?? "Owner",
  };
}

function areSynced(all: () => Promise<readonly ExternalSecret[]>): Promise<unknown> {
  let waiting: readonly string[] = [];
  return eventually(
    async () => {
      waiting = (await all()).flatMap(({ metadata, status }) => {
        const ready = status?.conditions?.find(({ type }) => type === "Ready");
        return ready?.status === "True" ? [] : [`${metadata.name}: ${ready?.message ?? "nothing said"}`];
      });
      return waiting.length === 0;
    },
    { what: "Ready of every ExternalSecret", within: 120_000, every: 200 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${waiting.join("\n")}`);
  });
}
