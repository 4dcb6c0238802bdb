import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt, textOf } from "../json.ts";
import { ANY_WHOLE, ANYTHING, type Field, type ListShape, type ObjectShape, type Shape } from "./shape.ts";
import { shapeNamed } from "./shapes.ts";

/** Returns the shape of a custom resource for server-side apply, from the OpenAPI schema of its CRD. */
export function customShape(schema: JsonObject | undefined): ObjectShape {
  const found = schema === undefined ? undefined : shapeOf(schema, false);
  const content: ObjectShape =
    found?.kind === "object" ? found : { kind: "object", name: "", isAtomic: false, fields: new Map(), others: ANYTHING };
  const fields = new Map(content.fields);
  fields.set("apiVersion", fieldOf("apiVersion", { kind: "scalar", scalar: "string" }));
  fields.set("kind", fieldOf("kind", { kind: "scalar", scalar: "string" }));
  fields.set("metadata", fieldOf("metadata", shapeNamed("meta.ObjectMeta")));
  return { ...content, name: "custom", isAtomic: false, fields };
}

function shapeOf(schema: JsonObject, preservesAbove: boolean): Shape {
  const preserves = preservesAbove || schema["x-kubernetes-preserve-unknown-fields"] === true;
  switch (stringAt(schema, "type") ?? "") {
    case "object":
      return objectShape(schema, preserves);
    case "array":
      return listShape(schema, preserves);
    case "boolean":
      return { kind: "scalar", scalar: "bool" };
    case "integer":
    case "number":
      return { kind: "scalar", scalar: "number" };
    case "string":
      return { kind: "scalar", scalar: schema["format"] === undefined || schema["format"] === "byte" ? "string" : "time" };
    default:
      return schema["x-kubernetes-int-or-string"] === true ? { kind: "scalar", scalar: "int-or-string" } : ANYTHING;
  }
}

function objectShape(schema: JsonObject, preserves: boolean): Shape {
  const properties = Object.entries(objectAt(schema, "properties"));
  const isAtomic = schema["x-kubernetes-map-type"] === "atomic";
  const others = othersOf(schema, preserves || properties.length === 0, preserves);
  if (properties.length === 0 && others !== undefined) return { kind: "map", isAtomic, values: others };
  const fields = new Map(properties.map(([name, property]) => [name, fieldOf(name, innerShape(property, preserves))]));
  return { kind: "object", name: "", isAtomic, fields, others };
}

function othersOf(schema: JsonObject, takesAll: boolean, preserves: boolean): Shape | undefined {
  const additional = schema["additionalProperties"];
  if (isObject(additional)) return shapeOf(additional, preserves);
  if (additional === true) return ANYTHING;
  return additional === undefined && takesAll ? ANYTHING : undefined;
}

function listShape(schema: JsonObject, preserves: boolean): ListShape {
  const items = innerShape(schema["items"], preserves);
  switch (textOf(schema["x-kubernetes-list-type"])) {
    case "set":
      return { kind: "list", merges: "set", keys: [], items };
    case "map":
      return { kind: "list", merges: "keyed", keys: keysOf(schema), items };
    default:
      return { kind: "list", merges: "atomic", keys: [], items };
  }
}

function keysOf(schema: JsonObject): ListShape["keys"] {
  const properties = objectAt(objectAt(schema, "items"), "properties");
  return listAt(schema, "x-kubernetes-list-map-keys").map((key) => {
    const name = textOf(key);
    const fallback = objectAt(properties, name)["default"];
    return fallback === undefined ? { name } : { name, fallback };
  });
}

function innerShape(schema: Json | undefined, preserves: boolean): Shape {
  return isObject(schema) ? shapeOf(schema, preserves) : ANY_WHOLE;
}

function fieldOf(name: string, shape: Shape): Field {
  return { name, shape, isShown: false, isPointer: true };
}
