import jsonPatch, { type Operation } from "fast-json-patch";
import { DecodeProblem } from "../codec/scalars.ts";
import { isObject, type Json, type JsonObject, stringAt } from "../json.ts";
import { type Applied, apply, type Conflicts, type Live } from "../managed-fields/apply.ts";
import { fieldsLastApplied, KUBECTL, withLastApplied } from "../managed-fields/last-applied.ts";
import type { Manager } from "../managed-fields/managers.ts";
import { validateApplied } from "../managed-fields/validate.ts";
import { applyConflict, badRequest, conflict, invalid, notFound, Refusal } from "../refusal.ts";
import { keyOf, type Stored } from "../store/stored.ts";
import { invalidValue } from "../validation/cause.ts";
import { assertNamespace, withoutTwins } from "./admission.ts";
import { assertName, assertSize, inNamespace, parseApplied, parseObject } from "./body.ts";
import { metadataOf, nameOf, resourceOf, type Writing, type Written } from "./context.ts";
import { ownershipOf, store, withoutManagers } from "./create.ts";
import { mergePatched } from "./merge-patch.ts";
import { update, updated } from "./update.ts";

function existingOf({ kind, route, collection }: Writing): Stored | undefined {
  return collection.get(keyOf(kind.namespaced ? route.namespace : undefined, route.name ?? ""));
}

/** Handles a merge patch or a JSON patch. */
export function patch(writing: Writing, type: "merge" | "json"): Written {
  const { kind, route } = writing;
  assertSize(writing.request.body);
  const existing = existingOf(writing);
  if (existing === undefined) throw notFound(resourceOf(kind), route.name ?? "");
  const live = kind.view(existing.object);
  const patched = type === "merge" ? merged(writing, live) : edited(writing, live);
  const object = inNamespace(writing, withoutTwins(readPatched(writing, patched, live)));
  assertName(object, route.name ?? "");
  return update(writing, existing, updated(writing, object, existing));
}

function merged({ request }: Writing, live: JsonObject): Json {
  const body = parseObject(request.body);
  if (body === undefined) throw badRequest("error decoding patch: json: cannot unmarshal");
  return mergePatched(live, body);
}

function edited({ request }: Writing, live: JsonObject): Json {
  try {
    const operations = JSON.parse(request.body ?? "") as Operation[]; // For anything else, applyPatch throws.
    return jsonPatch.applyPatch(structuredClone(live), operations, true).newDocument;
  } catch {
    const message = "the server rejected our request due to an error in our request";
    throw new Refusal({ code: 422, reason: "Invalid", message, details: {} });
  }
}

function readPatched({ kind }: Writing, patched: Json, live: JsonObject): JsonObject {
  try {
    if (isObject(patched)) return kind.read(patched, live);
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    throw invalid({ group: "", kind: "" }, "", [invalidValue("patch", JSON.stringify(patched), error.message)]);
  }
  throw badRequest("the patched object is no object");
}

/** Handles a server-side apply. */
export function applyPatch(writing: Writing, force: boolean): Written {
  const { kind, route } = writing;
  assertSize(writing.request.body);
  const body = parseApplied(writing.request.body);
  const existing = existingOf(writing);
  if (existing === undefined && writing.subresource !== "") throw notFound(resourceOf(kind), route.name ?? "");
  assertApplied(writing, body);
  const live = existing === undefined ? kind.blank : withoutManagers(kind.view(existing.object));
  const outcome = outcomeOf(writing, { object: live, managers: existing?.managers ?? [], blank: kind.blank }, body, force);
  if (outcome.kind === "conflicts") throw conflicting(outcome);
  const object = writing.fieldManager === KUBECTL ? withLastApplied(outcome.object, body) : outcome.object;
  return finished(writing, existing, { applied: { ...outcome, object }, live });
}

/** Applies the object. kubectl takes over fields that it set by client-side apply before. */
function outcomeOf(writing: Writing, live: Live, body: JsonObject, force: boolean): Applied | Conflicts {
  const ownership = ownershipOf(writing);
  const writer = { name: writing.fieldManager, now: writing.timestamp };
  const outcome = apply(ownership, live, body, { ...writer, force });
  if (outcome.kind === "applied" || writer.name !== KUBECTL) return outcome;
  const allowed = fieldsLastApplied(writing.kind.shape, live.object, writing.kind.apiVersion);
  if (allowed === undefined) return outcome;
  const conflicts = outcome.conflicts.filter(({ elements }) => !allowed.has(elements));
  return conflicts.length > 0 ? { kind: "conflicts", conflicts } : apply(ownership, live, body, { ...writer, force: true });
}

interface Merged {
  readonly applied: Applied;
  readonly live: JsonObject;
}

function finished(writing: Writing, existing: Stored | undefined, { applied, live }: Merged): Written {
  const { kind, route } = writing;
  const name = route.name ?? "";
  const object = inNamespace(writing, withoutTwins(completed(writing, applied.object, live)));
  const uid = stringAt(metadataOf(object), "uid") ?? "";
  if (existing === undefined && uid !== "") {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(resourceOf(kind), name, why);
  }
  assertName(object, name);
  if (existing !== undefined) return update(writing, existing, { object, managers: applied.managers });
  assertNamespace(writing, object);
  return store(writing, object, applied.managers);
}

function completed({ kind }: Writing, object: JsonObject, live: JsonObject): JsonObject {
  try {
    return object === live ? live : kind.complete(object, live);
  } catch (error) {
    if (!(error instanceof DecodeProblem)) throw error;
    throw new Refusal({ code: 500, reason: "", message: `failed to convert new typed object to object: ${error.message}` });
  }
}

/** Refuses an apply with another kind, unknown fields, or managedFields. */
function assertApplied({ kind }: Writing, body: JsonObject): void {
  const given = stringAt(body, "apiVersion") ?? "";
  if (given !== kind.apiVersion || body["kind"] !== kind.kind) {
    const [group, version] = given.includes("/") ? given.split("/") : ["", given];
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${stringAt(body, "kind") ?? ""}`);
  }
  if (metadataOf(body)["managedFields"] !== undefined) throw badRequest("metadata.managedFields must be nil");
  const problems = validateApplied(kind.shape, body);
  if (problems.length === 0) return;
  const version = kind.group === "" ? `/${kind.version}` : kind.apiVersion;
  const named = `${stringAt(metadataOf(body), "namespace") ?? ""}/${nameOf(body)}; ${version}, Kind=${kind.kind}`;
  const message = problems.length === 1 ? (problems[0] ?? "") : `errors:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
  throw new Refusal({ code: 500, reason: "", message: `failed to create typed patch object (${named}): ${message}` });
}

function conflicting({ conflicts }: Conflicts): Refusal {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${managerText(manager)}`,
    field: path,
  }));
  return applyConflict(causes, conflictText(conflicts));
}

function conflictText(conflicts: Conflicts["conflicts"]): string {
  const [only, second] = conflicts;
  if (only !== undefined && second === undefined) {
    return `Apply failed with 1 conflict: conflict with ${managerText(only.manager)}: ${only.path}`;
  }
  const managers = [...new Set(conflicts.map(({ manager }) => manager))].sort((a, b) => (managerText(a) < managerText(b) ? -1 : 1));
  const lines = managers.flatMap((manager) => [
    `conflicts with ${managerText(manager)}:`,
    ...conflicts.filter((one) => one.manager === manager).map(({ path }) => `- ${path}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

function managerText({ name, operation, apiVersion, subresource }: Manager): string {
  const named = `${JSON.stringify(name)}${subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`}`;
  return operation === "Update" ? `${named} using ${apiVersion}` : named;
}
