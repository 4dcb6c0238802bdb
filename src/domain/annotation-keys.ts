import { PREFIX } from "./annotations.ts";

const OWN = `${PREFIX}/`;

/** Whether a key is a project annotation. The annotation of a grant, under `grants.`, is not. */
export function isOwnAnnotation(key: string): boolean {
  return key.startsWith(OWN);
}

/**
 * Maximum size in characters of all project annotations of a Namespace. It exceeds any defaults that work together. Without it, an admin of
 * many namespaces could fill the memory of the process that caches them, with 256 KiB on each.
 */
const MOST_DEFAULTS = 16 * 1024;

/** Returns the project annotations of an object. */
export function ownAnnotations(annotations: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  // A cached object has no other annotations.
  if (Object.keys(annotations).every(isOwnAnnotation)) return annotations;
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => isOwnAnnotation(key)));
}

/** Whether the defaults are too large to keep. A part of them would be a different default. */
export function areTooManyDefaults(own: Readonly<Record<string, string>>): boolean {
  return Object.entries(own).flat().join("").length > MOST_DEFAULTS;
}

/** Returns the name without the prefix, as messages use it: `inject` for `keyvault-injector.dev/inject`. */
export function annotationName(key: string): string {
  return key.slice(OWN.length);
}
