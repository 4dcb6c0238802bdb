/**
 * Converts a class of the input: a class for the sync of the CSI driver, a class that SecretSyncs name, or a class that already uses this
 * project.
 */
import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { itemsIn, memberOf, membersOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { quoted } from "../quoted.ts";
import { readSecretObjects } from "../secret-objects/shape.ts";
import { isTextMap, textMapProblem } from "../text-map.ts";
import { specProblem } from "./build-class.ts";
import { secretDataText } from "./class-text.ts";
import { type ConversionRemark, errorOn, fieldText, type PeerObject, warningOn } from "./peer-object.ts";
import { type SyncedSecret, syncAnnotations } from "./secret-sync.ts";

export interface GivenClass {
  readonly class: JsonObject | undefined;
  readonly remarks: readonly ConversionRemark[];
}

/**
 * Returns the class unchanged, except for the annotations that preserve the life cycle of its Secrets, and the Secrets that SecretSyncs
 * add.
 */
export function convertGivenClass(
  on: PeerObject,
  synced: readonly SyncedSecret[],
  { isAdopting }: { readonly isAdopting: boolean },
): GivenClass {
  const spec = withoutNulls(memberOf(on.object, "spec"));
  const provider = nonEmptyText(spec["provider"]) ?? "";
  if (provider !== PROVIDER) {
    const message = `spec.provider: a class of ${quoted(provider)} belongs to another provider; leave it to the project that syncs it now`;
    return { class: undefined, remarks: [errorOn(on, { path: ["spec", "provider"], message })] };
  }
  const merged = withSynced(on, spec, synced);
  if (merged.spec === undefined) return { class: undefined, remarks: merged.remarks };
  const problem = metadataProblem(on.object) ?? classProblem(merged.spec);
  if (problem !== undefined) return { class: undefined, remarks: [...merged.remarks, errorOn(on, { path: ["spec"], message: problem })] };
  const needed = (given: JsonObject): JsonObject =>
    synced.length > 0 ? syncAnnotations(synced, given, isAdopting) : driverAnnotations(given, spec);
  return {
    class: { ...authorsPart(on.object), metadata: metadataOf(on, needed), spec: merged.spec },
    remarks: [...lifeWarnings(on), ...merged.remarks],
  };
}

/** Warns about owners and deletion. An apply does not change the owners and the deletion of a class in the cluster. */
function lifeWarnings(on: PeerObject): readonly ConversionRemark[] {
  const metadata = memberOf(on.object, "metadata");
  const owners = itemsIn(metadata["ownerReferences"])
    .map(membersOf)
    .map((owner) => `${nonEmptyText(owner["kind"]) ?? "object"} ${nonEmptyText(owner["name"]) ?? ""}`.trim());
  const owned = `metadata.ownerReferences is omitted, but the class in the cluster still has it: delete ${owners.join(" and ")} with --cascade=orphan, or the class is deleted as well`;
  const dying = "metadata.deletionTimestamp is omitted: the class in the cluster is being deleted; apply this class after that";
  return [
    ...(owners.length === 0 ? [] : [warningOn(on, { path: ["metadata", "ownerReferences"], message: owned })]),
    ...(nonEmptyText(metadata["deletionTimestamp"]) === undefined
      ? []
      : [warningOn(on, { path: ["metadata", "deletionTimestamp"], message: dying })]),
  ];
}

function metadataProblem({ metadata }: JsonObject): string | undefined {
  for (const field of ["annotations", "labels"]) {
    const value = membersOf(metadata)[field] ?? {};
    if (!isTextMap(value)) return textMapProblem(value, `metadata.${field}`);
  }
  return undefined;
}

/** Explains why the worker or the API server would refuse the class. */
function classProblem({ parameters, secretObjects }: JsonObject): string | undefined {
  if (!isTextMap(parameters)) return textMapProblem(parameters, "spec.parameters");
  const objects = readSecretObjects(secretObjects);
  if (objects === undefined) return "spec.secretObjects must be a list of secretName, type, and data, all of them strings; correct it";
  return objects.length === 0 ? undefined : specProblem({ provider: PROVIDER, parameters, secretObjects: objects });
}

const PROVIDER = "azure";

/** Removes parameters without a value: kubectl drops them, and GitOps tools refuse them. */
function withoutNulls(spec: JsonObject): JsonObject {
  const parameters = Object.entries(memberOf(spec, "parameters")).filter(([, value]) => value !== null);
  return spec["parameters"] === undefined ? spec : { ...spec, parameters: Object.fromEntries(parameters) };
}

/** Removes the status, which the API server wrote. */
function authorsPart({ status: _status, ...rest }: JsonObject): JsonObject {
  return rest;
}

/**
 * Fields that authors write. The API server and controllers write the other fields, which tie a class to an owner, a deletion, or one
 * cluster.
 */
const OF_AUTHOR = ["name", "namespace", "labels", "annotations"];
const OF_KUBECTL = "kubectl.kubernetes.io/last-applied-configuration";

function metadataOf({ object }: PeerObject, needed: (given: JsonObject) => JsonObject): JsonObject {
  const metadata = Object.fromEntries(Object.entries(memberOf(object, "metadata")).filter(([field]) => OF_AUTHOR.includes(field)));
  const given = Object.fromEntries(Object.entries(membersOf(metadata["annotations"])).filter(([key]) => key !== OF_KUBECTL));
  const annotations = { ...given, ...needed(given) };
  const { annotations: _before, ...rest } = metadata;
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
}

/** Returns the sync annotation that matches the driver, which keeps a Secret while a pod mounts the class. A choice of the author stays. */
function driverAnnotations(given: JsonObject, spec: JsonObject): JsonObject {
  if (given[CLASS_ANNOTATIONS.sync] !== undefined || itemsIn(spec["secretObjects"]).length === 0) return {};
  return { [CLASS_ANNOTATIONS.sync]: "while-used" };
}

/** Adds the Secrets of SecretSyncs. `spec` is undefined if two SecretSyncs, or a SecretSync and the class, contradict each other. */
function withSynced(
  on: PeerObject,
  spec: JsonObject,
  synced: readonly SyncedSecret[],
): { readonly spec: JsonObject | undefined; readonly remarks: readonly ConversionRemark[] } {
  if (synced.length === 0) return { spec, remarks: [] };
  const own = itemsIn(spec["secretObjects"]);
  const problems = [...accountProblems(synced), ...nameProblems(own, synced), ...dataProblems(spec, synced)];
  if (problems.length > 0) return { spec: undefined, remarks: problems };
  const secretData = secretDataText(synced.map(({ expressions }) => expressions));
  const parameters = { ...memberOf(spec, "parameters"), ...(secretData === undefined ? {} : { secretData }) };
  const message =
    "spec.secretObjects: the class's own Secrets, which the CSI driver keeps only while a pod mounts the class, are now kept permanently";
  return {
    spec: { ...spec, parameters, secretObjects: [...own, ...synced.map(({ secretObject }) => secretObject)] },
    remarks: own.length === 0 ? [] : [warningOn(on, { path: ["spec", "secretObjects"], message })],
  };
}

function accountProblems(synced: readonly SyncedSecret[]): readonly ConversionRemark[] {
  const first = synced[0]?.account;
  return synced
    .filter(({ account }) => account !== first)
    .map(({ from, account }) =>
      errorOn(from, {
        path: ["spec", "serviceAccountName"],
        message: `spec.serviceAccountName: a class can use only one account, but ${first} and ${account} are named; copy the class for one of them`,
      }),
    );
}

function nameProblems(own: readonly unknown[], synced: readonly SyncedSecret[]): readonly ConversionRemark[] {
  const names = own.map((object) => membersOf(object)["secretName"]);
  return synced
    .filter(({ secretObject }) => names.includes(secretObject["secretName"]))
    .map(({ from }) =>
      errorOn(from, {
        path: ["metadata", "name"],
        message: `${fieldText(["metadata", "name"])}: the class already has a Secret ${from.name} in its secretObjects; remove one of the two`,
      }),
    );
}

function dataProblems(spec: JsonObject, synced: readonly SyncedSecret[]): readonly ConversionRemark[] {
  if (memberOf(spec, "parameters")["secretData"] === undefined) return [];
  return synced
    .filter(({ expressions }) => expressions.keys.length > 0)
    .map(({ from }) =>
      errorOn(from, {
        path: ["spec", "secretObject"],
        message: "spec.secretObject: the class already has secretData; add the keys to it manually",
      }),
    );
}
