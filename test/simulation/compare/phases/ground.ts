import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { JsonObject } from "../../api/json.ts";
import { PLACES } from "../generate/places.ts";
import type { Address, Operation, Place } from "../operation.ts";

/** Namespaces, names, and kinds that one batch uses. */
export interface Ground {
  readonly namespaces: readonly [string, string];
  /** Prefix of the names of objects without a namespace. */
  readonly prefix: string;
  /** Custom resources in an API group that only this run uses. */
  readonly classes: Place;
  readonly olderClasses: Place;
  readonly syncs: Place;
}

export function groundOf(serial: string, group: string): Ground {
  const place = (version: string, plural: string): Place => ({ group, version, plural });
  return {
    namespaces: [`${serial}-x`, `${serial}-y`],
    prefix: serial,
    classes: place("v1", "secretproviderclasses"),
    olderClasses: place("v1alpha1", "secretproviderclasses"),
    syncs: place("v1alpha1", "secretproviderclasssyncs"),
  };
}

const CRDS = path.resolve(import.meta.dirname, "../../../../manifests/crds");

export type DefinitionName = "secretproviderclasses" | "secretproviderclasssyncs";

/** Returns a CRD that we ship, in an API group of its own, so that runs do not disturb each other. */
export function definition(file: DefinitionName, group: string): JsonObject {
  const crd = parse(readFileSync(path.join(CRDS, `${file}.yaml`), "utf8")) as JsonObject; // Every manifest is an object.
  const spec = crd["spec"] as JsonObject; // As above.
  // Short names must be unique in the whole cluster.
  const { shortNames: _shortNames, ...names } = spec["names"] as JsonObject; // As above.
  return { ...crd, metadata: { name: `${file}.${group}` }, spec: { ...spec, group, names } };
}

export function definitionAddress(file: DefinitionName, group: string): Address {
  return { place: PLACES.definitions, name: `${file}.${group}` };
}

export function namespace(name: string, annotations: JsonObject = {}): Operation {
  const metadata = { name, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
  return { verb: "create", place: PLACES.namespaces, name, body: { apiVersion: "v1", kind: "Namespace", metadata } };
}

/** Creates namespaces with the ServiceAccount that a controller would create. */
export function namespaceSetup({ namespaces }: Pick<Ground, "namespaces">): readonly Operation[] {
  return namespaces.flatMap((name): readonly Operation[] => [
    namespace(name),
    {
      verb: "create",
      place: PLACES.serviceAccounts,
      namespace: name,
      name: "default",
      body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
    },
  ]);
}

/** Creates the CRDs of a group, and waits until the server serves them. */
export function definitionSetup(group: string): readonly Operation[] {
  return (["secretproviderclasses", "secretproviderclasssyncs"] as const).map((file) => {
    const settles = definitionAddress(file, group);
    return { verb: "create", ...settles, body: definition(file, group), settles };
  });
}
