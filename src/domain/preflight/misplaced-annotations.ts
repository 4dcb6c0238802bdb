import { POD_ANNOTATIONS, PREFIX, RESTART_ANNOTATIONS } from "../annotations.ts";
import { windowWarnings } from "../injection/restart-window.ts";
import { objectAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { INPUT_ANNOTATIONS, misplacedKeys } from "../misplaced-keys.ts";
import { quoted } from "../quoted.ts";
import { type PreflightWarning, warning } from "./warning.ts";

/** The worker reads the window on the workload itself, too. */
const FOR_TEMPLATES = INPUT_ANNOTATIONS.filter((key) => key !== POD_ANNOTATIONS.restartWindow);

/**
 * Annotations for pods that stand on the workload itself, also as labels: nothing reads them there, and the pods start without their secrets.
 * Also what the worker reads on the workload itself and could not understand. `path` leads to the pod template; what the template says as well is no mistake of the author's. Labels of the template are the pod's to tell.
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
    ...restartProblems(annotations),
  ];
}

/** What the worker reads on the workload itself, and could not. */
function restartProblems(annotations: JsonObject): readonly PreflightWarning[] {
  const { [POD_ANNOTATIONS.restartWindow]: window, [RESTART_ANNOTATIONS.paused]: paused = "false" } = annotations;
  const told = typeof window === "string" ? windowWarnings(window) : [];
  const isFlag = paused === "true" || paused === "false";
  const pause = `${RESTART_ANNOTATIONS.paused} is ${quoted(String(paused), 20)} and pauses restarts: write "true" or "false"`;
  return [...told, ...(isFlag ? [] : [pause])].map((text) => warning("InvalidAnnotation", text));
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
