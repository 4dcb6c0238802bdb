import { annotationName } from "../annotation-keys.ts";
import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../annotations.ts";
import { windowWarnings } from "../injection/restart-window.ts";
import {
  KNOWN_ON_WORKLOADS,
  unknownAnnotations,
  unknownAnnotationWarning,
  unknownAnnotationWarnings,
} from "../injection/unknown-annotations.ts";
import { objectAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { INPUT_ANNOTATIONS, misplacedKeys, WORKLOAD_INPUT } from "../misplaced-keys.ts";
import { quoted } from "../quoted.ts";
import { OUTPUT_ONLY_KEYS, WRITTEN_KEYS } from "../written-keys.ts";
import { type PreflightWarning, preflightWarning } from "./warning.ts";

/** Annotations that work only on the pod template. The worker also reads the restart window on the workload itself. */
const FOR_TEMPLATES = INPUT_ANNOTATIONS.filter((key) => key !== POD_ANNOTATIONS.restartWindow);

/** Annotations of other objects that `refresh` also writes on pods. On a pod template, they are mistakes of its author. */
const NEVER_ON_TEMPLATES: readonly string[] = WRITTEN_KEYS.pods.annotations.filter((key) => !OUTPUT_ONLY_KEYS.includes(key));

/**
 * Warns about pod annotations, also as labels, on the workload itself. Nothing reads them there, and the pods start without their secrets.
 * Also warns about unknown keys, and about invalid values that the worker reads on the workload itself. `path` leads to the pod template.
 * If the template has a key as well, the author made no mistake. The checks of the pod cover the labels of the template.
 */
export function misplacedAnnotations(workload: JsonObject, path: readonly string[]): readonly PreflightWarning[] {
  if (path.length === 0) return [];
  const right = metadataAt(workload, path, "annotations");
  const annotations = metadataAt(workload, [], "annotations");
  const labels = metadataAt(workload, [], "labels");
  const { kind } = workload;
  const owner = typeof kind === "string" ? kind : "workload";
  const template = `${path.join(".")}.metadata.annotations`;
  const onItself = misplacedKeys(FOR_TEMPLATES, { wrong: annotations, right });
  const between = placesBetween(path).flatMap((place) => {
    const why = `${[...place, "metadata"].join(".")} of the ${owner} has no effect`;
    const said = (wrong: JsonObject, keys: readonly string[]) => misplaced(misplacedKeys(keys, { wrong, right }), { to: template, why });
    const unknown = unknownAnnotations(metadataAt(workload, place, "annotations"), KNOWN_ON_WORKLOADS);
    return [
      ...said(metadataAt(workload, place, "annotations"), INPUT_ANNOTATIONS),
      ...said(metadataAt(workload, place, "labels"), INPUT_ANNOTATIONS),
      ...unknownAnnotationWarnings(unknown).map((text) => preflightWarning("UnknownAnnotation", text)),
    ];
  });
  const asLabel = misplacedKeys(INPUT_ANNOTATIONS, { wrong: labels, right: { ...annotations, ...right } });
  const ofItself = misplacedKeys(WORKLOAD_INPUT, { wrong: labels, right: annotations });
  const onTemplate = NEVER_ON_TEMPLATES.filter((key) => Object.hasOwn(right, key)).map((key) => ({ key, nearest: undefined }));
  return [
    ...misplaced(onItself, { to: template, why: `the ${owner}'s own metadata has no effect` }),
    ...between,
    ...misplaced(asLabel, { to: template, why: `labels of the ${owner} have no effect` }),
    ...misplaced(ofItself, { to: "metadata.annotations", why: `labels of the ${owner} have no effect` }),
    ...[
      ...onTemplate.map((each) => unknownAnnotationWarning(each)),
      ...unknownAnnotationWarnings(unknownAnnotations(annotations, KNOWN_ON_WORKLOADS)),
    ].map((text) => preflightWarning("UnknownAnnotation", text)),
    ...restartProblems(annotations),
  ];
}

/** Returns the parts between a workload and its pod template that have their own metadata: the Job template of a CronJob. */
function placesBetween(path: readonly string[]): readonly (readonly string[])[] {
  const places = path.map((_, index) => path.slice(0, index + 1)).slice(0, -1);
  return places.filter((place) => place.at(-1) !== "spec");
}

/** Returns problems with the annotations that the worker reads on the workload itself. */
function restartProblems(annotations: JsonObject): readonly PreflightWarning[] {
  const { [POD_ANNOTATIONS.restartWindow]: window, [RESTART_ANNOTATIONS.paused]: paused } = annotations;
  const windows = typeof window === "string" ? windowWarnings(window) : [];
  // The API server rejects a value that is not text, so it needs no warning here.
  const isStrange = typeof paused === "string" && paused !== "true" && paused !== "false";
  const pauses = isStrange ? [`${RESTART_ANNOTATIONS.paused} is ${quoted(paused, 20)} and pauses restarts: write "true" or "false"`] : [];
  return [...windows, ...pauses].map((text) => preflightWarning("InvalidAnnotation", text));
}

/** Returns one warning for all keys. Only the first key has the common prefix. */
function misplaced(keys: readonly string[], { to, why }: { readonly to: string; readonly why: string }): readonly PreflightWarning[] {
  if (keys.length === 0) return [];
  const names = keys.map((key, index) => (index === 0 ? key : annotationName(key)));
  return [preflightWarning("UnknownAnnotation", `move ${listed(names)} to ${to}: ${why}`)];
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function metadataAt(workload: JsonObject, path: readonly string[], field: "annotations" | "labels"): JsonObject {
  return objectAt(workload, [...path, "metadata", field]) ?? {};
}
