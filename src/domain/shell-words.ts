/** Commands within messages: whoever reads them pastes them into a shell, and what is put into them may be somebody else's text. */

/** One word of a shell, whatever is in it. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** As it is, where no shell reads anything into it. */
function shellWord(text: string): string {
  return /^[-\w.,:/][-\w.,:/=]*$/.test(text) ? text : shellQuoted(text);
}

/** What a command is made of: one word, or several. */
type ShellPart = string | number | readonly string[];

/** A command: the template's own text as it is, and each text that is put into it as one word. */
export function shell(texts: TemplateStringsArray, ...parts: readonly ShellPart[]): string {
  const word = (part: ShellPart = ""): string => (typeof part === "object" ? part.map(shellWord).join(" ") : shellWord(`${part}`));
  return texts.map((text, index) => (index === 0 ? text : `${word(parts[index - 1])}${text}`)).join("");
}
