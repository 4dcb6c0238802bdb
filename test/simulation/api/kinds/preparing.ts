import { isEqual, isObject, type JsonObject, listAt, objectAt, stringAt, textOf, withMember } from "../json.ts";

/** Preparation of an object before it is stored: sets the parts that clients cannot set. */

export function withMetadata(object: JsonObject, members: JsonObject): JsonObject {
  return { ...object, metadata: { ...objectAt(object, "metadata"), ...members } };
}

function generationOf(object: JsonObject): number {
  const generation = objectAt(object, "metadata")["generation"];
  return typeof generation === "number" ? generation : 0;
}

/** Whether a change raises the generation of an object. */
export type GenerationRule = (object: JsonObject, old: JsonObject) => boolean;

export const bySpec: GenerationRule = (object, old) => !isEqual(object["spec"], old["spec"]);

export const byWebhooks: GenerationRule = (object, old) => !isEqual(object["webhooks"], old["webhooks"]);

/** For Deployments, a change of the annotations counts like a change of the spec. */
export const bySpecOrAnnotations: GenerationRule = (object, old) =>
  bySpec(object, old) || !isEqual(objectAt(object, "metadata")["annotations"], objectAt(old, "metadata")["annotations"]);

/** Whether anything except metadata changes. Callers restore a status that has its own subresource first. */
export const byContent: GenerationRule = (object, old) => {
  const content = ({ metadata: _metadata, ...rest }: JsonObject): JsonObject => rest;
  return !isEqual(content(object), content(old));
};

export const never: GenerationRule = () => false;

export function raised(object: JsonObject, old: JsonObject, rule: GenerationRule): JsonObject {
  const generation = generationOf(old) + (rule(object, old) ? 1 : 0);
  if (generationOf(object) === generation) return object;
  const metadata = withMember(objectAt(object, "metadata"), "generation", generation === 0 ? undefined : generation);
  return { ...object, metadata };
}

/** Sets the first generation of an object whose kind has generations. */
export function firstGeneration(object: JsonObject): JsonObject {
  return generationOf(object) === 1 ? object : withMetadata(object, { generation: 1 });
}

export function keeping(object: JsonObject, old: JsonObject, ...names: readonly string[]): JsonObject {
  return names.reduce((kept, name) => withMember(kept, name, old[name]), object);
}

/** Restores metadata that a write to the status does not change. */
export function keepingMetadata(object: JsonObject, old: JsonObject, ...names: readonly string[]): JsonObject {
  const metadata = objectAt(object, "metadata");
  const before = objectAt(old, "metadata");
  const kept = names.reduce((changed, name) => withMember(changed, name, before[name]), metadata);
  return kept === metadata ? object : { ...object, metadata: kept };
}

/** Merges `stringData` into `data`. The API server never returns `stringData`. */
export function mergedStringData(secret: JsonObject): JsonObject {
  const given = secret["stringData"];
  if (!isObject(given)) return secret;
  const { stringData: _merged, ...rest } = secret;
  const encoded = Object.entries(given).map(([key, value]): [string, string] => [key, Buffer.from(textOf(value)).toString("base64")]);
  const data: JsonObject = { ...objectAt(secret, "data"), ...Object.fromEntries(encoded) };
  return { ...rest, data: Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Returns the QoS class of a pod. */
export function qualityOf(spec: JsonObject): string {
  const containers = [...listAt(spec, "containers"), ...listAt(spec, "initContainers")].map((container) =>
    isObject(container) ? objectAt(container, "resources") : {},
  );
  const named = (resources: JsonObject, kind: string): readonly string[] =>
    Object.keys(objectAt(resources, kind)).filter((name) => name === "cpu" || name === "memory");
  if (containers.every((resources) => named(resources, "requests").length === 0 && named(resources, "limits").length === 0))
    return "BestEffort";
  const isGuaranteed = containers.every((resources) => {
    const limits = objectAt(resources, "limits");
    const requests = objectAt(resources, "requests");
    return named(resources, "limits").length === 2 && Object.entries(requests).every(([name, value]) => isEqual(value, limits[name]));
  });
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

/** Returns the scalar at a path, such as `spec.template.metadata.labels`, as text. Otherwise returns an empty text. */
export function stringIn(object: JsonObject, path: readonly string[]): string {
  const place = path.slice(0, -1).reduce<JsonObject>((at, name) => objectAt(at, name), object);
  const last = path.at(-1) ?? "";
  const value = place[last];
  return stringAt(place, last) ?? (typeof value === "boolean" || typeof value === "number" ? textOf(value) : "");
}
