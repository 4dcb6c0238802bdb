import { POD_ANNOTATIONS } from "../annotations.ts";
import { quoted } from "../quoted.ts";

/** What is known about the pod's Namespace at admission time. `unknown`: nobody could say. */
export type NamespaceFact =
  | { readonly kind: "found"; readonly annotations: Readonly<Record<string, string>> }
  | { readonly kind: "missing" }
  | { readonly kind: "unknown" };

/** An annotation that counts for a pod. */
export interface Annotation {
  readonly key: string;
  readonly text: string;
  /** Key and place in the words of a message. */
  readonly subject: string;
  /** It stands on the Namespace, where it is for other pods too. */
  readonly isDefault: boolean;
}

/** The annotation that counts for the pod, by its key. */
export type EffectiveAnnotations = (key: string) => Annotation | undefined;

/** What only the pod itself can say, or what is only written. */
export const NEVER_DEFAULTS: readonly string[] = [POD_ANNOTATIONS.inject, POD_ANNOTATIONS.status, POD_ANNOTATIONS.rotated];

/** The pod's own annotations, and where it has none the Namespace's. */
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
