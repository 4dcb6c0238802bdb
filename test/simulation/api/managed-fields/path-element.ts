import { isList, isObject, type Json } from "../json.ts";
import type { ListShape } from "../schema/shape.ts";

/** Key of an item in a list that is merged item by item, or an error if the item has none. */
export type ItemElement = { readonly element: string } | { readonly error: string };

export function itemElement(list: ListShape, item: Json): ItemElement {
  return list.merges === "keyed" ? keyedElement(list, item) : setElement(item);
}

function keyedElement(list: ListShape, item: Json): ItemElement {
  if (item === null) return { error: "associative list with keys may not have a null element" };
  if (!isObject(item)) return { error: "associative list with keys may not have non-map elements" };
  const found: [string, Json][] = [];
  for (const { name, fallback } of list.keys) {
    const value = item[name] ?? fallback;
    if (value !== undefined) found.push([name, value]);
  }
  if (found.length === 0) {
    const names = list.keys.map(({ name }) => JSON.stringify(name)).join(" ");
    return {
      error: `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    };
  }
  found.sort(([a], [b]) => (a < b ? -1 : 1));
  return { element: `k:${JSON.stringify(Object.fromEntries(found))}` };
}

function setElement(item: Json): ItemElement {
  if (isObject(item)) return { error: "associative list without keys has an element that's a map type" };
  if (isList(item)) return { error: "not supported: associative list with lists as elements" };
  if (item === null) return { error: "associative list without keys has an element that's an explicit null" };
  return { element: `v:${JSON.stringify(item)}` };
}

/** Returns a path as in the message of a conflict: `.spec.containers[name="web"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

export function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith("f:")) return `.${rest}`;
  if (element.startsWith("i:")) return `[${rest}]`;
  if (element.startsWith("v:")) return `[=${rest}]`;
  const key = Object.entries(JSON.parse(rest) as Record<string, Json>); // Written by keyedElement, or by the API server.
  return `[${key.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
}
