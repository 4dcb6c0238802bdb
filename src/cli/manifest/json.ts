declare global {
  // In Node since 22, and not yet in TypeScript's library.
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** JSON as kubectl prints it: integers of 64 bits keep their digits. */
export function toJson(value: unknown): string {
  return `${JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? JSON.rawJSON(String(inner)) : inner), 2)}\n`;
}
