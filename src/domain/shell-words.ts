/** Quotes commands in messages. Readers paste them into a shell, and their arguments may be untrusted text. */

/** Quotes any text as one word of a shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Returns the text unchanged if it has no special meaning in a shell; otherwise quoted. */
function shellWord(text: string): string {
  return /^[-\w.,:/][-\w.,:/=]*$/.test(text) ? text : shellQuoted(text);
}

/** Part of a command: one word, or several. */
type ShellPart = string | number | readonly string[];

/** Builds a command. The template's own text stays unchanged, and each inserted text becomes one word. */
export function shell(texts: TemplateStringsArray, ...parts: readonly ShellPart[]): string {
  const word = (part: ShellPart = ""): string => (typeof part === "object" ? part.map(shellWord).join(" ") : shellWord(`${part}`));
  return texts.map((text, index) => (index === 0 ? text : `${word(parts[index - 1])}${text}`)).join("");
}
