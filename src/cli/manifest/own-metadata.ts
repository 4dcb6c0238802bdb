import { valueAt } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { isTextMap, textMapProblem } from "../../domain/text-map.ts";
import { podPath } from "./items.ts";

interface MetadataProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** What the API server refuses of a workload's own metadata, and of a Namespace's: annotations of ours count there, too. A pod's are read with the pod. */
export function metadataProblems(object: JsonObject): readonly MetadataProblem[] {
  const path = podPath(object);
  if (path === undefined ? object["kind"] !== "Namespace" : path.length === 0) return [];
  return ["annotations", "labels"].flatMap((field) => {
    const value = valueAt(object, ["metadata", field]) ?? {};
    return isTextMap(value) ? [] : [{ path: ["metadata", field], message: textMapProblem(value, `metadata.${field}`) }];
  });
}
