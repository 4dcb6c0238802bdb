import { type Draft, isList, isObject, type Json, type JsonObject } from "../json.ts";
import type { ObjectShape, Shape } from "../schema/shape.ts";
import { ADMISSION_DEFAULTS } from "./admission.ts";
import { CLUSTER_DEFAULTS } from "./cluster.ts";
import { POD_DEFAULTS } from "./pods.ts";
import type { Defaulting } from "./setting.ts";
import { WORKLOAD_DEFAULTS } from "./workloads.ts";

/** Defaults that the API server sets, by type. */
const BY_TYPE: Readonly<Record<string, Defaulting>> = {
  ...POD_DEFAULTS,
  ...WORKLOAD_DEFAULTS,
  ...ADMISSION_DEFAULTS,
  ...CLUSTER_DEFAULTS,
};

/** Sets the defaults of an object. `before` already has its defaults; parts shared with it stay as they are. */
export function withDefaults(shape: Shape, value: Json, before?: Json): Json {
  if (value === before || !hasDefaults(shape)) return value;
  switch (shape.kind) {
    case "object":
      return isObject(value) ? ofObject(shape, value, before) : value;
    case "list":
      return isList(value) ? ofList(shape.items, value, before) : value;
    case "map":
      return isObject(value) ? ofMembers(value, before, () => shape.values) : value;
    case "any":
    case "scalar":
      return value;
  }
}

function ofObject(shape: ObjectShape, value: JsonObject, before: Json | undefined): JsonObject {
  const own = BY_TYPE[shape.name]?.(value) ?? value;
  return ofMembers(own, before, (name) => shape.fields.get(name)?.shape);
}

function ofMembers(value: JsonObject, before: Json | undefined, shapeOf: (name: string) => Shape | undefined): JsonObject {
  const known = isObject(before) ? before : undefined;
  let changed: Draft | undefined;
  for (const name of Object.keys(value)) {
    const member = value[name];
    const shape = shapeOf(name);
    if (member === undefined || shape === undefined) continue;
    const filled = withDefaults(shape, member, known?.[name]);
    if (filled !== member) (changed ??= { ...value })[name] = filled;
  }
  return changed ?? value;
}

function ofList(items: Shape, value: readonly Json[], before: Json | undefined): Json {
  const known = isList(before) ? before : [];
  const filled = value.map((item, index) => withDefaults(items, item, known[index]));
  return filled.every((item, index) => item === value[index]) ? value : filled;
}

const answers = new WeakMap<ObjectShape, boolean>();

/** Whether any part of the type has defaults. */
function hasDefaults(shape: Shape): boolean {
  switch (shape.kind) {
    case "list":
      return hasDefaults(shape.items);
    case "map":
      return hasDefaults(shape.values);
    case "object": {
      const known = answers.get(shape);
      if (known !== undefined) return known;
      // Types contain themselves: a type counts as having no defaults while its fields are checked.
      answers.set(shape, false);
      const answer = shape.name in BY_TYPE || [...shape.fields.values()].some((field) => hasDefaults(field.shape));
      answers.set(shape, answer);
      return answer;
    }
    case "any":
    case "scalar":
      return false;
  }
}
