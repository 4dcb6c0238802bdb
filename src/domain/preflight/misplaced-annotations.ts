import { POD_ANNOTATIONS, PREFIX } from "../annotations.ts";
import { objectAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { INPUT_ANNOTATIONS, misplacedKeys } from "../misplaced-keys.ts";
import { type PreflightWarning, warning } from "./warning.ts";

/** The worker reads the window on the workload itself, too. */
const FOR_TEMPLATES = INPUT_ANNOTATIONS.filter((key) => key !== POD_ANNOTATIONS.restartWindow);

/**
 * Annotations for pods that stand on the workload itself, also as labels: nothing reads them there, and the pods start without their secrets.
 * `path` leads to the pod template; what the template says as well is no mistake of the author's. Labels of the template are the pod's to tell.
 */
export function misplacedAnnotations(workload: JsonObject, path: readonly string[]): readonly PreflightWarning[] {
  if (path.length === 0) return [];
  const right = metadataAt(workload, path, "annotations");
  const annotations = metadataAt(workload, [], "annotations");
  const { kind } = workload;
  const owner = typeof kind === "string" ? kind : "workload";
  const onItself = misplacedKeys(FOR_TEMPLATES, { wrong: annotations, right });
  const asLabel = misplacedKeys(INPUT_ANNOTATIONS, { wrong: metadataAt(workload, [], "labels"), right: { ...annotations, ...right } });
  return [
    ...(onItself.length === 0 ? [] : [misplaced(onItself, `on the ${owner} itself`, path)]),
    ...(asLabel.length === 0 ? [] : [misplaced(asLabel, `as a label of the ${owner}`, path)]),
  ];
}

function misplaced(keys: readonly string[], where: string, path: readonly string[]): PreflightWarning {
  const names = keys.map((key) => key.slice(PREFIX.length + 1)).join(", ");
  return warning(
    "UnknownAnnotation",
    `${PREFIX}/ ${names}: nothing reads this ${where}, move it to ${path.join(".")}.metadata.annotations`,
  );
}

function metadataAt(workload: JsonObject, path: readonly string[], field: "annotations" | "labels"): JsonObject {
  return objectAt(workload, [...path, "metadata", field]) ?? {};
}
