import type { Denial } from "../admission/reasons.ts";
import { annotationName, isOwnAnnotation } from "../annotation-keys.ts";
import { CLASS_ANNOTATIONS, POD_ANNOTATIONS, PREFIX } from "../annotations.ts";
import { WORKLOAD_INPUT } from "../misplaced-keys.ts";
import { editDistance, nearestName } from "../spelling.ts";
import { OUTPUT_ONLY_KEYS, WRITTEN_KEYS } from "../written-keys.ts";
import { annotationOnPod, NEVER_DEFAULTS, subjectOnNamespace } from "./effective-annotations.ts";
import { denial, warning } from "./messages.ts";

const OF_PODS: readonly string[] = Object.values(POD_ANNOTATIONS).map(annotationName);
const KNOWN: readonly string[] = [...OF_PODS, ...writtenOn("pods")];
/** Annotations that pause or request restarts: on a workload itself and on a Namespace, never on pods. */
const OF_WORKLOADS: readonly string[] = WORKLOAD_INPUT.map(annotationName);
/** All annotations that a user may have meant. */
const MEANT: readonly string[] = [...OF_PODS, ...OF_WORKLOADS];
export const KNOWN_ON_NAMESPACES: readonly string[] = [...MEANT, ...writtenOn("namespaces")];
export const KNOWN_ON_WORKLOADS: readonly string[] = [...MEANT, ...writtenOn("workloads")];
const OF_CLASSES: readonly string[] = Object.values(CLASS_ANNOTATIONS).map(annotationName);

/** Most annotations that are reported, and most of them with a suggestion. An object can have thousands of keys. */
const MOST_REPORTED = 50;
const MOST_SUGGESTIONS = 20;

export interface UnknownAnnotation {
  readonly key: string;
  /** Full key of the known annotation with the most similar spelling; undefined if none is similar. */
  readonly nearest: string | undefined;
}

export interface UnknownAnnotations {
  /** The first {@link MOST_REPORTED}, sorted. */
  readonly reported: readonly UnknownAnnotation[];
  /** Number of the remaining ones. */
  readonly more: number;
}

/** Returns keys with the project's prefix that have no meaning on a pod, on its workload or on its Namespace. Most are typos. */
export function unknownAnnotations(annotations: Readonly<Record<string, unknown>>, known: readonly string[] = KNOWN): UnknownAnnotations {
  const keys = Object.keys(annotations).filter((key) => isOwnAnnotation(key) && !known.includes(annotationName(key)));
  const reported = keys
    .slice(0, MOST_REPORTED)
    .sort()
    .map((key, index) => ({ key, nearest: index < MOST_SUGGESTIONS ? nearestTo(annotationName(key)) : undefined }))
    .map(({ key, nearest }) => ({ key, nearest: nearest === undefined ? undefined : `${PREFIX}/${nearest}` }));
  return { reported, more: keys.length - reported.length };
}

/** Returns one warning for each reported key, and one with the number of the others. */
export function unknownAnnotationWarnings({ reported, more }: UnknownAnnotations, namespace?: string): readonly string[] {
  const warnings = reported.map((each) => unknownAnnotationWarning(each, namespace));
  if (more === 0) return warnings;
  const count = String(more);
  return [...warnings, namespace === undefined ? warning("moreUnknown", { count }) : warning("moreOnNamespace", { count, namespace })];
}

/** Returns the denial with `--strict-annotations`. Undefined for keys that no user writes, which copies may have in the wrong place. */
export function unknownAnnotationDenial(unknown: UnknownAnnotation, namespace?: string): Denial | undefined {
  const { key } = unknown;
  if (OUTPUT_ONLY_KEYS.includes(key)) return undefined;
  const annotation = namespace === undefined ? annotationOnPod(key, "").subject : subjectOnNamespace(key, namespace);
  if (OF_WORKLOADS.includes(annotationName(key))) return denial("workloadAnnotation", { annotation });
  if (OF_CLASSES.includes(annotationName(key))) return denial("classAnnotation", { annotation });
  const nearest = usableNearest(unknown, namespace);
  return nearest === undefined ? denial("unknown", { annotation }) : denial("unknownButNear", { annotation, nearest });
}

/** Short for any key, because the prefix, which both keys have, appears only once. */
export function unknownAnnotationWarning(unknown: UnknownAnnotation, namespace?: string): string {
  const name = annotationName(unknown.key);
  if (OF_WORKLOADS.includes(name)) return warning("workloadAnnotation", { key: name });
  if (OF_CLASSES.includes(name)) return warning("classAnnotation", { key: name });
  const nearest = usableNearest(unknown, namespace);
  if (namespace === undefined) {
    return nearest === undefined
      ? warning("unknown", { key: name })
      : warning("unknownButNear", { key: name, nearest: annotationName(nearest) });
  }
  return nearest === undefined
    ? warning("onNamespace", { key: name, namespace })
    : warning("onNamespaceButNear", { key: name, namespace, nearest: annotationName(nearest) });
}

/** Ignores a suggestion that has no effect on a Namespace. */
function usableNearest({ nearest }: UnknownAnnotation, namespace: string | undefined): string | undefined {
  return namespace !== undefined && nearest !== undefined && NEVER_DEFAULTS.includes(nearest) ? undefined : nearest;
}

function writtenOn(kind: keyof typeof WRITTEN_KEYS): readonly string[] {
  return WRITTEN_KEYS[kind].annotations.map(annotationName);
}

/** Returns a suggestion only if it is similar, because others confuse: a third of the word may differ, or two letters of a short word. */
function nearestTo(name: string): string | undefined {
  const nearest = nearestName(name, MEANT);
  if (nearest === undefined) return undefined;
  return editDistance(name.toLowerCase(), nearest) <= Math.max(2, Math.floor(name.length / 3)) ? nearest : undefined;
}
