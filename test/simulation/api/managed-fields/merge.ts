import { type Draft, isList, isObject, type Json, type JsonObject } from "../json.ts";
import type { ListShape, Shape } from "../schema/shape.ts";
import { isLeaf } from "./compare.ts";
import { memberShapeOf } from "./contents.ts";
import { itemElement } from "./path-element.ts";

/** Merges the applied values into the live ones, before an apply removes anything. Returns undefined if nothing is left. */
export function merge(shape: Shape, live: Json | undefined, applied: Json | undefined): Json | undefined {
  if (applied === undefined) return live;
  if (live === undefined && !isList(applied) && !isObject(applied)) return applied;
  if (isLeaf(shape, live, applied)) return applied;
  if (shape.kind === "list") return mergeItems(shape, isList(live) ? live : [], isList(applied) ? applied : []);
  // A value of another type cannot be merged.
  return isObject(applied) || applied === null ? mergeMembers(shape, isObject(live) ? live : {}, applied ?? {}) : applied;
}

function mergeMembers(shape: Shape, live: JsonObject, applied: JsonObject): Json | undefined {
  const merged: Draft = {};
  let isChanged = false;
  for (const [name, value] of Object.entries(live)) {
    const both = name in applied ? merge(memberShapeOf(shape, name), value, applied[name]) : value;
    isChanged ||= both !== value;
    if (both !== undefined) merged[name] = both;
  }
  for (const [name, value] of Object.entries(applied)) {
    if (name in live) continue;
    const made = merge(memberShapeOf(shape, name), undefined, value);
    isChanged = true;
    if (made !== undefined) merged[name] = made;
  }
  if (!isChanged) return live;
  return Object.keys(merged).length === 0 ? undefined : merged;
}

interface Indexed {
  readonly elements: readonly string[];
  readonly items: ReadonlyMap<string, Json>;
}

/** Indexes items by key. Items with the same key map to null, because they cannot be merged. */
function indexed(list: ListShape, items: readonly Json[]): Indexed {
  const elements: string[] = [];
  const byElement = new Map<string, Json>();
  for (const item of items) {
    const named = itemElement(list, item);
    if ("error" in named) continue;
    elements.push(named.element);
    byElement.set(named.element, byElement.has(named.element) ? null : item);
  }
  return { elements, items: byElement };
}

/** Returns the items in the applied order. Live items that were not applied keep their places among those that were. */
function mergeItems(list: ListShape, live: readonly Json[], applied: readonly Json[]): Json | undefined {
  const old = indexed(list, live);
  const wanted = indexed(list, applied);
  const merged = mergedOrder(old, wanted).flatMap(({ element, liveIndex }) => {
    const made = merge(list.items, liveIndex === undefined ? old.items.get(element) : live[liveIndex], wanted.items.get(element));
    return made === undefined ? [] : [made];
  });
  if (merged.length === 0) return undefined;
  return merged.length === live.length && merged.every((item, index) => item === live[index]) ? live : merged;
}

interface Place {
  readonly element: string;
  /** Index of an item that was not applied. */
  readonly liveIndex?: number;
}

function mergedOrder(old: Indexed, wanted: Indexed): readonly Place[] {
  const shared = wanted.elements.filter((element) => old.items.has(element));
  const places: Place[] = [];
  const taken = new Set<string>();
  let nextShared = shared.shift();
  let l = 0;
  let r = 0;
  while (l < old.elements.length || r < wanted.elements.length) {
    const left = old.elements[l];
    const right = wanted.elements[r];
    if (left !== undefined && right !== undefined) {
      if (left === right) {
        taken.add(left);
        places.push({ element: left });
        l++;
        r++;
        nextShared = shared.shift();
        continue;
      }
      if (wanted.items.has(left) && nextShared !== undefined && nextShared !== left) {
        l++;
        continue;
      }
    }
    if (left !== undefined) {
      if (!wanted.items.has(left)) {
        places.push({ element: left, liveIndex: l });
        l++;
        continue;
      }
      if (taken.has(left)) l++;
    }
    if (right !== undefined) {
      taken.add(right);
      places.push({ element: right });
      r++;
      if (nextShared === right) nextShared = shared.shift();
    }
  }
  return places;
}
