import { canonicalJson, type JsonObject, objectAt, stringAt, textOf, withMember } from "../json.ts";
import type { ObjectShape } from "../schema/shape.ts";
import { compare } from "./compare.ts";
import { fieldsOf } from "./contents.ts";
import { FieldSet } from "./field-set.ts";

/** Annotation in which client-side apply keeps the last configuration. Server-side apply with kubectl's field manager updates it. */
const ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
const ANNOTATION_BYTES = 256 * 1024;

export const KUBECTL = "kubectl";

function lastAppliedOf(object: JsonObject): string | undefined {
  const text = stringAt(objectAt(objectAt(object, "metadata"), "annotations"), ANNOTATION);
  return text === "" ? undefined : text;
}

/** Returns the fields that still have the values from client-side apply: taking these over is not a conflict. */
export function fieldsLastApplied(shape: ObjectShape, live: JsonObject, apiVersion: string): FieldSet | undefined {
  const text = lastAppliedOf(live);
  const applied = text === undefined ? undefined : parsed(text);
  if (applied === undefined || applied["apiVersion"] !== apiVersion) return undefined;
  const { added, modified, removed } = compare(shape, applied, live);
  return fieldsOf(shape, applied).difference(modified).difference(added).difference(removed);
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined; // Just checked.
  } catch {
    return undefined;
  }
}

/** Updates the annotation with the applied configuration if the object has it. Removes it if it becomes too large. */
export function withLastApplied(object: JsonObject, applied: JsonObject): JsonObject {
  if (lastAppliedOf(object) === undefined) return object;
  const metadata = objectAt(object, "metadata");
  const annotations: JsonObject = { ...objectAt(metadata, "annotations"), [ANNOTATION]: annotationOf(applied) };
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(textOf(value)),
    0,
  );
  if (bytes <= ANNOTATION_BYTES) return { ...object, metadata: { ...metadata, annotations } };
  return { ...object, metadata: { ...metadata, annotations: withMember(annotations, ANNOTATION, undefined) } };
}

function annotationOf(applied: JsonObject): string {
  const metadata = objectAt(applied, "metadata");
  const annotations =
    metadata["annotations"] === undefined ? undefined : withMember(objectAt(metadata, "annotations"), ANNOTATION, undefined);
  const bare = withMember(metadata, "annotations", annotations);
  return `${canonicalJson({ ...applied, metadata: bare })}\n`;
}
