import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { JsonObject } from "../../api/json.ts";
import type { Operation, Place } from "../operation.ts";
import type { Ground } from "./operations.ts";
import { PLACES } from "./places.ts";

const CRDS = path.resolve(import.meta.dirname, "../../../../manifests/crds");

/** A CRD that we ship, under a group of its own, so that runs do not disturb each other. */
export function definition(file: "secretproviderclasses" | "secretproviderclasssyncs", group: string): JsonObject {
  const crd = parse(readFileSync(path.join(CRDS, `${file}.yaml`), "utf8")) as JsonObject; // A manifest of ours.
  const spec = crd["spec"] as JsonObject; // As above.
  // Short names are one for the whole cluster.
  const { shortNames: _shortNames, ...names } = spec["names"] as JsonObject; // As above.
  return { ...crd, metadata: { name: `${file}.${group}` }, spec: { ...spec, group, names } };
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

/** Namespaces with the account that a controller would make. */
export function namespaceSetup({ namespaces }: Pick<Ground, "namespaces">): readonly Operation[] {
  return namespaces.flatMap((name): readonly Operation[] => [
    { verb: "create", place: PLACES.namespaces, name, body: { apiVersion: "v1", kind: "Namespace", metadata: { name } } },
    {
      verb: "create",
      place: PLACES.serviceAccounts,
      namespace: name,
      name: "default",
      body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
    },
  ]);
}

/** The CRDs of a group, until they are served. */
export function definitionSetup(group: string): readonly Operation[] {
  return (["secretproviderclasses", "secretproviderclasssyncs"] as const).map((file) => ({
    verb: "create",
    place: PLACES.definitions,
    name: `${file}.${group}`,
    body: definition(file, group),
    settles: true,
  }));
}
