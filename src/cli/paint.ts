const CODES = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Text in a colour of the terminal's own palette. */
export function paint(text: string, colour: keyof typeof CODES, hasColour: boolean): string {
  return hasColour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}
