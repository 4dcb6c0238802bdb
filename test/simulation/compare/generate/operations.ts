import type { Json, JsonObject } from "../../api/json.ts";
import { isOfCollection, type Operation, type OperationVerb, type Place } from "../operation.ts";
import type { Ground } from "../phases/ground.ts";
import type { Choices } from "../random.ts";
import { randomContents } from "./contents.ts";
import { randomMetadata, randomMetadataPatch } from "./metadata.ts";
import { PLACES, type PlaceName, typeOf } from "./places.ts";

export type Target = PlaceName | "classes" | "syncs";

const WEIGHTS: readonly [readonly [number, Target], ...(readonly [number, Target])[]] = [
  [22, "secrets"],
  [14, "classes"],
  [10, "syncs"],
  [9, "leases"],
  [6, "controllerRevisions"],
  [6, "events"],
  [7, "deployments"],
  [4, "daemonSets"],
  [4, "statefulSets"],
  [2, "replicaSets"],
  [6, "pods"],
  [1, "podTemplates"],
  [3, "configMaps"],
  [3, "serviceAccounts"],
  [2, "budgets"],
  [2, "roles"],
  [2, "roleBindings"],
  [1, "clusterRoles"],
  [2, "clusterRoleBindings"],
  [4, "mutatingWebhooks"],
  [2, "validatingWebhooks"],
  [1, "priorityClasses"],
  [1, "csiDrivers"],
];

const MANAGERS = ["alpha", "beta", "kubectl", "keyvault-injector-sync"] as const;

export function randomOperation(choices: Choices, ground: Ground): Operation {
  return operationOn(choices, ground, choices.weighted(...WEIGHTS));
}

export function operationOn(choices: Choices, ground: Ground, target: Target): Operation {
  const place = placeOf(choices, ground, target);
  const verb = choices.weighted<OperationVerb>(
    [16, "create"],
    [14, "replace"],
    [22, "merge"],
    [26, "apply"],
    [10, "delete"],
    [4, "json"],
    [3, "get"],
    [3, "list"],
    [5, "page"],
    // Each watch takes a second.
    [0.15, "watch"],
  );
  const where = addressed(choices, ground, place);
  const request = REQUESTS[verb](choices, { target, place, where });
  if (!isOfCollection({ verb })) return { verb, place, ...where, ...request };
  // Other lanes can write cluster-scoped objects at the same time, so the list selects one name.
  if (place.isClusterScoped === true) return { verb: "list", place, query: { fieldSelector: `metadata.name=${where.name}` } };
  if (verb === "watch") return { verb, place, namespace: ground.namespaces[0], ...request };
  const isEverywhere = place.group === ground.classes.group && choices.chance(0.4);
  return { verb, place, ...(isEverywhere || where.namespace === undefined ? {} : { namespace: where.namespace }), ...request };
}

function placeOf(choices: Choices, ground: Ground, target: Target): Place {
  if (target === "classes") return choices.chance(0.85) ? ground.classes : ground.olderClasses;
  return target === "syncs" ? ground.syncs : PLACES[target];
}

interface Where {
  readonly namespace?: string;
  readonly name: string;
}

function addressed(choices: Choices, ground: Ground, place: Place): Where {
  const name = choices.weighted([6, "one"], [5, "two"], [3, "three"], [0.15, "Not.Valid"]);
  if (place.isClusterScoped === true) return { name: `${ground.prefix}-${name}`.toLowerCase() };
  const namespace = choices.chance(0.97) ? choices.of(...ground.namespaces) : "missing-namespace";
  return { namespace, name };
}

interface Asked {
  readonly target: Target;
  readonly place: Place;
  readonly where: Where;
}

type Request = Partial<Pick<Operation, "body" | "query" | "subresource" | "isOverLive">>;
type Maker = (choices: Choices, asked: Asked) => Request;

const STATUS: readonly Target[] = ["syncs", "deployments", "daemonSets", "statefulSets", "pods"];

