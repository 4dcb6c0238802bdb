/** Forms in which a value may leak: plain, or in an encoding that a component may apply. */
export function encodingsOf(value: string): ReadonlyMap<string, string> {
  const bytes = Buffer.from(value, "utf8");
  const encodings = new Map<string, string>([
    ["plain", value],
    ["JSON-escaped", JSON.stringify(value).slice(1, -1)],
    ["hex", bytes.toString("hex")],
    ["URL-escaped", encodeURIComponent(value)],
  ]);
  for (const shift of [0, 1, 2]) {
    encodings.set(`base64 at offset ${shift}`, base64Core(bytes, shift, "base64"));
    encodings.set(`base64url at offset ${shift}`, base64Core(bytes, shift, "base64url"));
  }
  return encodings;
}

/** The digits that depend only on the value if it starts `shift` bytes into a group of three. */
function base64Core(bytes: Buffer, shift: number, encoding: "base64" | "base64url"): string {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString(encoding)
    .replaceAll("=", "");
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.byteLength) * 8) / 6);
  return whole.slice(first, last);
}

export interface Text {
  /** Source of the text, for the report. */
  readonly name: string;
  readonly text: string;
}

export interface Leak {
  readonly where: string;
  readonly encoding: string;
  /** Index in the list of values, never the value itself. */
  readonly value: number;
}

/** Searches for every value in every encoding in every text. Ignores case for hex. */
export function findLeaks(values: readonly string[], texts: readonly Text[]): readonly Leak[] {
  return values.flatMap((value, index) =>
    [...encodingsOf(value)].flatMap(([encoding, needle]) =>
      texts
        .filter(({ text }) => (encoding === "hex" ? text.toLowerCase() : text).includes(needle))
        .map(({ name }) => ({ where: name, encoding, value: index })),
    ),
  );
}
