/** Longer names are compared by their beginning: the time for an answer is bounded whatever was written. */
const COMPARED = 63;

/** So many known names are compared: nobody reads a list of more, and whoever writes it decides what the comparison costs. */
const MOST_COMPARED = 200;

/** The known name that is spelt most like the given one, whatever the case. Undefined where none is known. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const written = name.slice(0, COMPARED).toLowerCase();
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const candidate of known.slice(0, MOST_COMPARED)) {
    const distance = editDistance(written, candidate.slice(0, COMPARED).toLowerCase());
    if (best === undefined || distance < best.distance) best = { name: candidate, distance };
  }
  return best?.name;
}

/** As {@link nearestName}, where the two are so alike that one may be a slip for the other: a third of the letters at most. */
export function nearestSpelling(name: string, known: readonly string[]): string | undefined {
  const nearest = nearestName(name, known);
  if (nearest === undefined) return undefined;
  const [written, meant] = [name.slice(0, COMPARED).toLowerCase(), nearest.slice(0, COMPARED).toLowerCase()];
  return editDistance(written, meant) <= Math.max(1, Math.floor(meant.length / 3)) ? nearest : undefined;
}

/** What to write instead of a word that is none of the known ones. */
export function spellingAdvice(word: string, known: readonly string[]): string {
  const nearest = nearestSpelling(word, known);
  return nearest === undefined ? `write one of ${known.join(", ")}` : `did you mean ${nearest}?`;
}

/** Optimal string alignment: insertions, deletions and replacements of single characters, and swaps of two neighbours, each counted as one. */
export function editDistance(from: string, to: string): number {
  const chars = Array.from(from);
  let beforePrevious: readonly number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, char] of chars.entries()) {
    const current = [row + 1];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (char === to[column - 1] ? 0 : 1);
      const isSwap = char === to[column - 2] && chars[row - 1] === to[column - 1];
      const swapped = isSwap ? (beforePrevious[column - 2] ?? 0) + 1 : replaced;
      current.push(Math.min(replaced, swapped, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous.at(-1) ?? 0;
}