/** Returns the field manager and the dry-run option of a write. Some are missing, and some are invalid. */
function writeQuery(choices: Choices): Record<string, string> {
  return {
    ...choices.maybe(0.85, () => ({ fieldManager: choices.weighted([12, choices.of(...MANAGERS)], [0.2, "m".repeat(129)]) })),
    ...choices.maybe(0.1, () => ({ dryRun: choices.weighted([12, "All"], [1, "Some"]) })),
  };
}

function whole(choices: Choices, { target, place, where }: Asked): JsonObject {
  const contents = inNamespace(randomContents(choices, target), where.namespace);
  const { name, namespace } = where;
  const named = choices.weighted<JsonObject>([30, { name }], [1, { generateName: `${name}-` }], [1, {}]);
  const metadata = {
    ...named,
    ...(namespace === undefined ? {} : choices.maybe(0.7, () => ({ namespace: choices.chance(0.98) ? namespace : "elsewhere" }))),
    ...randomMetadata(choices),
  };
  return { ...typed(choices, place), metadata, ...contents };
}

/** Replaces `$namespace`: Events name the namespace that they are about. */
function inNamespace(contents: JsonObject, namespace: string | undefined): JsonObject {
  return JSON.parse(JSON.stringify(contents).replaceAll("$namespace", namespace ?? "")) as JsonObject; // The same JSON with another word.
}

function typed(choices: Choices, place: Place): JsonObject {
  const right = typeOf(place);
  return choices.weighted<JsonObject>([60, right], [1, { ...right, kind: "Mistake" }], [1, { ...right, apiVersion: "v9" }], [1, {}]);
}

const REQUESTS: Readonly<Record<OperationVerb, Maker>> = {
  create: (choices, asked) => ({ body: whole(choices, asked), query: writeQuery(choices) }),
  replace: (choices, asked) => {
    const query = writeQuery(choices);
    if (choices.chance(0.35)) {
      const body = whole(choices, asked);
      const metadata = {
        ...(body["metadata"] as JsonObject),
        name: asked.where.name,
        ...choices.maybe(0.5, () => ({ resourceVersion: "$version" })),
      }; // whole() always sets metadata.
      return { query, body: { ...body, metadata } };
    }
    return {
      query,
      isOverLive: true,
      body: { ...changedContents(choices, asked), metadata: randomMetadataPatch(choices) },
      ...statusOf(choices, asked),
    };
  },
  merge: (choices, asked) => ({
    query: writeQuery(choices),
    body: {
      ...choices.maybe(0.6, () => changedContents(choices, asked)),
      ...choices.maybe(0.7, () => ({ metadata: randomMetadataPatch(choices) })),
    },
    ...statusOf(choices, asked),
  }),
  json: (choices) => ({ query: writeQuery(choices), body: jsonPatch(choices) }),
  apply: (choices, asked) => {
    const query = { ...writeQuery(choices), ...choices.maybe(0.8, () => ({ force: String(choices.chance(0.5)) })) };
    return { query, body: appliedBody(choices, asked), ...statusOf(choices, asked) };
  },
  delete: (choices) => ({ ...choices.maybe(0.75, () => ({ body: deleteOptions(choices) })) }),
  get: (choices, { target }) =>
    choices.maybe(0.15, () => ({ subresource: STATUS.includes(target) ? "status" : choices.of("status", "nothing") })),
  list: (choices, asked) => ({ query: selection(choices, asked) }),
  watch: (choices) => ({
    query: {
      timeoutSeconds: "1",
      ...choices.maybe(0.6, () => ({ resourceVersion: choices.of("0", "$listedOrNow") })),
      ...choices.maybe(0.3, () => ({ labelSelector: "app=a" })),
    },
  }),
  page: (choices) => ({ query: { limit: choices.of("1", "2"), ...choices.maybe(0.2, () => ({ labelSelector: "app=a" })) } }),
};

function statusOf(choices: Choices, { target }: Asked): Request {
  if (!STATUS.includes(target)) return choices.maybe(0.02, () => ({ subresource: "status" }));
  return choices.maybe(target === "syncs" ? 0.6 : 0.2, () => ({ subresource: "status" }));
}

