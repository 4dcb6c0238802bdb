import { valueAt } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { isTextMap, textMapProblem } from "../../domain/text-map.ts";
import { podPath } from "./items.ts";

interface MetadataProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/**
 * Returns the problems for which the API server rejects the metadata of a workload or Namespace, where project annotations count, too. The
 * metadata of a pod is checked together with the pod.
 */
export function metadataProblems(object: JsonObject): readonly MetadataProblem[] {
  const path = podPath(object);
  if (path === undefined ? object["kind"] !== "Namespace" : path.length === 0) return [];
  return ["annotations", "labels"].flatMap((field) => {
    const value = valueAt(object, ["metadata", field]) ?? {};
    return isTextMap(value) ? [] : [{ path: ["metadata", field], message: textMapProblem(value, `metadata.${field}`) }];
  });
}
