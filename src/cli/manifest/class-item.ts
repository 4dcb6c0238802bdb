import { membersOf } from "../../domain/json-members.ts";
import { apiVersionOf, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { quoted } from "../../domain/quoted.ts";
import { readSecretObjects } from "../../domain/secret-objects/shape.ts";
import { isTextMap, textMapProblem } from "../../domain/text-map.ts";
import type { ManifestItem } from "./items.ts";
import { toYaml } from "./yaml.ts";

/** Field of a class that the API server rejects, or that it rejects for one way of applying. */
export interface ClassFieldProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface ClassItem {
  /** The class as decisions use it: only with the parameters that are strings, as the schema demands. */
  readonly class: SecretProviderClass;
  /** Problems that make every way of applying fail. */
  readonly refused: readonly ClassFieldProblem[];
  /** Keys of parameters whose value is null. */
  readonly nulls: readonly string[];
}

const SERVED = apiVersionOf(RESOURCES.secretProviderClasses);
/** The CRDs of the driver and of this project serve this version with the same schema, and the API server stores the current version. */
const DEPRECATED = apiVersionOf({ ...RESOURCES.secretProviderClasses, version: "v1alpha1" });

/** Whether the item is a class, in any version and group: authors often write the driver's name as the group. */
export function isClass({ object }: ManifestItem): boolean {
  return object["kind"] === RESOURCES.secretProviderClasses.kind;
}

/** Returns what is wrong with the apiVersion of a class; undefined if a CRD serves it. */
export function apiVersionProblem({ object: { apiVersion } }: Pick<ManifestItem, "object">): string | undefined {
  if (apiVersion === SERVED || apiVersion === DEPRECATED) return undefined;
  return `no CRD serves this kind in apiVersion ${quoted(typeof apiVersion === "string" ? apiVersion : "", 63)}: write ${SERVED}`;
}

/** Returns the API server's warning for a class in the deprecated version: `deprecationWarning` of its CRD. */
export function deprecationOf({ object }: Pick<ManifestItem, "object">): string | undefined {
  if (object["apiVersion"] !== DEPRECATED) return undefined;
  return `${DEPRECATED} is deprecated. Use ${SERVED} instead.`;
}

/** Reads a class from a manifest, in which nothing has been validated: `usePodIdentity: false` is a boolean there, and rejected. */
export function readClassItem(item: ManifestItem, namespace: string): ClassItem {
  const spec = membersOf(item.object["spec"]);
  const parameters = Object.entries(membersOf(spec["parameters"]));
  const metadata = membersOf(item.object["metadata"]);
  const secretObjects = readSecretObjects(spec["secretObjects"]);
  const read = {
    apiVersion: SERVED,
    kind: RESOURCES.secretProviderClasses.kind,
    metadata: {
      ...metadata,
      annotations: texts(metadata["annotations"]),
      labels: texts(metadata["labels"]),
      name: item.name,
      namespace: item.namespace ?? namespace,
    },
    spec: {
      ...spec,
      provider: typeof spec["provider"] === "string" ? spec["provider"] : "",
      parameters: texts(spec["parameters"]),
      secretObjects: secretObjects ?? [],
    },
  };
  return {
    class: read, // The code above narrows the fields that decisions use; the API server validates the others.
    refused: [
      ...["annotations", "labels"].flatMap((field) => metadataProblem(metadata[field], ["metadata", field])),
      ...parameters
        .filter(([, value]) => value !== null && typeof value !== "string")
        .map(([key, value]) => ({
          path: ["spec", "parameters", key],
          message: `spec.parameters.${key} is not a string, but parameters must be strings: ${adviceFor(value)}`,
        })),
      ...(typeof spec["provider"] === "string" || spec["provider"] === undefined
        ? []
        : [{ path: ["spec", "provider"], message: "spec.provider must be a string: write provider: azure" }]),
      ...(secretObjects === undefined ? [{ path: ["spec", "secretObjects"], message: SECRET_OBJECTS }] : []),
    ],
    nulls: parameters.filter(([, value]) => value === null).map(([key]) => key),
  };
}

function metadataProblem(values: unknown, path: readonly string[]): readonly ClassFieldProblem[] {
  if (values === undefined || values === null || isTextMap(values)) return [];
  return [{ path, message: textMapProblem(values, path.join(".")) }];
}

const SECRET_OBJECTS =
  "spec.secretObjects must be a list of secretName, type and data, and data a list of objectName and key, all of them strings";

function adviceFor(value: unknown): string {
  return typeof value === "object" ? "write a block of text, as in `objects: |`" : `write ${quoted(toYaml(value).trimEnd())}`;
}

function texts(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(membersOf(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return Object.fromEntries(entries);
}
