import { isEqual, isList, isObject, type Json, listAt, objectAt, stringAt, textOf } from "../json.ts";
import { itemElement } from "../managed-fields/path-element.ts";
import type { Cause } from "../refusal.ts";
import { duplicate, invalidValue, required, tooLong, unsupported, wrongType } from "../validation/cause.ts";
import { memberSchema, type Schema } from "./pruning.ts";

/** Place of a value. The validator knows only the path below the prefix. */
interface Place {
  readonly prefix: string;
  readonly path: string;
}

function fieldOf({ prefix, path }: Place): string {
  return prefix === "" || path === "" ? prefix + path : `${prefix}.${path}`;
}

/** Returns the reasons why a value does not match its schema. */
export function schemaCauses(value: Json, schema: Schema | undefined, at: Place): readonly Cause[] {
  if (schema === undefined || (value === null && schema["nullable"] === true)) return [];
  const wrong = typeCause(value, schema, at);
  if (wrong !== undefined) return [wrong];
  const choices = listAt(schema, "enum");
  const isChoice = choices.length === 0 || choices.some((choice) => isEqual(choice, value));
  return [...(isChoice ? [] : [unsupported(fieldOf(at), value, choices.map(String))]), ...contentCauses(value, schema, at)];
}

function contentCauses(value: Json, schema: Schema, at: Place): readonly Cause[] {
  if (typeof value === "string") return textCauses(value, schema, at);
  if (typeof value === "number") return numberCauses(value, schema, at);
  if (isList(value)) return listCauses(value, schema, at);
  return isObject(value) ? objectCauses(value, schema, at) : [];
}

function typeCause(value: Json, schema: Schema, at: Place): Cause | undefined {
  const type = stringAt(schema, "type");
  if (type === undefined || fits(value, type)) return undefined;
  const shown = value === null ? "null" : isList(value) ? "array" : typeof value === "number" ? numberType(value) : typeof value;
  return wrongType(fieldOf(at), shown, `${at.path} in body must be of type ${type}: ${JSON.stringify(shown)}`);
}

function numberType(value: number): string {
  return Number.isInteger(value) ? "integer" : "number";
}

function fits(value: Json, type: string): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return isList(value);
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function textCauses(value: string, schema: Schema, at: Place): readonly Cause[] {
  const most = schema["maxLength"];
  const least = schema["minLength"];
  const pattern = stringAt(schema, "pattern");
  const length = Array.from(value).length;
  // The API server reports only the first of these.
  const ofLength: readonly Cause[] = [
    ...(typeof most === "number" && length > most ? [tooLong(fieldOf(at), most)] : []),
    ...(typeof least === "number" && length < least
      ? [invalidValue(fieldOf(at), value, `${at.path} in body should be at least ${least} chars long`)]
      : []),
    ...(pattern !== undefined && !new RegExp(pattern, "u").test(value)
      ? [invalidValue(fieldOf(at), value, `${at.path} in body should match '${pattern}'`)]
      : []),
  ];
  return [
    ...ofLength.slice(0, 1),
    ...(schema["format"] === "date-time" && !isDateTime(value)
      ? [wrongType(fieldOf(at), value, `${at.path} in body must be of type date-time: ${JSON.stringify(value)}`)]
      : []),
  ];
}

function isDateTime(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(value) && !Number.isNaN(Date.parse(value));
}

function numberCauses(value: number, schema: Schema, at: Place): readonly Cause[] {
  const least = schema["minimum"];
  if (typeof least !== "number" || value >= least) return [];
  return [invalidValue(fieldOf(at), value, `${at.path} in body should be greater than or equal to ${least}`)];
}

function listCauses(value: readonly Json[], schema: Schema, at: Place): readonly Cause[] {
  const items = objectAt(schema, "items");
  return value.flatMap((item, index) => schemaCauses(item, items, { ...at, path: `${at.path}[${index}]` }));
}

function objectCauses(value: { readonly [name: string]: Json }, schema: Schema, at: Place): readonly Cause[] {
  const inside = (name: string): Place => ({ ...at, path: at.path === "" ? name : `${at.path}.${name}` });
  const missing = listAt(schema, "required")
    .map(textOf)
    .filter((name) => value[name] === undefined);
  return [
    ...missing.map((name) => required(fieldOf(inside(name)))),
    ...Object.entries(value).flatMap(([name, member]) => schemaCauses(member, memberSchema(schema, name), inside(name))),
  ];
}

/** Finds duplicate items of sets and keyed lists. */
export function twinCauses(value: Json, schema: Schema | undefined, field: string): readonly Cause[] {
  if (schema === undefined) return [];
  if (isObject(value)) {
    return Object.entries(value).flatMap(([name, member]) =>
      twinCauses(member, memberSchema(schema, name), field === "" ? name : `${field}.${name}`),
    );
  }
  if (!isList(value)) return [];
  const items = objectAt(schema, "items");
  return [...ownTwins(value, schema, field), ...value.flatMap((item, index) => twinCauses(item, items, `${field}[${index}]`))];
}

function ownTwins(value: readonly Json[], schema: Schema, field: string): readonly Cause[] {
  const type = schema["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return [];
  const keys = listAt(schema, "x-kubernetes-list-map-keys").map((name) => ({ name: textOf(name) }));
  const list = { kind: "list", merges: type === "set" ? "set" : "keyed", keys, items: { kind: "any", isWhole: true } } as const;
  const seen = new Set<string>();
  return value.flatMap((item, index) => {
    const named = itemElement(list, item);
    if ("error" in named) return [];
    const isTwin = seen.has(named.element);
    seen.add(named.element);
    return isTwin ? [duplicate(`${field}[${index}]`, type === "set" ? item : (JSON.parse(named.element.slice(2)) as Json))] : [];
  });
}
