import type { Serving } from "./crds/serving.ts";
import type { ApiAnswer, ApiRequest, Attributes, OpenWatch, Verb } from "./interface.ts";
import { type JsonObject, textOf } from "./json.ts";
import type { Kind } from "./kind.ts";
import { listText } from "./read/list.ts";
import { objectText } from "./read/render.ts";
import type { WatchLines } from "./read/watch.ts";
import { openWatch } from "./read/watching.ts";
import { forbidden, initializing, methodNotAllowed, notFound, Refusal, unsupportedMediaType } from "./refusal.ts";
import { type Route, routeOf } from "./route.ts";
import { keyOf } from "./store/stored.ts";
import { type Environment, resourceOf, type Writing, type Written } from "./write/context.ts";
import { create } from "./write/create.ts";
import { type Deleted, remove } from "./write/delete.ts";
import { writingOf } from "./write/options.ts";
import { applyPatch, patch } from "./write/patch.ts";
import { answerReview, requestToken } from "./write/reviews.ts";
import { replace } from "./write/update.ts";

/** Parts of the server that the handling of a request uses. */
export interface Handling {
  readonly environment: Environment;
  readonly later: (milliseconds: number, action: () => void) => () => void;
  readonly findKind: (group: string, version: string, plural: string) => { readonly kind: Kind; readonly serving?: Serving } | undefined;
  readonly startVersion: (serving: Serving | undefined) => number;
  readonly onWatch: (lines: WatchLines, watch: OpenWatch, serving: Serving | undefined) => void;
}

const JSON_HEADERS = { "content-type": "application/json" };

export function answerRequest(handling: Handling, request: ApiRequest): ApiAnswer {
  const route = routeOf(request.url);
  if (route === undefined) return unserved();
  try {
    return answerRoute(handling, request, route) ?? unserved();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const wait = error.status.details?.["retryAfterSeconds"];
    const headers = wait === undefined ? JSON_HEADERS : { ...JSON_HEADERS, "retry-after": textOf(wait) };
    return { kind: "answer", status: error.status.code, headers, body: error.body };
  }
}

/** Returns the answer for a path that the server does not serve. */
function unserved(): ApiAnswer {
  return { kind: "answer", status: 404, headers: { "content-type": "text/plain; charset=utf-8" }, body: "404 page not found\n" };
}

function answered(status: number, body: string): ApiAnswer {
  return { kind: "answer", status, headers: JSON_HEADERS, body };
}

function answerRoute(handling: Handling, request: ApiRequest, route: Route): ApiAnswer | undefined {
  if (route.plural === "selfsubjectaccessreviews" && route.group === "authorization.k8s.io") {
    return answered(201, JSON.stringify(answerReview(request.body, request.user, handling.environment.authorize)));
  }
  const found = handling.findKind(route.group, route.version, route.plural);
  if (found === undefined) return undefined;
  const { kind, serving } = found;
  if (
    kind.isCustom &&
    kind.namespaced !== (route.namespace !== undefined) &&
    !(kind.namespaced && route.name === undefined && request.method === "GET")
  )
    return undefined;
  const verb = verbOf(request.method, route);
  assertAllowed(handling, request, { kind, route, verb });
  assertSubresource(kind, route);
  if (request.method === "GET") return read(handling, request, { kind, route, serving, verb });
  const writing = writingOf(handling.environment, request, { route, kind, isKindTerminating: serving?.isTerminating === true });
  return write(writing, request);
}

function verbOf(method: string, { name, query }: Route): Verb {
  switch (method) {
    case "GET":
      if (name !== undefined) return "get";
      return ["true", "1"].includes(query.get("watch") ?? "") ? "watch" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    default:
      return "delete";
  }
}

interface Addressed {
  readonly kind: Kind;
  readonly route: Route;
  readonly verb: Verb;
}

