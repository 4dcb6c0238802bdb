/** Returns `1 pod` or `2 pods`, `1 class` or `2 classes`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : what.endsWith("s") ? "es" : "s"}`;
}

/** Returns the items of a comma-separated list, trimmed. */
export function wordsOf(text = ""): readonly string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
