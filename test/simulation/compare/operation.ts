import type { Json, JsonObject } from "../api/json.ts";

export type OperationVerb = "create" | "replace" | "merge" | "json" | "apply" | "delete" | "get" | "list" | "page";

/** Where a kind lives: enough for its path. */
export interface Place {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly isClusterScoped?: boolean;
}

/**
 * One request, told so that each server can be asked it in its own terms: what starts with `$` in its body stands for what that server has
 * answered before. A list of operations can therefore be run again without some of them.
 */
export interface Operation {
  readonly verb: OperationVerb;
  readonly place: Place;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** The body is a merge patch over the object as this server last showed it. */
  readonly isOverLive?: boolean;
  /** Whom the administrator impersonates. */
  readonly user?: string;
  /** Controllers act on it: both servers are let come to rest after it. */
  readonly settles?: boolean;
}

/** What one server has shown of an object. */
export interface Known {
  readonly object: JsonObject;
  readonly version: string;
}

/** What one server has answered so far. */
export class Memory {
  readonly #latest = new Map<string, Known>();
  readonly #earlier = new Map<string, string>();
  readonly #tokens = new Map<string, string>();

  note(key: string, object: JsonObject): void {
    const { resourceVersion } = object["metadata"] as JsonObject; // Of every object.
    const before = this.#latest.get(key);
    const version = String(resourceVersion);
    if (before !== undefined && before.version !== version) this.#earlier.set(key, before.version);
    this.#latest.set(key, { object, version });
  }

  forget(key: string): void {
    const before = this.#latest.get(key);
    if (before !== undefined) this.#earlier.set(key, before.version);
    this.#latest.delete(key);
  }

  of(key: string): Known | undefined {
    return this.#latest.get(key);
  }

  keys(): readonly string[] {
    return [...this.#latest.keys()];
  }

  noteToken(place: string, token: string | undefined): void {
    if (token === undefined || token === "") this.#tokens.delete(place);
    else this.#tokens.set(place, token);
  }

  token(place: string): string | undefined {
    return this.#tokens.get(place);
  }

  earlierVersion(key: string): string | undefined {
    return this.#earlier.get(key);
  }
}

export function keyOf({ place, namespace, name }: Pick<Operation, "place" | "namespace" | "name">): string {
  return [`${place.plural}.${place.group}`, namespace ?? "", name ?? ""].join("/");
}

export function collectionPath({ group, version, plural, isClusterScoped }: Place, namespace: string | undefined): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return isClusterScoped === true || namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

export interface Rendered {
  readonly method: string;
  readonly url: string;
  readonly contentType: string;
  readonly body: string | undefined;
  readonly user: string | undefined;
}

const METHODS: Readonly<Record<OperationVerb, string>> = {
  create: "POST",
  replace: "PUT",
  merge: "PATCH",
  json: "PATCH",
  apply: "PATCH",
  delete: "DELETE",
  get: "GET",
  list: "GET",
  page: "GET",
};

const CONTENT_TYPES: Partial<Readonly<Record<OperationVerb, string>>> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
};

/** The request that the operation is for the server of this memory. */
export function render(operation: Operation, memory: Memory): Rendered {
  const { verb, place, namespace, name, subresource, user } = operation;
  const isOfCollection = verb === "create" || verb === "list" || verb === "page";
  const path = `${collectionPath(place, namespace)}${isOfCollection ? "" : `/${name}`}${subresource === undefined ? "" : `/${subresource}`}`;
  const token = verb === "page" ? memory.token(pageKey(operation)) : undefined;
  const query = new URLSearchParams({ ...operation.query, ...(token === undefined ? {} : { continue: token }) }).toString();
  const body = bodyOf(operation, memory);
  return {
    method: METHODS[verb],
    url: query === "" ? path : `${path}?${query}`,
    contentType: CONTENT_TYPES[verb] ?? "application/json",
    body: body === undefined ? undefined : JSON.stringify(body),
    user,
  };
}

/** Pages of the same list follow each other. */
export function pageKey({ place, namespace, query }: Operation): string {
  return JSON.stringify([place, namespace ?? "", query ?? {}]);
}

function bodyOf(operation: Operation, memory: Memory): Json | undefined {
  const { body, isOverLive } = operation;
  if (body === undefined) return undefined;
  const own = keyOf(operation);
  const resolved = resolve(body, memory, own);
  if (isOverLive !== true) return resolved;
  return patched(memory.of(own)?.object ?? {}, resolved);
}

function resolve(value: Json, memory: Memory, own: string): Json {
  if (typeof value === "string") return value.startsWith("$") ? resolveReference(value.slice(1), memory, own) : value;
  if (Array.isArray(value)) return value.map((item: Json) => resolve(item, memory, own));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, resolve(member, memory, own)]));
}

export const NOBODYS_UID = "00000000-0000-4000-8000-000000000000";

function resolveReference(reference: string, memory: Memory, own: string): Json {
  const [what = "", key = own] = reference.split("@");
  const known = memory.of(key);
  switch (what) {
    case "uid":
      return ((known?.object["metadata"] as JsonObject | undefined)?.["uid"] as string | undefined) ?? NOBODYS_UID; // As the API server writes it.
    case "version":
      return known?.version ?? "1";
    case "earlier":
      return memory.earlierVersion(key) ?? "1";
    case "owners":
      return (known?.object["metadata"] as JsonObject | undefined)?.["managedFields"] ?? [];
    case "lastOwner":
      return ((known?.object["metadata"] as JsonObject | undefined)?.["managedFields"] as readonly Json[] | undefined)?.slice(-1) ?? [];
    default:
      return `$${reference}`;
  }
}

/** RFC 7396, without a thought of speed. */
function patched(target: Json, patch: Json): Json {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? (target as JsonObject) : {};
  const merged: Record<string, Json> = { ...base };
  for (const [name, value] of Object.entries(patch as JsonObject)) {
    if (value === null) delete merged[name];
    else merged[name] = patched(base[name] ?? null, value);
  }
  return merged;
}

export function told(operation: Operation): string {
  const { verb, place, namespace, name, subresource, query, body, isOverLive, user } = operation;
  const where = [`${place.plural}${place.group === "" ? "" : `.${place.group}/${place.version}`}`, namespace, name, subresource].filter(Boolean).join("/");
  const rest = [
    ...(query === undefined ? [] : [`?${new URLSearchParams(query).toString()}`]),
    ...(user === undefined ? [] : [`as ${user}`]),
    ...(isOverLive === true ? ["over the live object"] : []),
    ...(body === undefined ? [] : [JSON.stringify(body)]),
  ];
  return [verb, where, ...rest].join(" ");
}
