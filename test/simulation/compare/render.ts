import { type Json, type JsonObject, textOf } from "../api/json.ts";
import type { Memory } from "./memory.ts";
import { collectionPath, keyOf, type Operation, type OperationVerb } from "./operation.ts";

/** A request in the form for one of the servers. */
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
  watch: "GET",
};

const CONTENT_TYPES: Partial<Readonly<Record<OperationVerb, string>>> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Returns the request of an operation for the server that the memory is about. */
export function render(operation: Operation, memory: Memory): Rendered {
  const { verb, user } = operation;
  const query = new URLSearchParams(queryOf(operation, memory)).toString();
  const path = pathOf(operation);
  const body = bodyOf(operation, memory);
  return {
    method: METHODS[verb],
    url: query === "" ? path : `${path}?${query}`,
    contentType: CONTENT_TYPES[verb] ?? "application/json",
    body: body === undefined ? undefined : JSON.stringify(body),
    user,
  };
}

function pathOf({ verb, place, namespace, name, subresource }: Operation): string {
  // The body contains the name of a new object. The path contains the name of the object that gets a new subresource.
  const isNamed = verb === "create" ? subresource !== undefined : !["list", "page", "watch"].includes(verb);
  return [collectionPath(place, namespace), ...(isNamed ? [name] : []), ...(subresource === undefined ? [] : [subresource])].join("/");
}

/** Returns the key that lists, pages, and watches of the same place and selection share. */
export function listKey({ place, namespace, query = {} }: Operation): string {
  const { labelSelector, fieldSelector, limit } = query;
  return JSON.stringify([place, namespace ?? "", labelSelector, fieldSelector, limit]);
}

function queryOf(operation: Operation, memory: Memory): Record<string, string> {
  const own = operation.name === undefined ? listKey({ ...operation, query: {} }) : keyOf(operation);
  const given = Object.entries(operation.query ?? {}).map(([name, value]) => [name, textOf(memory.resolve(value, own))] as const);
  const token = operation.verb === "page" ? memory.token(listKey(operation)) : undefined;
  return {
    ...Object.fromEntries(given),
    ...(token === undefined ? {} : { continue: token }),
    ...(operation.verb === "watch" ? { watch: "true" } : {}),
  };
}

function bodyOf(operation: Operation, memory: Memory): Json | undefined {
  const { body, isOverLive } = operation;
  if (body === undefined) return undefined;
  const own = keyOf(operation);
  const resolved = memory.resolve(body, own);
  return isOverLive === true ? patched(memory.object(own) ?? {}, resolved) : resolved;
}

/** Applies a merge patch (RFC 7396). Deliberately not the simulated server's implementation. */
function patched(target: Json, patch: Json): Json {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const base = typeof target === "object" && target !== null && !Array.isArray(target) ? (target as JsonObject) : {}; // Just checked.
  const merged: Record<string, Json> = { ...base };
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = patched(base[name] ?? null, value);
  }
  return merged;
}
