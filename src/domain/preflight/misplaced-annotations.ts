import { POD_ANNOTATIONS, PREFIX } from "../annotations.ts";
import type { JsonObject } from "../json-object.ts";
import { type PreflightWarning, warning } from "./warning.ts";
import { objectAt } from "./workload.ts";

/** Written by us on a workload itself, too. */
const OUTPUT_ONLY: readonly string[] = [POD_ANNOTATIONS.rotated, POD_ANNOTATIONS.status];

/**
 * Annotations for pods that stand on the workload itself: nothing reads them there, and the pods start without their secrets. `path` leads to
 * the pod template; what the template says as well is no mistake of the author's.
 */
export function misplacedAnnotations(workload: JsonObject, path: readonly string[]): readonly PreflightWarning[] {
  if (path.length === 0) return [];
  const known: readonly string[] = Object.values(POD_ANNOTATIONS);
  const there = annotationsAt(workload, path);
  const misplaced = Object.keys(annotationsAt(workload, []))
    .filter((key) => known.includes(key) && !OUTPUT_ONLY.includes(key) && !Object.hasOwn(there, key))
    .map((key) => key.slice(PREFIX.length + 1));
  if (misplaced.length === 0) return [];
  const { kind } = workload;
  const owner = typeof kind === "string" ? kind : "workload";
  const text = `${PREFIX}/ ${misplaced.join(", ")}: nothing reads this on the ${owner} itself, move it to ${path.join(".")}.metadata.annotations`;
  return [warning("UnknownAnnotation", text)];
}

function annotationsAt(workload: JsonObject, path: readonly string[]): JsonObject {
  return objectAt(workload, [...path, "metadata", "annotations"]) ?? {};
}
