import type { Json } from "../api/json.ts";

export type OperationVerb = "create" | "replace" | "merge" | "json" | "apply" | "delete" | "get" | "list" | "page" | "watch";

/** Where a kind lives: enough for its path. */
export interface Place {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly isClusterScoped?: boolean;
}

/** One object. */
export interface Address {
  readonly place: Place;
  readonly namespace?: string;
  readonly name: string;
}

/** The objects of a kind, in one namespace or in all. */
export interface CollectionAddress {
  readonly place: Place;
  readonly namespace?: string;
}

/**
 * One request in terms that hold for each server: what starts with `$` in its body and query stands for what that server has answered
 * before. A list of operations can therefore be run again without some of them.
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
  /** Whom the administrator impersonates, with the administrator's rights unless it is a ServiceAccount. */
  readonly user?: string;
  /** Controllers act on it: the next operation waits until this object is the same on both servers. */
  readonly settles?: Address;
  /** The states before it are compacted first; the real server does so within seconds of its own. */
  readonly afterCompaction?: boolean;
  /** In its answer the real server comes to say this, a moment after what was done before. */
  readonly awaits?: string;
}

export function keyOf({ place, namespace, name }: Pick<Operation, "place" | "namespace" | "name">): string {
  return [`${place.plural}.${place.group}`, namespace ?? "", name ?? ""].join("/");
}

export function collectionPath({ group, version, plural, isClusterScoped }: Place, namespace: string | undefined): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return isClusterScoped === true || namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** Lists, pages and watches. */
export function isOfCollection({ verb }: Pick<Operation, "verb">): boolean {
  return verb === "list" || verb === "page" || verb === "watch";
}

/** The operation in one line. */
export function describe(operation: Operation): string {
  const { verb, place, namespace, name, subresource, query, body, isOverLive, user } = operation;
  const kind = `${place.plural}${place.group === "" ? "" : `.${place.group}/${place.version}`}`;
  const where = [kind, namespace, name, subresource].filter(Boolean).join("/");
  const rest = [
    ...(query === undefined ? [] : [`?${new URLSearchParams(query).toString()}`]),
    ...(user === undefined ? [] : [`as ${user}`]),
    ...(isOverLive === true ? ["over the live object"] : []),
    ...(body === undefined ? [] : [JSON.stringify(body)]),
  ];
  return [verb, where, ...rest].join(" ");
}
