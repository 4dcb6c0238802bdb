import type { JsonObject } from "../json.ts";
import { objectAt } from "../json.ts";
import { denied, forbidden, notFound } from "../refusal.ts";
import { keyOf } from "../store/stored.ts";
import { admittedName, metadataOf, nameOf, resourceOf, type Writing } from "./context.ts";

/** Refuses to create an object if its namespace does not exist, or its namespace or CRD is being deleted. */
export function assertNamespace(writing: Writing, object: JsonObject): void {
  const { kind, route, store, isKindTerminating } = writing;
  const name = nameOf(object);
  if (isKindTerminating) throw forbidden(resourceOf(kind), name, "create not allowed while custom resource definition is terminating");
  if (!kind.namespaced || route.namespace === undefined) return;
  const namespace = store.collection("namespaces").get(route.namespace);
  if (namespace === undefined) throw notFound({ group: "", kind: "namespaces" }, route.namespace);
  if (objectAt(namespace.object, "status")["phase"] !== "Terminating") return;
  const why = `unable to create new content in namespace ${route.namespace} because it is being terminated`;
  const message = `namespace ${route.namespace} is being terminated`;
  throw forbidden(resourceOf(kind), admittedName(object), why, [{ reason: "NamespaceTerminating", message, field: "metadata.namespace" }]);
}

export interface Admitted {
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
}

/** Requires permission to create the object, which the server has checked only for a POST so far. */
function assertMayCreate({ kind, route, verb, request, authorize }: Writing, name: string): void {
  if (verb === "create") return;
  const { group, plural: resource } = kind;
  const { namespace, subresource } = route;
  if (!authorize({ user: request.user, verb: "create", group, resource, subresource, namespace, name })) {
    throw forbidden(resourceOf(kind), name, "");
  }
}

/** Runs validating admission with the installed policies. */
export function assertAdmitted(writing: Writing, { object, oldObject }: Admitted): void {
  const { kind, route, store, isDryRun, request } = writing;
  const name = nameOf(object ?? oldObject ?? {});
  if (oldObject === undefined) assertMayCreate(writing, name);
  const namespace = route.namespace === undefined ? undefined : store.collection("namespaces").get(route.namespace)?.object;
  const denial = writing.admit({
    user: request.user,
    operation: object === undefined ? "DELETE" : oldObject === undefined ? "CREATE" : "UPDATE",
    group: kind.group,
    resource: kind.plural,
    subresource: route.subresource,
    namespace: route.namespace,
    name,
    object,
    oldObject,
    isDryRun,
    namespaceObject: namespace,
    isAllowed: (attributes) => writing.authorize({ ...attributes, user: request.user }),
    find: (resource, ...key) => store.collection(resource).get(keyOf(key[1], key[0]))?.object,
  });
  if (denial !== undefined) throw denied(resourceOf(kind), name, denial);
}

/** Removes duplicate owner references. */
export function withoutTwins(object: JsonObject): JsonObject {
  const owners = metadataOf(object)["ownerReferences"];
  if (!Array.isArray(owners) || owners.length < 2) return object;
  const texts = owners.map((owner) => JSON.stringify(owner));
  const left = owners.filter((_owner, index) => texts.indexOf(texts[index] ?? "") === index);
  return left.length === owners.length ? object : { ...object, metadata: { ...metadataOf(object), ownerReferences: left } };
}