function assertAllowed({ environment: { authorize } }: Handling, { user }: ApiRequest, { kind, route, verb }: Addressed): void {
  const { namespace, subresource } = route;
  const name = route.name ?? nameSelected(route);
  const attributes: Attributes = { user, verb, group: kind.group, resource: kind.plural, subresource, namespace, name };
  if (authorize(attributes)) return;
  const resource = subresource === "" ? kind.plural : `${kind.plural}/${subresource}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  const why = `User ${JSON.stringify(user)} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(kind.group)} ${where}`;
  throw forbidden(resourceOf(kind), route.name ?? "", why);
}

/** Returns the single name that a list or watch selects: it counts as a request for that name. */
function nameSelected({ query }: Route): string | undefined {
  return /^metadata\.name==?([^,!=]+)$/.exec(query.get("fieldSelector") ?? "")?.[1];
}

interface Reading extends Addressed {
  readonly serving: Serving | undefined;
}

function read(handling: Handling, request: ApiRequest, { kind, route, serving, verb }: Reading): ApiAnswer {
  const { store } = handling.environment;
  const collection = store.collection(kind.collection);
  if (verb === "get") {
    const found = collection.get(keyOf(kind.namespaced ? route.namespace : undefined, route.name ?? ""));
    if (found === undefined) throw notFound(resourceOf(kind), route.name ?? "");
    return answered(200, objectText(kind, kind.view(found.object)));
  }
  const { query, namespace } = route;
  if (handling.environment.now() < (serving?.readyAt ?? 0) && !isReadThrough(verb, route)) throw initializing();
  if (verb === "list") return answered(200, listText({ kind, collection, store, namespace, query }));
  const startVersion = handling.startVersion(serving);
  const lines = openWatch({
    kind,
    collection,
    store,
    namespace,
    query,
    startVersion,
    now: handling.environment.now,
    random: handling.environment.random,
    later: handling.later,
  });
  if (!lines.hasEnded) handling.onWatch(lines, { user: request.user, resource: kind.collection, url: request.url }, serving);
  return { kind: "watch", watch: lines };
}

/** Whether the server reads the request from etcd while its memory is not ready: a page without a selector. */
function isReadThrough(verb: Verb, { query }: Route): boolean {
  return verb === "list" && query.has("limit") && !query.has("labelSelector") && !query.has("fieldSelector");
}

function assertSubresource(kind: Kind, { name, subresource }: Route): void {
  if (subresource === "" || (subresource === "status" && kind.hasStatus)) return;
  if (kind.collection === "serviceaccounts" && subresource === "token") return;
  if (kind.isCustom) throw notFound(resourceOf(kind), name ?? "");
  throw new Refusal({ code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: {} });
}

function write(writing: Writing, request: ApiRequest): ApiAnswer | undefined {
  const { kind, route } = writing;
  const isToken = kind.collection === "serviceaccounts" && route.subresource === "token";
  if (isToken && request.method === "POST") return answered(201, JSON.stringify(requestToken(writing)));
  switch (request.method) {
    case "POST":
      return route.name === undefined ? written(kind, create(writing)) : undefined;
    case "PUT":
      return route.name === undefined ? undefined : written(kind, replace(writing));
    case "PATCH":
      return route.name === undefined ? undefined : written(kind, patched(writing, request));
    case "DELETE":
      if (route.name === undefined) throw methodNotAllowed(resourceOf(kind), "deletecollection");
      return deleted(writing, remove(writing));
    default:
      throw methodNotAllowed(resourceOf(kind), request.method.toLowerCase());
  }
}

const PATCH_TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"];

function patched(writing: Writing, { headers }: ApiRequest): Written {
  const type = (headers["content-type"] ?? "").split(";")[0] ?? "";
  switch (type) {
    case "application/merge-patch+json":
      return patch(writing, "merge");
    case "application/json-patch+json":
      return patch(writing, "json");
    case "application/apply-patch+yaml":
      return applyPatch({ ...writing, verb: "apply" }, writing.route.query.get("force") === "true");
    default:
      throw unsupportedMediaType(PATCH_TYPES);
  }
}

function written(kind: Kind, { status, object }: Written): ApiAnswer {
  return answered(status, objectText(kind, object));
}

function deleted({ kind }: Writing, { object, existing }: Deleted): ApiAnswer {
  if (object !== undefined) return answered(200, objectText(kind, object));
  const { group, kind: plural } = resourceOf(kind);
  const details: JsonObject = { name: existing.name, ...(group === "" ? {} : { group }), kind: plural, uid: existing.uid };
  return answered(200, JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details }));
}
