/** Shape of a field's value. `object` and lists of objects have a type whose fields can be visited. */
export interface SchemaField {
  readonly name: string;
  readonly isRequired: boolean;
  readonly shape: "one" | "list" | "map";
  /** Type of the value or of each item: a scalar's type, or the name of an object's type. */
  readonly type: string;
  readonly isObject: boolean;
  readonly values: readonly string[];
}

export interface PodSchema {
  readonly types: ReadonlyMap<string, readonly SchemaField[]>;
  /** All fields below `spec`, for instance `spec.containers[].env[].name`. All entries of a map share one path. */
  readonly paths: readonly string[];
}

interface RawSchema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, RawSchema>>;
  readonly items?: RawSchema;
  readonly additionalProperties?: RawSchema;
  readonly allOf?: readonly RawSchema[];
  readonly $ref?: string;
}

const ROOT = "PodSpec";

/** Reads the document that the API server publishes under `/openapi/v3/api/v1`. */
export function readPodSchema(document: unknown): PodSchema {
  const schemas = schemasOf(document);
  const types = new Map<string, readonly SchemaField[]>();
  const visit = (name: string): void => {
    if (types.has(name)) return;
    const raw = schemas.get(name);
    if (raw === undefined) throw new Error(`the OpenAPI document has no schema ${name}`);
    const fields = Object.entries(raw.properties ?? {}).map(([field, property]) => readField(field, property, { schemas, owner: raw }));
    types.set(name, fields);
    for (const field of fields) if (field.isObject) visit(field.type);
  };
  visit(ROOT);
  return { types, paths: pathsUnder({ types, type: ROOT, path: "spec" }) };
}

export function fieldPath(path: string, { name, shape }: SchemaField): string {
  return `${path}.${name}${shape === "list" ? "[]" : ""}`;
}

function schemasOf(document: unknown): ReadonlyMap<string, RawSchema> {
  const { components } = document as { components: { schemas: Record<string, RawSchema> } }; // OpenAPI v3, as the API server publishes it.
  // The last part of the name is unique among the types that a PodSpec uses.
  return new Map(Object.entries(components.schemas).map(([name, schema]) => [lastPart(name), schema]));
}

interface Place {
  readonly schemas: ReadonlyMap<string, RawSchema>;
  readonly owner: RawSchema;
}

function readField(name: string, property: RawSchema, { schemas, owner }: Place): SchemaField {
  const shape = property.items !== undefined ? "list" : property.additionalProperties !== undefined ? "map" : "one";
  const value = property.items ?? property.additionalProperties ?? property;
  const reference = value.$ref ?? value.allOf?.[0]?.$ref;
  const target = reference === undefined ? undefined : schemas.get(lastPart(reference.replaceAll("/", ".")));
  const isObject = target?.properties !== undefined;
  const type = reference === undefined ? (value.type ?? "unknown") : lastPart(reference.replaceAll("/", "."));
  return { name, shape, type, isObject, isRequired: owner.required?.includes(name) ?? false, values: value.enum ?? [] };
}

interface Walk {
  readonly types: ReadonlyMap<string, readonly SchemaField[]>;
  readonly type: string;
  readonly path: string;
}

function pathsUnder({ types, type, path }: Walk): readonly string[] {
  return (types.get(type) ?? []).flatMap((field) => {
    const here = fieldPath(path, field);
    return [here, ...(field.isObject ? pathsUnder({ types, type: field.type, path: here }) : [])];
  });
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Returns the schema's paths that the object really contains, regardless of the wanted ones. */
export function pathsIn(schema: PodSchema, spec: unknown): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (type: string, value: unknown, path: string): void => {
    for (const field of schema.types.get(type) ?? []) {
      const member = (value as Readonly<Record<string, unknown>>)[field.name]; // An object, since its schema has properties.
      if (member === undefined || member === null) continue;
      const here = fieldPath(path, field);
      found.add(here);
      if (!field.isObject) continue;
      for (const item of field.shape === "one" ? [member] : Object.values(member)) visit(field.type, item, here);
    }
  };
  visit(ROOT, spec, "spec");
  return found;
}
