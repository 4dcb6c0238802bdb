import type { Json } from "../api/json.ts";

export type OperationVerb = "create" | "replace" | "merge" | "json" | "apply" | "delete" | "get" | "list" | "page" | "watch";

/** Group, version, and plural of a kind: enough for its path. */
export interface Place {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly isClusterScoped?: boolean;
}

export interface Address {
  readonly place: Place;
  readonly namespace?: string;
  readonly name: string;
}

/** Address of the objects of a kind, in one namespace or in all. */
export interface CollectionAddress {
  readonly place: Place;
  readonly namespace?: string;
}

/**
 * One request in a form that is valid for both servers: words that start with `$` in its body and query refer to earlier answers
 * of the server. Therefore a list of operations can run again without some of them.
 */
export interface Operation {
  readonly verb: OperationVerb;
  readonly place: Place;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** Whether the body is a merge patch for the object as this server last showed it. */
  readonly isOverLive?: boolean;
  /** User that the administrator impersonates. It has the administrator's rights unless it is a ServiceAccount. */
  readonly user?: string;
  /** Object that controllers act on: the next operation waits until both servers show the same object. */
  readonly settles?: Address;
  /** Whether the servers compact earlier states first. The real server does so by itself within seconds. */
  readonly afterCompaction?: boolean;
  /** Text that the real server's answer contains after a moment. The request repeats until then. */
  readonly awaits?: string;
}

export function keyOf({ place, namespace, name }: Pick<Operation, "place" | "namespace" | "name">): string {
  return [`${place.plural}.${place.group}`, namespace ?? "", name ?? ""].join("/");
}

export function collectionPath({ group, version, plural, isClusterScoped }: Place, namespace: string | undefined): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  return isClusterScoped === true || namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${namespace}/${plural}`;
}

/** Whether the operation is a list, a page, or a watch. */
export function isOfCollection({ verb }: Pick<Operation, "verb">): boolean {
  return verb === "list" || verb === "page" || verb === "watch";
}

/** Describes the operation in one line. */
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
