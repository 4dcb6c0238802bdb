export const CREDENTIALS_KEYS: readonly string[] = ["clientid", "clientsecret"];

/** Keys of a credentials Secret (base64) whose values begin or end with white space: `echo` and editors leave a newline, and it is sent as it stands. */
export function paddedKeys(data: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(data)
    .filter(([key, value]) => CREDENTIALS_KEYS.includes(key.toLowerCase()) && isPadded(Buffer.from(value, "base64").toString("utf8")))
    .map(([key]) => key);
}

function isPadded(text: string): boolean {
  return text !== text.trim();
}

/** What is wrong with them; it follows their names. */
export const PADDED = "begins or ends with white space, such as a newline: the sign-in fails";
