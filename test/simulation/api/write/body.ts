import { parse as parseYaml } from "yaml";
import { DecodeProblem } from "../codec/scalars.ts";
import { isObject, type Json, type JsonObject, stringAt } from "../json.ts";
import type { Kind } from "../kind.ts";
import { badRequest, Refusal } from "../refusal.ts";
import { metadataOf, type Writing } from "./context.ts";

/** Parses the JSON object of a request. Returns undefined for anything else. */
export function parseObject(text: string | undefined): JsonObject | undefined {
  try {
    const value = JSON.parse(text ?? "") as Json; // JSON.parse returns only JSON values.
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Parses the body of an apply, which is YAML. Parses JSON as JSON, which is much faster. */
export function parseApplied(text: string | undefined): JsonObject {
  const json = parseObject(text);
  if (json !== undefined) return json;
  try {
    const value = parseYaml(text ?? "") as Json; // The bodies contain only JSON values.
    if (isObject(value)) return value;
  } catch {
    // The error below covers this, too.
  }
  throw badRequest("error decoding YAML: error converting YAML to JSON");
}

/** Decodes the whole object in a POST or a PUT. */
export function readBody(kind: Kind, text: string | undefined): JsonObject {
  const body = parseObject(text);
  if (body === undefined)
    throw badRequest(
      "the object provided is unrecognized (must be of type " + kind.kind + "): couldn't get version/kind; json parse error",
    );
  assertType(kind, body);
  return decoded(kind, () => kind.read(body));
}

/** Refuses the body if a field has a value of another type. */
export function decoded(kind: Kind, read: () => JsonObject): JsonObject {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    throw badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${error.message}`);
  }
}

function assertType(kind: Kind, body: JsonObject): void {
  const given = stringAt(body, "kind") ?? "";
  const version = stringAt(body, "apiVersion") ?? "";
  if (kind.isCustom && given === "")
    throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): Object 'Kind' is missing`);
  if (version !== "" && version !== kind.apiVersion) {
    throw badRequest(`the API version in the data (${version}) does not match the expected API version (${kind.apiVersion})`);
  }
  // The kind of a custom resource is checked later, with its content.
  if (!kind.isCustom && given !== "" && given !== kind.kind)
    throw badRequest(`${given} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`);
}

/** Returns the object in the namespace of the request. */
export function inNamespace(writing: Writing, object: JsonObject): JsonObject {
  const { kind, route } = writing;
  const metadata = metadataOf(object);
  const namespace = stringAt(metadata, "namespace") ?? "";
  if (!kind.namespaced) {
    if (namespace === "") return object;
    const { namespace: _namespace, ...rest } = metadata;
    return { ...object, metadata: rest };
  }
  if (namespace === route.namespace) return object;
  if (namespace === "") return { ...object, metadata: { ...metadata, namespace: route.namespace ?? "" } };
  throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

export function assertName(object: JsonObject, name: string): void {
  const given = stringAt(metadataOf(object), "name") ?? "";
  if (given === name) return;
  if (given === "") throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

/** Refuses a body that is too large. */
export function assertSize(text: string | undefined): void {
  if ((text?.length ?? 0) > 3 * 1024 * 1024) {
    throw new Refusal({ code: 413, reason: "RequestEntityTooLarge", message: "Request entity too large: limit is 3145728" });
  }
}