/** Returns a part of new contents as a merge patch: nothing, some members, or nulls instead. */
function changedContents(choices: Choices, { target, where }: Asked): JsonObject {
  const contents = inNamespace(randomContents(choices, target), where.namespace);
  const entries = Object.entries(contents).flatMap(([name, value]): [string, Json][] =>
    choices.chance(0.8) ? [[name, choices.chance(0.05) ? null : value]] : [],
  );
  return {
    ...Object.fromEntries(entries),
    ...(target === "pods" && choices.chance(0.4) ? { status: { phase: choices.of("Running", "Succeeded") } } : {}),
  };
}

function appliedBody(choices: Choices, asked: Asked): JsonObject {
  const { where, target, place } = asked;
  const contents = inNamespace(randomContents(choices, target), where.namespace);
  const { name, namespace } = where;
  const { generateName: _generateName, ...more } = randomMetadata(choices);
  const metadata = {
    ...choices.maybe(0.98, () => ({ name })),
    ...(namespace === undefined ? {} : choices.maybe(0.8, () => ({ namespace }))),
    ...more,
    ...choices.maybe(0.15, () => ({ uid: choices.weighted([4, "$uid"], [1, "22222222-2222-4333-8444-555555555555"]) })),
    ...choices.maybe(0.12, () => ({ resourceVersion: choices.weighted([4, "$version"], [2, "$earlier"]) })),
    ...choices.maybe(0.02, () => ({ managedFields: [] })),
  };
  const kept = Object.fromEntries(Object.entries(contents).filter(() => choices.chance(0.85)));
  return { ...typed(choices, place), metadata, ...kept };
}

function jsonPatch(choices: Choices): Json {
  return choices.some<JsonObject>([
    { op: "add", path: "/metadata/labels", value: { app: "json" } },
    { op: "add", path: "/metadata/labels/tier", value: choices.of("a", "b") },
    { op: "remove", path: "/metadata/annotations" },
    { op: "test", path: "/metadata/name", value: "one" },
    { op: "replace", path: "/metadata/resourceVersion", value: "$version" },
  ]);
}

function deleteOptions(choices: Choices): JsonObject {
  return {
    ...choices.maybe(0.9, () => ({ apiVersion: "v1", kind: "DeleteOptions" })),
    ...choices.maybe(0.5, () => ({
      preconditions: {
        ...choices.maybe(0.7, () => ({ uid: choices.weighted([4, "$uid"], [1, "22222222-2222-4333-8444-555555555555"]) })),
        ...choices.maybe(0.5, () => ({ resourceVersion: choices.weighted([3, "$version"], [1, "$earlier"]) })),
      },
    })),
    ...choices.maybe(0.4, () => ({
      propagationPolicy: choices.weighted([6, "Background"], [2, "Foreground"], [2, "Orphan"], [0.4, "Sideways"]),
    })),
    ...choices.maybe(0.12, () => ({ dryRun: ["All"] })),
    ...choices.maybe(0.15, () => ({ gracePeriodSeconds: choices.of(0, 3) })),
  };
}

function selection(choices: Choices, { target, where }: Asked): Record<string, string> {
  const labels = choices.weighted<string>(
    [3, "app=a"],
    [2, "app"],
    [2, "!app"],
    [2, "app in (a,b),tier!=b"],
    [1, "keyvault-injector.dev/managed=true"],
    [1, "app notin (a)"],
    [1, "bad key=a"],
    [1, "app=="],
    [0.5, "app=not valid"],
  );
  const fields = choices.weighted<string>(
    [4, `metadata.name=${where.name}`],
    [2, `metadata.namespace=${where.namespace ?? ""}`],
    [1, `metadata.name!=${where.name}`],
    [1, "metadata.uid=x"],
    [1, "nonsense"],
    [2, target === "pods" ? "status.phase!=Succeeded,status.phase!=Failed" : "type=Opaque"],
  );
  return {
    ...choices.maybe(0.5, () => ({ labelSelector: labels })),
    ...choices.maybe(0.4, () => ({ fieldSelector: fields })),
    ...choices.maybe(0.05, () => ({ resourceVersion: "0" })),
  };
}
