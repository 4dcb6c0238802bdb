/** Writes the parameters of a class that are YAML texts. */
import type { DraftObject } from "./class-draft.ts";

/** Matches text that YAML 1.1 and 1.2 both read as a string, whatever surrounds it. */
const PLAIN = /^[A-Za-z][A-Za-z0-9_./-]*(?:\([A-Za-z0-9_.,"()[\]/ -]*\))?$/;
const WORDS = new Set(["null", "true", "false", "yes", "no", "on", "off", "y", "n"]);

/** Returns a YAML scalar with this text as its value. */
function scalar(text: string): string {
  if (PLAIN.test(text) && !WORDS.has(text.toLowerCase())) return text;
  return text.includes('"') && /^[ -&(-~]+$/.test(text) ? `'${text}'` : JSON.stringify(text);
}

export interface NamedObject {
  readonly object: DraftObject;
  /** Path of the object's file. */
  readonly path: string;
}

/** Writes the parameter `objects`. */
export function objectsText(objects: readonly NamedObject[]): string {
  const entries = objects.map(({ object, path }) => {
    const fields = [
      ["objectName", scalar(object.name)],
      ["objectAlias", path === object.name ? undefined : scalar(path)],
      ["objectType", object.type],
      ["objectVersion", object.version === undefined ? undefined : scalar(object.version)],
      ["objectVersionHistory", object.history],
      ["objectFormat", object.format],
      ["objectEncoding", object.encoding],
    ] as const;
    return ["  - |\n", ...fields.flatMap(([name, value]) => (value === undefined ? [] : [`    ${name}: ${value}\n`]))].join("");
  });
  return `array:\n${entries.join("")}`;
}

export interface SecretExpressions {
  readonly secret: string;
  readonly keys: readonly { readonly key: string; readonly expression: string }[];
}

/** Writes the parameter `secretData`; undefined if every key gets its file unchanged. */
export function secretDataText(secrets: readonly SecretExpressions[]): string | undefined {
  const written = secrets.filter(({ keys }) => keys.length > 0);
  if (written.length === 0) return undefined;
  return written
    .map(({ secret, keys }) => {
      const lines = keys.map(({ key, expression }) => `  ${scalar(key)}: ${scalar(expression)}\n`);
      return `${scalar(secret)}:\n${lines.join("")}`;
    })
    .join("");
}
