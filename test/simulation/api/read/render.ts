import type { JsonObject } from "../json.ts";
import type { Kind } from "../kind.ts";

const texts = new WeakMap<JsonObject, string>();

/** Returns the JSON text of an object without its type, from after the opening brace. Each state of an object is serialized only once. */
function contentText(object: JsonObject): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const { kind: _kind, apiVersion: _apiVersion, ...content } = object;
  const text = JSON.stringify(content).slice(1);
  texts.set(object, text);
  return text;
}

export function objectText(kind: Pick<Kind, "kind" | "apiVersion">, object: JsonObject): string {
  return `{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(kind.apiVersion)},${contentText(object)}`;
}

/** Returns the text of an item in a list. Lists of built-in kinds contain items without their type. */
export function itemText(kind: Kind, object: JsonObject): string {
  return kind.isCustom ? objectText(kind, object) : `{${contentText(object)}`;
}
