import { isObject, type Json, type JsonObject, listAt, objectAt } from "../../api/json.ts";
import type { Batch } from "../batch.ts";
import { operationOn } from "../generate/operations.ts";
import type { Operation } from "../operation.ts";
import { Choices } from "../random.ts";
import { definition, definitionAddress, definitionSetup, type Ground, groundOf, namespaceSetup } from "./ground.ts";

/** Changes, deletes, and recreates CRDs while their objects are in use and watched. */
export function definitionBatch(seed: number, { length }: { readonly length: number }): Batch {
  const choices = new Choices(seed);
  const serial = `crd${seed}`;
  const group = `${serial}.sim.example`;
  const ground = groundOf(serial, group);
  const places = [ground.classes, ground.olderClasses, ground.syncs];
  const [namespace] = ground.namespaces;
  return {
    serial,
    setup: [...definitionSetup(group), ...namespaceSetup(ground), ...places.map((place): Operation => ({ verb: "list", place }))],
    operations: Array.from({ length }, () => anyOperation(choices, ground, group)),
    watches: places.flatMap((place) => [{ place }, { place, namespace }, { place, labelSelector: "app=a" }]),
    states: places.map((place) => ({ place })),
  };
}

function anyOperation(choices: Choices, ground: Ground, group: string): Operation {
  const kind = choices.weighted([70, "object"], [22, "definition"], [8, "watch"]);
  if (kind === "object") return operationOn(choices, ground, choices.chance(0.7) ? "classes" : "syncs");
  if (kind === "definition") return definitionOperation(choices, ground, group);
  const place = choices.of(ground.classes, ground.olderClasses, ground.syncs);
  // From the version of the first list, or from the present state.
  return { verb: "watch", place, query: { timeoutSeconds: "1", ...choices.maybe(0.7, () => ({ resourceVersion: "$listedOrNow" })) } };
}

const CHANGES: readonly ((definition: JsonObject) => JsonObject)[] = [
  (crd) => crd,
  (crd) => withVersions(crd, (version) => withoutProperty(version, "spec", "secretObjects")),
  (crd) => withVersions(crd, (version) => withoutProperty(version, "status", "secrets")),
  (crd) =>
    withVersions(crd, (version) =>
      version["name"] === "v1alpha1" && version["storage"] !== true ? { ...version, served: false } : version,
    ),
  (crd) => ({ ...crd, metadata: { ...objectAt(crd, "metadata"), labels: { app: "a" } } }),
];

function definitionOperation(choices: Choices, ground: Ground, group: string): Operation {
  const file = choices.chance(0.75) ? "secretproviderclasses" : "secretproviderclasssyncs";
  const settles = definitionAddress(file, group);
  const changed = choices.of(CHANGES[0] ?? asItIs, ...CHANGES)(definition(file, group));
  // No PUT: our code sends none, and the real server treats one without changes as a change of `spec.versions`.
  return choices.weighted<() => Operation>(
    [3, () => ({ verb: "delete", ...settles, body: { apiVersion: "v1", kind: "DeleteOptions" }, settles })],
    [2, () => ({ verb: "create", ...settles, body: changed, settles })],
    [
      3,
      () => ({
        verb: "apply",
        ...settles,
        query: { fieldManager: choices.of("installer", "healer"), force: String(choices.chance(0.7)) },
        body: changed,
        settles,
      }),
    ],
    // Removes the finalizers that delay a deletion.
    [
      2,
      () => ({
        verb: "merge",
        place: file === "secretproviderclasses" ? ground.classes : ground.syncs,
        namespace: choices.of(...ground.namespaces),
        name: choices.of("one", "two"),
        body: { metadata: { finalizers: null } },
        settles,
      }),
    ],
  )();
}

function asItIs(crd: JsonObject): JsonObject {
  return crd;
}

function withVersions(crd: JsonObject, change: (version: JsonObject) => JsonObject): JsonObject {
  const spec = objectAt(crd, "spec");
  const versions = listAt(spec, "versions").map((version) => (isObject(version) ? change(version) : version));
  return { ...crd, spec: { ...spec, versions } };
}

/** Returns the version with a schema that lacks a member of `spec` or `status`. */
function withoutProperty(version: JsonObject, of: string, name: string): JsonObject {
  const schema = objectAt(objectAt(version, "schema"), "openAPIV3Schema");
  const properties = objectAt(schema, "properties");
  if (!(of in properties)) return version;
  const inner = objectAt(properties, of);
  const { [name]: _cut, ...left } = objectAt(inner, "properties");
  const cut: Json = { ...inner, properties: left };
  return { ...version, schema: { openAPIV3Schema: { ...schema, properties: { ...properties, [of]: cut } } } };
}
