import { isEqual, type Json, type JsonObject, listAt, objectAt } from "../json.ts";
import { gainsNoHold, metadata, objectsAt, type Policy, type Rule, WORKER } from "./policy.ts";

/** What the worker may write into classes: what they lack as a whole. None is made for Gateways here, which are the worker's own to change. */
export const CLASSES: Policy = {
  name: "keyvault-injector-sync-classes",
  user: WORKER,
  resources: ["secretproviderclasses.secrets-store.csi.x-k8s.io"],
  rules: (request): readonly Rule[] => {
    const { operation, object, oldObject } = request;
    const isUpdate = operation === "UPDATE";
    const [now, before] = isUpdate ? [objectAt(object, "spec"), objectAt(oldObject, "spec")] : [{}, {}];
    return [
      { holds: operation !== "DELETE", message: "the sync worker deletes no class that it has not made" },
      {
        holds: Object.entries(before).every(([field, value]) => field in now && (field === "secretObjects" || isEqual(now[field], value))),
        message: "the sync worker changes no field of a class that is there",
      },
      {
        holds: !("secretObjects" in before) || isCompletion(now, before),
        message: "the sync worker adds what the secretObjects of a class lack, and changes nothing of them",
      },
      {
        holds: !isUpdate || ["labels", "annotations"].every((name) => isEqual(metadata(object)[name], metadata(oldObject)[name])),
        message: "the sync worker changes neither labels nor annotations of a class",
      },
      {
        holds: gainsNoHold(request),
        message: "the sync worker gives classes neither finalizers nor owners, but for the Gateway or Ingress that it made one for",
      },
    ];
  },
};

function isCompletion(now: JsonObject, before: JsonObject): boolean {
  const [items, old] = [objectsAt(now, "secretObjects"), objectsAt(before, "secretObjects")];
  return items.length === old.length && old.every((entry) => items.some((item) => completes(item, entry)));
}

/** Whether one entry of `secretObjects` is another with more in it. */
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
