import type { Denial } from "../admission/reasons.ts";
import { CLASS_ANNOTATIONS, INJECTED_LABEL, POD_ANNOTATIONS, PREFIX, RESTART_ANNOTATIONS } from "../annotations.ts";
import { WORKLOAD_INPUT } from "../misplaced-keys.ts";
import { editDistance, nearestName } from "../spelling.ts";
import { annotationOnPod, subjectOnNamespace } from "./effective-annotations.ts";
import { denial, warning } from "./messages.ts";

const KNOWN: readonly string[] = Object.values(POD_ANNOTATIONS).map(nameOf);
/** What stops restarts and asks for them: on a workload itself and on a Namespace, and never on pods. */
const OF_WORKLOADS: readonly string[] = WORKLOAD_INPUT.map(nameOf);
/** All that may have been meant. */
export const KNOWN_ON_NAMESPACES: readonly string[] = [...KNOWN, ...OF_WORKLOADS];
export const KNOWN_ON_WORKLOADS: readonly string[] = [...KNOWN_ON_NAMESPACES, nameOf(RESTART_ANNOTATIONS.nowAnswered)];
const OF_CLASSES: readonly string[] = Object.values(CLASS_ANNOTATIONS).map(nameOf);

/** No more are told of, and of those no more with a suggestion; an object has room for thousands of keys. */
const MOST_TOLD = 50;
const MOST_SUGGESTIONS = 20;

export interface UnknownAnnotation {
  readonly key: string;
  /** Full key of the known annotation that is spelt most like it; undefined where none is near. */
  readonly nearest: string | undefined;
}

/** Keys under our prefix that mean nothing on a pod, on its workload or on its Namespace: mostly slips of the pen. */
export function unknownAnnotations(
  annotations: Readonly<Record<string, unknown>>,
  known: readonly string[] = KNOWN,
): readonly UnknownAnnotation[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(`${PREFIX}/`) && !known.includes(nameOf(key)))
    .slice(0, MOST_TOLD)
    .sort()
    .map((key, index) => ({ key, nearest: index < MOST_SUGGESTIONS ? nearestTo(nameOf(key)) : undefined }))
    .map(({ key, nearest }) => ({ key, nearest: nearest === undefined ? undefined : `${PREFIX}/${nearest}` }));
}

/** With `--strict-annotations`. Undefined where it is our own stamp, which copied templates may carry in the wrong place. */
export function unknownAnnotationDenial({ key, nearest }: UnknownAnnotation, namespace?: string): Denial | undefined {
  if (key === INJECTED_LABEL) return undefined;
  const annotation = namespace === undefined ? annotationOnPod(key, "").subject : subjectOnNamespace(key, namespace);
  if (OF_WORKLOADS.includes(nameOf(key))) return denial("workloadAnnotation", { annotation });
  if (OF_CLASSES.includes(nameOf(key))) return denial("classAnnotation", { annotation });
  return nearest === undefined ? denial("unknown", { annotation }) : denial("unknownButNear", { annotation, nearest });
}

/** Short enough whatever the key: the prefix, which both have, is said once. */
export function unknownAnnotationWarning({ key, nearest }: UnknownAnnotation, namespace?: string): string {
  const name = nameOf(key);
  if (OF_WORKLOADS.includes(name)) return warning("workloadAnnotation", { key: name });
  if (OF_CLASSES.includes(name)) return warning("classAnnotation", { key: name });
  if (namespace === undefined) {
    return nearest === undefined ? warning("unknown", { key: name }) : warning("unknownButNear", { key: name, nearest: nameOf(nearest) });
  }
  return nearest === undefined
    ? warning("onNamespace", { key: name, namespace })
    : warning("onNamespaceButNear", { key: name, namespace, nearest: nameOf(nearest) });
}

function nameOf(key: string): string {
  return key.slice(PREFIX.length + 1);
}

/** A suggestion that shares hardly a letter only confuses: a third of the word may differ, and two letters of a short one. */
function nearestTo(name: string): string | undefined {
  const nearest = nearestName(name, KNOWN_ON_NAMESPACES);
  if (nearest === undefined) return undefined;
  return editDistance(name.toLowerCase(), nearest) <= Math.max(2, Math.floor(name.length / 3)) ? nearest : undefined;
}
