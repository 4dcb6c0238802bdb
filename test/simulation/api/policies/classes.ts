import { isEqual, type Json, type JsonObject, listAt, objectAt } from "../json.ts";
import { gainsNoHold, metadata, objectsAt, type Policy, type Rule, WORKER } from "./policy.ts";

/** The worker can add missing parts to classes, but cannot change existing ones. It creates no classes for Gateways here, so they have no rules. */
export const CLASSES: Policy = {
  name: "keyvault-injector-sync-classes",
  user: WORKER,
  resources: ["secretproviderclasses.secrets-store.csi.x-k8s.io", "secretproviderclasssyncs.keyvault-injector.dev"],
  isAbout: ({ resource, operation }) => resource === "secretproviderclasses" || operation !== "DELETE",
  rules: (request): readonly Rule[] => {
    const { operation, object, oldObject } = request;
    const isUpdate = operation === "UPDATE";
    const [now, before] = isUpdate ? [objectAt(object, "spec"), objectAt(oldObject, "spec")] : [{}, {}];
    return [
      { holds: operation !== "DELETE", message: "the sync worker can delete only classes that it created" },
      {
        holds: Object.entries(before).every(([field, value]) => field in now && (field === "secretObjects" || isEqual(now[field], value))),
        message: "the sync worker cannot change or remove existing fields of a class",
      },
      {
        holds: !("secretObjects" in before) || isCompletion(now, before),
        message: "the sync worker can add missing parts to the secretObjects of a class, but cannot change existing parts",
      },
      {
        holds: !isUpdate || ["labels", "annotations"].every((name) => isEqual(metadata(object)[name], metadata(oldObject)[name])),
        message: "the sync worker cannot change labels or annotations of a class or of its status",
      },
      {
        holds: gainsNoHold(request),
        message:
          "the sync worker cannot add finalizers or owners to a class or to its status, except the Gateway or Ingress for which it created the class",
      },
    ];
  },
};

function isCompletion(now: JsonObject, before: JsonObject): boolean {
  const [items, old] = [objectsAt(now, "secretObjects"), objectsAt(before, "secretObjects")];
  return items.length === old.length && old.every((entry) => items.some((item) => completes(item, entry)));
}

/** Whether an entry of `secretObjects` contains everything in the old entry. */
function completes(item: JsonObject, old: JsonObject): boolean {
  return Object.entries(old).every(([field, value]) => {
    if (!(field in item)) return false;
    if (isEqual(item[field], value)) return true;
    if (field === "labels" || field === "annotations") return hasAllOf(objectAt(item, field), objectAt(old, field));
    return field === "data" && hasAllEntries(listAt(item, field), objectsAt(old, field));
  });
}

function hasAllOf(map: JsonObject, wanted: JsonObject): boolean {
  return Object.entries(wanted).every(([key, value]) => isEqual(map[key], value));
}

function hasAllEntries(entries: readonly Json[], wanted: readonly JsonObject[]): boolean {
  const maps = objectsAt({ entries }, "entries");
  return entries.length === wanted.length && wanted.every((entry) => maps.some((other) => hasAllOf(other, entry)));
}
