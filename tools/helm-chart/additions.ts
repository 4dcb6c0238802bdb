/** Computes what a component adds to an object, as paths in the object that the component makes of it. */
import { isDeepStrictEqual } from "node:util";
import { type Json, type JsonMap, stepOfKey } from "./place.ts";

/**
 * Paths of the additions in `changed`, as marks have them. Undefined if the difference is not only additions, or no path leads to one of
 * them.
 */
export function additionsTo(object: Json, changed: Json, at = ""): readonly string[] | undefined {
  if (isDeepStrictEqual(object, changed)) return [];
  if (isList(object) && isList(changed)) return additionsToList(object, changed, at);
  if (isMap(object) && isMap(changed)) return additionsToMap(object, changed, at);
  return undefined;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMap(value: Json): value is JsonMap {
  return typeof value === "object" && value !== null && !isList(value);
}

const below = (at: string, step: string): string => (at === "" ? step : `${at}/${step}`);

function additionsToMap(object: JsonMap, changed: JsonMap, at: string): readonly string[] | undefined {
  if (Object.keys(object).some((key) => !(key in changed))) return undefined;
  return together(
    Object.entries(changed).map(([key, value]) => {
      const before = object[key];
      const step = below(at, stepOfKey(key));
      return before === undefined ? [step] : additionsTo(before, value, step);
    }),
  );
}

/** New items must come after the existing ones. */
function additionsToList(object: readonly Json[], changed: readonly Json[], at: string): readonly string[] | undefined {
  if (changed.length < object.length) return undefined;
  return together(
    changed.map((item, index) => {
      const before = object[index];
      if (isDeepStrictEqual(before, item)) return [];
      const step = stepTo(item);
      if (step === undefined) return undefined;
      return before === undefined ? [below(at, step)] : additionsTo(before, item, below(at, step));
    }),
  );
}

function stepTo(item: Json): string | undefined {
  if (typeof item === "string") return `[=${item}]`;
  return isMap(item) && typeof item["name"] === "string" ? `[name=${item["name"]}]` : undefined;
}

function together(parts: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? known.flat() : undefined;
}

/** An object as one component makes it, and the condition under which the chart uses the component. */
export interface Changed {
  readonly condition: string;
  readonly object: Json;
}

export interface Union {
  readonly object: Json;
  /** Paths of parts that the chart renders only under a condition. */
  readonly conditional: readonly { readonly at: string; readonly condition: string }[];
}

/** The object with the additions of several components. Undefined if one of them does more than add. */
export function unionOf(object: Json, changed: readonly Changed[]): Union | undefined {
  return changed.every((each) => additionsTo(object, each.object) !== undefined) ? joined(object, changed, "") : undefined;
}

function joined(object: Json, changed: readonly Changed[], at: string): Union {
  const differing = changed.filter((each) => !isDeepStrictEqual(each.object, object));
  if (isList(object)) return joinedList(object, differing, at);
  return isMap(object) ? joinedMap(object, differing, at) : { object, conditional: [] };
}

function joinedMap(object: JsonMap, changed: readonly Changed[], at: string): Union {
  const entries = Object.entries(object);
  const added = new Set(changed.flatMap((each) => (isMap(each.object) ? Object.keys(each.object) : [])).filter((key) => !(key in object)));
  const parts = [
    ...entries.map(([key, value]) => ({ key, ...joined(value, membersOf(changed, key), below(at, key)) })),
    ...[...added].map((key) => ({ key, ...addedBy(membersOf(changed, key), below(at, key)) })),
  ];
  return {
    object: Object.fromEntries(parts.map((part) => [part.key, part.object])),
    conditional: parts.flatMap((part) => part.conditional),
  };
}

function membersOf(changed: readonly Changed[], key: string): readonly Changed[] {
  return changed.flatMap(({ condition, object }) => {
    const member = isMap(object) ? object[key] : undefined;
    return member === undefined ? [] : [{ condition, object: member }];
  });
}

/** Existing items stay first. New items with the same name become one item. */
function joinedList(object: readonly Json[], changed: readonly Changed[], at: string): Union {
  const steps = new Map<string, Changed[]>();
  for (const { condition, object: list } of changed) {
    for (const item of isList(list) ? list.slice(object.length) : []) {
      const step = stepTo(item) ?? "";
      steps.set(step, [...(steps.get(step) ?? []), { condition, object: item }]);
    }
  }
  const kept = object.map((item, index) => {
    const members = changed.flatMap(({ condition, object: list }) => {
      const member = isList(list) ? list[index] : undefined;
      return member === undefined ? [] : [{ condition, object: member }];
    });
    return joined(item, members, below(at, stepTo(item) ?? ""));
  });
  const parts = [...kept, ...[...steps].map(([step, members]) => addedBy(members, below(at, step)))];
  return { object: parts.map((part) => part.object), conditional: parts.flatMap((part) => part.conditional) };
}

/**
 * Unites the parts that several components add at a place where the object has nothing. The place exists if any of their conditions holds.
 */
function addedBy(members: readonly Changed[], at: string): Union {
  const [first, ...others] = members;
  if (first === undefined) return { object: {}, conditional: [] };
  const own = { at, condition: others.length === 0 ? first.condition : `or ${members.map(({ condition }) => `(${condition})`).join(" ")}` };
  if (others.length === 0) return { object: first.object, conditional: [own] };
  const inner = joined(isList(first.object) ? [] : {}, members, at);
  return { object: inner.object, conditional: [own, ...inner.conditional] };
}
