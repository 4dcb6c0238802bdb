import { isDnsLabel, LONGEST_LABEL } from "./kubernetes-names.ts";

/**
 * `<base>-<class>`, or where that is no DNS label (class names have dots and go to 253 characters) its beginning
 * and a hash of the whole: the same in every review of the same pod.
 */
export function volumeNameFor(base: string, className: string): string {
  const whole = `${base}-${className}`;
  if (isDnsLabel(whole)) return whole;
  const hash = fnv1a(whole);
  const beginning = whole
    .replaceAll(/[^-a-z0-9]/g, "-")
    .slice(0, LONGEST_LABEL - hash.length - 1)
    .replace(/-+$/, "");
  return `${beginning}-${hash}`;
}

/** FNV-1a, 32 bits: only tells apart the names of one pod, and two that meet are refused. */
function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
