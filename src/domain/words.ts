/** The words of a list between commas, without blanks around them. */
export function wordsOf(text = ""): readonly string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
