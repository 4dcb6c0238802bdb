import { isJsonObject, type JsonObject } from "../../domain/json-object.ts";
import { POD_TEMPLATE_KINDS } from "../../domain/pod-templates.ts";
import { objectAt } from "../../domain/preflight/workload.ts";

/** Where the kinds that make pods hold the pod's template. An empty path: the object is the pod itself. */
const TEMPLATES: ReadonlyMap<string, { readonly group: string; readonly path: readonly string[] }> = new Map([
  ["Pod", { group: "", path: [] }],
  ["PodTemplate", { group: "", path: ["template"] }],
  ["ReplicationController", { group: "", path: ["spec", "template"] }],
  ...POD_TEMPLATE_KINDS.map(({ kind, group, path }) => [kind, { group, path }] as const),
]);

/** Path of the pod, or of its template, in an object; undefined for a kind that makes no pods. */
export function podPath(object: JsonObject): readonly string[] | undefined {
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
  const template = TEMPLATES.get(kind);
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return template?.group === group ? template.path : undefined;
}

/** The pod that the object is, or that its controller would create. Undefined where there is nothing at the path. */
export function podAt(object: JsonObject, path: readonly string[]): JsonObject | undefined {
  if (path.length === 0) return object;
  const template = objectAt(object, path);
  if (template === undefined) return undefined;
  // What a controller copies; a template without metadata makes a pod without annotations.
  return { apiVersion: "v1", kind: "Pod", metadata: template["metadata"] ?? {}, spec: template["spec"] };
}

/** The object with that pod in its place. */
export function withPodAt(object: JsonObject, path: readonly string[], pod: JsonObject): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) return "apiVersion" in object ? pod : { ...object, metadata: pod["metadata"], spec: pod["spec"] };
  const inner = isJsonObject(object[step]) ? object[step] : {};
  return { ...object, [step]: withPodAt(inner, rest, pod) };
}
