import type { KubeObject, ManagedFieldsEntry } from "../../../src/domain/kubernetes.ts";

type Json = Readonly<Record<string, unknown>>;

/** Identity of an entry in `managedFields`. */
export interface Writer {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource?: string;
}

/** Server-side apply with force. Removes a field that the manager applied before and now omits, unless another manager also owns it. */
export function applied(live: KubeObject, body: KubeObject, writer: Writer, time: string): KubeObject {
  const entries = live.metadata.managedFields ?? [];
  const before = entries.find((entry) => isOf(entry, writer))?.fieldsV1 ?? {};
  const others = entries.filter((entry) => !isOf(entry, writer)).map(({ fieldsV1 = {} }) => fieldsV1);
  const wanted = fieldsOf(contentOf(body));
  const dropped = pathsOf(before).filter((path) => !has(wanted, path) && !others.some((fields) => has(fields, path)));
  const merged = dropped.reduce<Json>((object, path) => without(object, path), merge(jsonOf(live), contentOf(body)));
  return owned(merged, writer, { fields: wanted, time });
}

/** JSON merge patch. Former owners lose the fields that it changes. A patch of `managedFields` changes nothing else here. */
export function patched(live: KubeObject, patch: unknown, writer: Writer, time: string): KubeObject {
  const named = (patch as Partial<KubeObject>).metadata?.managedFields ?? [];
  if (named.length > 0)
    return { ...live, metadata: { ...live.metadata, managedFields: named.filter(({ manager }) => manager !== undefined) } };
  const fields = fieldsOf(contentOf(patch as KubeObject));
  const before = jsonOf(live);
  const merged = mergePatched(before, patch) as Json;
  const changed = pathsOf(fields).filter((path) => JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(merged, path)));
  const others = (live.metadata.managedFields ?? []).map((entry): ManagedFieldsEntry => {
    if (isOf(entry, writer)) return entry;
    return { ...entry, fieldsV1: changed.reduce<Json>((left, path) => withoutField(left, path), entry.fieldsV1 ?? {}) };
  });
  const metadata = { ...(merged["metadata"] as Json), managedFields: others };
  return owned({ ...merged, metadata }, writer, { fields, time, isAdded: true });
}

/** The new object with the writer's entry. */
export function created(body: KubeObject, writer: Writer, time: string): KubeObject {
  return owned(jsonOf(body), writer, { fields: fieldsOf(contentOf(body)), time });
}

interface Written {
  readonly fields: Json;
  readonly time: string;
  /** Whether the fields are added to those that the writer owns already. */
  readonly isAdded?: boolean;
}

function owned(object: Json, writer: Writer, { fields, time, isAdded = false }: Written): KubeObject {
  const result = object as unknown as KubeObject; // Built from a KubeObject.
  const entries = result.metadata.managedFields ?? [];
  const own = entries.find((entry) => isOf(entry, writer))?.fieldsV1 ?? {};
  const entry: ManagedFieldsEntry = { ...writer, time, fieldsV1: isAdded ? merge(own, fields) : fields };
  const managedFields = [...entries.filter((other) => !isOf(other, writer)), entry];
  return { ...result, metadata: { ...result.metadata, managedFields } };
}

function isOf(entry: ManagedFieldsEntry, { manager, operation, subresource }: Writer): boolean {
  return entry.manager === manager && entry.operation === operation && entry.subresource === subresource;
}

/** The fields of a body that the writer owns, without the object's identity and the API server's own fields. */
function contentOf(body: KubeObject): Json {
  const { apiVersion: _, kind: __, metadata, ...content } = jsonOf(body);
  const { labels, annotations } = (metadata ?? {}) as KubeObject["metadata"];
  return { ...content, metadata: { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) } };
}

function jsonOf(object: KubeObject): Json {
  return object as unknown as Json; // An object from the API has this form.
}

function isMap(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(value: Json): Json {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [`f:${key}`, isMap(inner) ? fieldsOf(inner) : {}]));
}

function pathsOf(fields: Json): readonly (readonly string[])[] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    const below = isMap(inner) ? pathsOf(inner) : [];
    return below.length === 0 ? [[key]] : below.map((path) => [key, ...path]);
  });
}

function has(fields: Json, path: readonly string[]): boolean {
  const [first = "", ...rest] = path;
  const inner = fields[first];
  return isMap(inner) && (rest.length === 0 || has(inner, rest));
}

function without(object: Json, [first = "", ...rest]: readonly string[]): Json {
  const key = first.slice(2);
  const inner = object[key];
  if (rest.length > 0 && isMap(inner)) return { ...object, [key]: without(inner, rest) };
  const { [key]: _, ...kept } = object;
  return kept;
}

function valueAt(object: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return object;
  return isMap(object) ? valueAt(object[first.slice(2)], rest) : undefined;
}

function withoutField(fields: Json, [first = "", ...rest]: readonly string[]): Json {
  const { [first]: inner, ...kept } = fields;
  if (rest.length === 0 || !isMap(inner) || Object.keys(inner).length === 0) return kept;
  const left = withoutField(inner, rest);
  return Object.keys(left).length === 0 ? kept : { ...kept, [first]: left };
}

/** Merges maps, and replaces all other values. */
function merge(live: Json, body: Json): Json {
  const next = Object.entries(body).map(([key, value]): [string, unknown] => {
    const before = live[key];
    return [key, isMap(value) && isMap(before) ? merge(before, value) : value];
  });
  return { ...live, ...Object.fromEntries(next) };
}

function mergePatched(live: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const base = isMap(live) ? live : {};
  const next = Object.entries(patch).map(([key, value]): [string, unknown] => [key, mergePatched(base[key], value)]);
  const { ...merged } = { ...base, ...Object.fromEntries(next) };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}
