import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, listAt, readManifests } from "../support/cluster/shipped-manifests.ts";

const CRDS = ["secretproviderclasses", "secretproviderclasspodstatuses", "secretproviderclasssyncs"].flatMap((file) =>
  readManifests(`crds/${file}.yaml`),
);

interface Schema {
  readonly type: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

/** Returns the schemas by path, in the policy's notation. */
function schemasOf(crd: unknown): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const schemas = new Map<string, Readonly<Record<string, unknown>>>();
  const note = (path: string, schema: Schema & { readonly description?: string }): void => {
    const { description: _description, properties = {}, items, additionalProperties, ...rest } = schema;
    schemas.set(path, rest);
    for (const [name, field] of Object.entries(properties))
      if (path !== "" || name === "spec" || name === "status") note(path === "" ? name : `${path}.${name}`, field);
    if (items !== undefined) note(`${path}[]`, items);
    if (additionalProperties !== undefined) note(`${path}.*`, additionalProperties);
  };
  for (const version of listAt(crd, "spec", "versions")) note("", at(version, "schema", "openAPIV3Schema") as Schema); // The project's own manifests have this form.
  return schemas;
}

function variable(name: string): string {
  const [policy] = readManifests("policies/sync-definitions.yaml");
  const found = listAt(policy, "spec", "variables").find((candidate) => at(candidate, "name") === name);
  return String(at(found, "expression")).replaceAll(/\s/g, "");
}

const text = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
  return typeof value === "string" ? `${value.includes("\\") ? "r" : ""}'${value}'` : String(value);
};

const members = (entries: readonly (readonly [string, string])[]): string =>
  `{${entries.map(([key, value]) => `'${key}':${value}`).join(",")}}`;

const dynamic = (values: Readonly<Record<string, unknown>>): string =>
  members(Object.entries(values).map(([key, value]) => [key, `dyn(${text(value)})`] as const));

const OF_THIS_NAME = "[?variables.name].orValue({})";

describe("what the policy on definitions lists of them", () => {
  test("are the types of all their fields, each the same in every version", () => {
    const types = CRDS.map((crd) => {
      const paths = [...schemasOf(crd)].map(([path, { type }]) => [path, text(type)] as const);
      return [crd.metadata.name, members(paths)] as const;
    });

    assert.equal(variable("types"), `${members(types)}${OF_THIS_NAME}`);
  });

  test("are their limits", () => {
    const limits = CRDS.flatMap((crd) => {
      const limited = [...schemasOf(crd)].flatMap(([path, { type: _type, ...rest }]) =>
        Object.keys(rest).length === 0 ? [] : [[path, dynamic(rest)] as const],
      );
      return limited.length === 0 ? [] : [[crd.metadata.name, members(limited)] as const];
    });

    assert.equal(variable("limits"), `${members(limits)}${OF_THIS_NAME}`);
  });

  test("are their names and what is said of their versions", () => {
    const names = variable("names");
    for (const crd of CRDS) {
      for (const [key, value] of Object.entries(Object(at(crd, "spec", "names"))))
        assert.ok(names.includes(`'${key}':dyn(${text(value)})`));
      for (const version of listAt(crd, "spec", "versions")) {
        const {
          name,
          schema: _schema,
          additionalPrinterColumns: _columns,
          subresources,
          ...rest
        } = Object(version) as Record<string, unknown>; // Each item is a version.
        assert.ok(variable("versions").includes(`'${String(name)}':{'storage'`), String(name));
        for (const [key, value] of Object.entries(rest))
          assert.ok(variable("versions").includes(`'${key}':dyn(${text(value).replaceAll(" ", "")})`));
        if (subresources !== undefined) assert.ok(variable("versions").includes("'subresources':dyn({'status':{}})"));
      }
    }
  });
});
