import type { KubeObject, Secret } from "../../../src/domain/kubernetes.ts";
import type { ClassStatus } from "../../../src/domain/sync/status-fields.ts";
import { allStatuses, CREDENTIALS, listAll, OBJECTS, type SyncWorld } from "../../support/worker/sync-world.ts";
import type { Seen, SeenSecret } from "./judge.ts";
import { SOME_FINGERPRINT } from "./specification.ts";

const CONTENT = "keyvault-injector.dev/content";

/** Pause before a list (milliseconds): all namespaces that wait take the same. */
const PAUSE_MS = 250;

/** What the API server has, listed once for all namespaces that wait: each answer is of a list that began after it was asked for. */
export interface Lists {
  secrets(namespace: string): Promise<Seen>;
  snapshots(namespace: string): Promise<readonly KubeObject[]>;
  statuses(namespace: string): Promise<readonly (KubeObject & { readonly status?: ClassStatus })[]>;
}

export function sharedLists({ plane }: SyncWorld): Lists {
  const secrets = shared(() => listAll<Secret>(plane, "/api/v1/secrets"));
  return {
    secrets: async (namespace) => seenOf(namespace, await secrets(namespace)),
    snapshots: shared(() => listAll<KubeObject>(plane, "/apis/apps/v1/controllerrevisions")),
    statuses: shared(() => allStatuses(plane)),
  };
}

function shared<T extends KubeObject>(listAllOf: () => Promise<readonly T[]>): (namespace: string) => Promise<readonly T[]> {
  let next: Promise<ReadonlyMap<string, readonly T[]>> | undefined;
  const list = async (): Promise<ReadonlyMap<string, readonly T[]>> => {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    next = undefined;
    return Map.groupBy(await listAllOf(), ({ metadata }) => metadata.namespace ?? "");
  };
  return async (namespace) => {
    next ??= list();
    return (await next).get(namespace) ?? [];
  };
}

function seenOf(namespace: string, secrets: readonly Secret[]): Seen {
  const watched = secrets.filter(({ metadata }) => metadata.name !== CREDENTIALS);
  return new Map(watched.map((secret) => [secret.metadata.name, seenSecret(namespace, secret)]));
}

function seenSecret(namespace: string, { type = "", immutable = false, data = {}, metadata }: Secret): SeenSecret {
  const annotations = Object.entries(metadata.annotations ?? {}).map(([key, value]) => [key, asModelled(namespace, key, value)]);
  const values = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
  return {
    type,
    isImmutable: immutable,
    data: Object.fromEntries(values),
    labels: metadata.labels ?? {},
    annotations: Object.fromEntries(annotations),
  };
}

/** The vault is shared by all namespaces, so an object's name there has the namespace in front. */
function asModelled(namespace: string, key: string, value: string): string {
  if (key === CONTENT && /^v2:[0-9a-f]{64}:[0-9a-f]{64}$/.test(value)) return SOME_FINGERPRINT;
  return key === OBJECTS ? value.replaceAll(`secret/${namespace}-`, "secret/") : value;
}
