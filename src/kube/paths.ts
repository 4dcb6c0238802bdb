import type { ObjectRef, Resource } from "../domain/kubernetes.ts";
import { KubeError } from "../domain/ports/kube-error.ts";

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Path of a collection in one namespace, or in all namespaces if none is given. */
export function collectionPath(resource: Resource, namespace: string | undefined): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (!resource.namespaced || namespace === undefined) return `${root}/${resource.plural}`;
  return `${root}/namespaces/${segment(namespace, "namespace")}/${resource.plural}`;
}

/** Path of one object, or of its subresource. */
export function objectPath(resource: Resource, ref: ObjectRef, subresource?: string): string {
  const collection = collectionPath(resource, namespaceOf(resource, ref));
  return `${collection}/${segment(ref.name, "name")}${subresource === undefined ? "" : `/${subresource}`}`;
}

/** Returns the namespace of an object. Throws if a namespaced kind has none, because the object then has no path. */
export function namespaceOf(resource: Resource, ref: ObjectRef): string | undefined {
  if (!resource.namespaced) return undefined;
  if (ref.namespace === undefined) throw unusable("namespace", "missing");
  return ref.namespace;
}

export function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given.toString()}`;
}

/**
 * Encodes one segment of a path. Names come from users' classes. `..` would survive encoding, every URL parser would fold it, and the
 * deletion of a Secret would become the deletion of its namespace. An empty name would address the whole collection.
 */
function segment(text: string, field: string): string {
  if (text === "" || text === "." || text === ".." || /[/%]/.test(text)) throw unusable(field, JSON.stringify(text.slice(0, 64)));
  return encodeURIComponent(text);
}

function unusable(field: string, value: string): KubeError {
  return new KubeError("Invalid", `metadata.${field}: ${value} cannot be the ${field} of a Kubernetes object; write a DNS name`, {
    retry: { kind: "never" },
  });
}
