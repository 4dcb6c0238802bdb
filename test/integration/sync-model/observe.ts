import type { KubeObject, Secret } from "../../../src/domain/kubernetes.ts";
import type { ClassStatus } from "../../../src/domain/sync/status-fields.ts";
import { allStatuses, CREDENTIALS, listAll, OBJECTS, type SyncWorld } from "../../support/worker/sync-world.ts";
import type { Seen, SeenSecret } from "./judge.ts";
import { SOME_FINGERPRINT } from "./specification.ts";

const CONTENT = "keyvault-injector.dev/content";

/** Pause before a list, in milliseconds. All waiting namespaces share this list. */
const PAUSE_MS = 250;

/** Content of the API server, listed once for all waiting namespaces. Each answer comes from a list that began after its request. */
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

/** Removes the namespace from an object's name: all namespaces share the vault, so the names there begin with the namespace. */
function asModelled(namespace: string, key: string, value: string): string {
  if (key === CONTENT && /^v2:[0-9a-f]{64}:[0-9a-f]{64}$/.test(value)) return SOME_FINGERPRINT;
  return key === OBJECTS ? value.replaceAll(`secret/${namespace}-`, "secret/") : value;
}
