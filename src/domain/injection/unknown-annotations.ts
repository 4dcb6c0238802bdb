import { POD_ANNOTATIONS, PREFIX } from "../annotations.ts";
import { quoted } from "../quoted.ts";

const KNOWN = Object.values(POD_ANNOTATIONS).map(nameOf);

export interface UnknownAnnotation {
  readonly key: string;
  /** Full key of the known annotation that is spelt most like it. */
  readonly nearest: string;
}

/** Keys under our prefix that mean nothing on a pod: mostly slips of the pen. */
export function unknownAnnotations(annotations: Readonly<Record<string, string>>): readonly UnknownAnnotation[] {
  return Object.keys(annotations)
    .filter((key) => key.startsWith(`${PREFIX}/`) && !KNOWN.includes(nameOf(key)))
    .sort()
    .map((key) => ({ key, nearest: `${PREFIX}/${nearestTo(nameOf(key))}` }));
}

/** Short enough for a warning whatever the key: the prefix, which both have, is said once. */
export function unknownAnnotationWarning({ key, nearest }: UnknownAnnotation): string {
  return `${quoted(nameOf(key), 30)} is no annotation of ${PREFIX}/: did you mean ${quoted(nameOf(nearest))}?`;
}

function nameOf(key: string): string {
  return key.slice(PREFIX.length + 1);
}

function nearestTo(name: string): string {
  // The API server allows 63 characters; longer ones reach only the command line.
  const ranked = KNOWN.map((known) => ({ known, distance: editDistance(name.slice(0, 63).toLowerCase(), known) }));
  return ranked.reduce((best, candidate) => (candidate.distance < best.distance ? candidate : best)).known;
}

/** Levenshtein: insertions, deletions and replacements of single characters. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, char] of Array.from(from).entries()) {
    const current = [row + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (char === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
