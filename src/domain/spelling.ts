/** Only the first characters of longer names are compared, so that the time is bounded for any input. */
const COMPARED = 63;

/** Maximum number of known names to compare. No one reads a longer list, and otherwise the author of the list would determine the cost. */
const MOST_COMPARED = 200;

/** Returns the known name that is most similar to the given one, ignoring case. Undefined if there are no known names. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const written = compared(name);
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known.slice(0, MOST_COMPARED)) {
    const distance = editDistance(written, compared(candidate));
    if (best === undefined || distance < best.distance) best = { name: candidate, distance };
  }
  return best?.name;
}

/** Same as {@link nearestName}, but only if the name may be a misspelling: at most a third of the letters differ. */
export function nearestSpelling(name: string, known: readonly string[]): string | undefined {
  const nearest = nearestName(name, known);
  if (nearest === undefined) return undefined;
  const meant = compared(nearest);
  return editDistance(compared(name), meant) <= Math.max(1, Math.floor(Array.from(meant).length / 3)) ? nearest : undefined;
}

/** Suggests a known word in place of an unknown one. */
export function spellingAdvice(word: string, known: readonly string[]): string {
  const nearest = nearestSpelling(word, known);
  return nearest === undefined ? `write one of ${known.join(", ")}` : `did you mean ${nearest}?`;
}

/** Returns the part of a name that is compared. It cuts no character in half, which may be two units of a string. */
function compared(name: string): string {
  return Array.from(name.slice(0, 2 * COMPARED))
    .slice(0, COMPARED)
    .join("")
    .toLowerCase();
}

/**
 * Computes the optimal string alignment distance: insertions, deletions, and replacements of single characters (code points), and swaps of
 * two neighbors count as one each.
 */
export function editDistance(from: string, to: string): number {
  const [chars, others] = [Array.from(from), Array.from(to)];
  let beforePrevious: readonly number[] = [];
  let previous = Array.from({ length: others.length + 1 }, (_, column) => column);
  for (const [row, char] of chars.entries()) {
    const current = [row + 1];
    for (let column = 1; column <= others.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (char === others[column - 1] ? 0 : 1);
      const isSwap = char === others[column - 2] && chars[row - 1] === others[column - 1];
      const swapped = isSwap ? (beforePrevious[column - 2] ?? 0) + 1 : replaced;
      current.push(Math.min(replaced, swapped, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
