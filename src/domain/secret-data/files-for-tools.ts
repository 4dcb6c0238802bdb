/**
 * Writes values in the formats of the tools that read them. If a format cannot hold a value, the function fails, and never writes a part of
 * the value or a different one.
 */

import { bytesOf, encodeBase64 } from "../bytes.ts";
import { failed, ok, type Result } from "../result.ts";
import { type DocumentNode, isMapping, textOf } from "./document.ts";

const CONTROL = /\p{Cc}/u;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Matches values that shells and other readers of such files read unchanged. */
const PLAIN = /^[A-Za-z0-9_./:@%+,=-]*$/;

/** Writes `NAME=value` for each member of a JSON or YAML mapping, in its order. */
export function dotenvOf(document: DocumentNode): Result<string, string> {
  if (!isMapping(document)) return failed("it is not a mapping of names to values");
  const lines: string[] = [];
  for (const [index, [name, value]] of Object.entries(document).entries()) {
    const written = VARIABLE.test(name) ? dotenvValue(value) : failed("has an invalid variable name");
    if (!written.ok) return failed(`member ${index + 1} ${written.error}`);
    lines.push(`${name}=${written.value}\n`);
  }
  return ok(lines.join(""));
}

/** Some readers expand variables even in quotes, and convert a carriage return to a line break. */
const READ_DIFFERENTLY = /\$[\w{]|\\\$|\r/;

/**
 * Writes a value, in single quotes if necessary. Everything else has no special meaning there, but some readers treat `\\` and `\'` as
 * escapes.
 */
function dotenvValue(value: DocumentNode): Result<string, string> {
  const text = value === null ? "" : textOf(value);
  if (PLAIN.test(text)) return ok(text);
  if (text.includes("\u0000")) return failed("contains a null character");
  if (READ_DIFFERENTLY.test(text)) return failed(DIFFERENT);
  if (!text.includes("'") && !/\\\\|\\$/.test(text)) return ok(`'${text}'`);
  if (!/["$`\\\n\r]/.test(text)) return ok(`"${text}"`);
  return failed(DIFFERENT);
}

/** Excludes characters and words that npm reads as a comment, an escape, a variable, or a keyword. */
const TOKEN = /^(?!(?:true|false|null|undefined)$)[!$-&(-:<-[\]-~]+$/;

const DIFFERENT = "has quotation marks, backslashes, or dollar signs that shells and other readers of such files interpret differently";

/** Writes an .npmrc file: the token, and the registry for all packages or for one scope. */
export function npmrcOf(registry: string, token: string, scope: string | undefined): Result<string, string> {
  const host = /^https?:(\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/[-A-Za-z0-9._~%/]*)?)$/.exec(registry)?.[1];
  if (host === undefined) return failed("its registry is not an address such as https://registry.example.com/npm/");
  if (!TOKEN.test(token) || token.includes("${")) return failed("its token has invalid characters");
  if (scope !== undefined && !/^@[-a-z0-9._~]+$/.test(scope)) return failed("its scope is not a name such as @shop");
  const slash = host.endsWith("/") ? "" : "/";
  const key = scope === undefined ? "registry" : `${scope}:registry`;
  return ok(`${key}=${registry}${slash}\n${host}${slash}:_authToken=${token}\n`);
}

/** Writes a Docker configuration for image pulls. `texts` repeats registry, user, and password for each registry. */
export function dockerConfigOf(texts: readonly string[]): Result<string, string> {
  const auths = new Map<string, { readonly username: string; readonly password: string; readonly auth: string }>();
  for (let at = 0; at < texts.length; at += 3) {
    const [registry = "", username = "", password = ""] = texts.slice(at, at + 3);
    if (registry === "" || /\s/.test(registry)) return failed("a registry is empty, or has a space");
    if (username.includes(":")) return failed("a user contains a colon, which would end the user's name");
    auths.set(registry, { username, password, auth: encodeBase64(bytesOf(`${username}:${password}`)) });
  }
  return ok(JSON.stringify({ auths: Object.fromEntries(auths) }));
}

/** Writes `Key=value;…` for ADO.NET. */
export function connectionStringOf(texts: readonly string[]): Result<string, string> {
  const parts: string[] = [];
  for (let at = 0; at < texts.length; at += 2) {
    const [key = "", value = ""] = texts.slice(at, at + 2);
    if (!/^[A-Za-z][A-Za-z0-9 _.-]*$/.test(key)) return failed(`key ${at / 2 + 1} is not a name such as Server or User ID`);
    if (CONTROL.test(value)) return failed(`value ${at / 2 + 1} contains a control character`);
    parts.push(`${key}=${connectionValue(value)}`);
  }
  return ok(parts.join(";"));
}

function connectionValue(value: string): string {
  if (value !== "" && !/[;="'{}]|^\s|\s$/.test(value)) return value;
  return value.includes('"') && !value.includes("'") ? `'${value}'` : `"${value.replaceAll('"', '""')}"`;
}
