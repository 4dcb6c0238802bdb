import { POD_ANNOTATIONS } from "../annotations.ts";
import { quoted } from "../quoted.ts";
import { OUTPUT_ONLY_KEYS } from "../written-keys.ts";

/** Facts about the pod's Namespace at admission time. `unknown`: they could not be read. */
export type NamespaceFact =
  | { readonly kind: "found"; readonly annotations: Readonly<Record<string, string>> }
  | { readonly kind: "missing" }
  | { readonly kind: "unknown" };

/** An annotation that applies to a pod. */
export interface Annotation {
  readonly key: string;
  readonly text: string;
  /** Key and place, for messages. */
  readonly subject: string;
  /** Whether it is on the Namespace and so also applies to other pods. */
  readonly isDefault: boolean;
}

/** Returns the annotation that applies to the pod, by its key. */
export type EffectiveAnnotations = (key: string) => Annotation | undefined;

/** Annotations that only the pod itself can have, or that are output only. */
export const NEVER_DEFAULTS: readonly string[] = [POD_ANNOTATIONS.inject, ...OUTPUT_ONLY_KEYS];

/** Returns the pod's own annotations, with those of the Namespace as defaults. */
export function effectiveAnnotations(
  pod: Readonly<Record<string, string>>,
  namespace: string,
  defaults: Readonly<Record<string, string>> = {},
): EffectiveAnnotations {
  return (key) => {
    const own = pod[key];
    if (own !== undefined) return annotationOnPod(key, own);
    const text = NEVER_DEFAULTS.includes(key) ? undefined : defaults[key];
    return text === undefined ? undefined : { key, text, subject: subjectOnNamespace(key, namespace), isDefault: true };
  };
}

export function annotationOnPod(key: string, text: string): Annotation {
  return { key, text, subject: `annotation ${key}`, isDefault: false };
}

export function subjectOnNamespace(key: string, namespace: string): string {
  return `annotation ${key} of Namespace ${quoted(namespace, 63)}`;
}
