/** Names of vault objects: on the command line, in the driver's status of a pod, and in the worker's annotation on a Secret. */

import type { ObjectType } from "../provider-class/object-rules.ts";
import { failed, ok, type Result } from "../result.ts";

/** An object in some vault. */
export interface ObjectReference {
  readonly type: ObjectType;
  readonly name: string;
}

/** One version of an object. In a class with a history, also its place in the history. */
export interface HeldVersion extends ObjectReference {
  /** 0 is the newest version. Undefined for an object without a history. */
  readonly index: number | undefined;
  readonly version: string;
}

const TYPES: Readonly<Record<string, ObjectType>> = {
  secret: "secret",
  secrets: "secret",
  key: "key",
  keys: "key",
  cert: "cert",
  certs: "cert",
  certificate: "cert",
  certificates: "cert",
};

/** Matches the names that Key Vault allows. */
const NAME = /^[-0-9A-Za-z]{1,127}$/;

/** An object that the user requests. `vault` is its host, if the user names it. */
export interface WantedObject extends ObjectReference {
  readonly vault: string | undefined;
}

/** Matches `https://shop.vault.azure.net/secrets/db-pass`, which the vault uses and the portal copies, with or without a version. */
const IDENTIFIER = /^https:\/\/([^/:]+)(?::\d+)?\/(secrets|keys|certificates)\/([^/]+)(?:\/[^/]*)?\/?$/i;

const FORMS = "secret/NAME, key/NAME or certificate/NAME, or the identifier https://VAULT/secrets/NAME";

/** Parses `secret/db-pass`, `key/signing`, `certificate/web`, `cert/web`, or an identifier. Ignores the version in an identifier. */
export function parseReference(text: string): Result<WantedObject, string> {
  const [, vault, ...parts] = IDENTIFIER.exec(text) ?? [];
  const [kind = "", name = "", ...rest] = vault === undefined ? text.split("/") : parts;
  const type = Object.hasOwn(TYPES, kind.toLowerCase()) ? TYPES[kind.toLowerCase()] : undefined;
  if (type === undefined || rest.length > 0) return failed(`${JSON.stringify(text)} names no object of a vault; write ${FORMS}`);
  if (name === "" && vault === undefined) return failed(`${JSON.stringify(text)} is a type, but names no object; write ${kind}/NAME`);
  if (!NAME.test(name)) {
    return failed(
      `${JSON.stringify(text)}: ${JSON.stringify(name)} is not a valid name in Key Vault, which allows only letters, digits, and dashes`,
    );
  }
  return ok({ type, name, vault: vault?.toLowerCase() });
}

/** Whether the text is a name such as `db-pass`, without a type. A type alone does not count, because the user forgot the name. */
export function isObjectName(text: string): boolean {
  return NAME.test(text) && !Object.hasOwn(TYPES, text.toLowerCase());
}

/** Returns the same key for all spellings of an object, because Key Vault's names are case-insensitive. */
export function referenceKey({ type, name }: ObjectReference): string {
  return `${type}/${name.toLowerCase()}`;
}

/** Returns `secret/db-pass`, as in status and annotations. */
export function referenceText({ type, name }: ObjectReference): string {
  return `${type}/${name}`;
}

/** Returns `certificate/web`, the form that the documentation recommends. */
export function spokenReference({ type, name }: ObjectReference): string {
  return `${type === "cert" ? "certificate" : type}/${name}`;
}

/** Parses `type/name`, or `type/name/index` in a history. Undefined for any other text. */
export function parseObjectId(id: string): Omit<HeldVersion, "version"> | undefined {
  const [kind = "", name = "", index, ...rest] = id.trim().split("/");
  const type = kind === "secret" || kind === "key" || kind === "cert" ? kind : undefined;
  if (type === undefined || name === "" || rest.length > 0) return undefined;
  if (index === undefined) return { type, name, index: undefined };
  return /^\d{1,10}$/.test(index) ? { type, name, index: Number(index) } : undefined;
}

/** Parses the worker's annotation on a Secret: `type/name@version`, comma-separated. Omits invalid entries. */
export function parseObjectVersions(annotation: string): readonly HeldVersion[] {
  return annotation.split(",").flatMap((entry) => {
    const at = entry.lastIndexOf("@");
    const id = at < 0 ? undefined : parseObjectId(entry.slice(0, at));
    const version = entry.slice(at + 1).trim();
    return id === undefined || version === "" ? [] : [{ ...id, version }];
  });
}
