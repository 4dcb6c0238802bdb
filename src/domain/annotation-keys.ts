import { PREFIX } from "./annotations.ts";

const OWN = `${PREFIX}/`;

/** Of an annotation: whether it is of ours. A grant's, under `grants.`, is not. */
export function isOwnAnnotation(key: string): boolean {
  return key.startsWith(OWN);
}

/**
 * Of all our annotations of a Namespace, in characters. More than any defaults that work together; an admin of many namespaces could fill the
 * memory of who holds them with 256 KiB on each.
 */
const MOST_DEFAULTS = 16 * 1024;

/** Our annotations of an object. */
export function ownAnnotations(annotations: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  // Of one in a cache nothing else is kept.
  if (Object.keys(annotations).every(isOwnAnnotation)) return annotations;
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => isOwnAnnotation(key)));
}

/** Whether they are too many to be held: a part of them would be another default. */
export function areTooManyDefaults(own: Readonly<Record<string, string>>): boolean {
  return Object.entries(own).flat().join("").length > MOST_DEFAULTS;
}

/** `inject` of our annotation `keyvault-injector.dev/inject`, as messages say it. */
export function annotationName(key: string): string {
  return key.slice(OWN.length);
}
