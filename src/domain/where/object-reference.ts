/** How objects of a vault are called: by users on the command line, by the driver in a pod's status, and by the worker on a Secret. */

import type { ObjectType } from "../provider-class/object-rules.ts";
import { failed, ok, type Result } from "../result.ts";

/** An object of some vault. */
export interface ObjectReference {
  readonly type: ObjectType;
  readonly name: string;
}

/** One version of an object, in a class with a history with its place there. */
export interface HeldVersion extends ObjectReference {
  /** 0 is the newest; undefined for an object without a history. */
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

/** What Key Vault allows in a name. */
const NAME = /^[-0-9A-Za-z]{1,127}$/;

/** An object as it is asked for. `vault`: its host, where the user says it with the object. */
export interface WantedObject extends ObjectReference {
  readonly vault: string | undefined;
}

/** `https://shop.vault.azure.net/secrets/db-pass`, as the vault calls it and the portal copies it, with a version or without. */
const IDENTIFIER = /^https:\/\/([^/:]+)(?::\d+)?\/(secrets|keys|certificates)\/([^/]+)(?:\/[^/]*)?\/?$/i;

const FORMS = "secret/NAME, key/NAME or certificate/NAME, or the identifier https://VAULT/secrets/NAME";

/** `secret/db-pass`, `key/signing`, `certificate/web` or `cert/web`, or an identifier. Of a version, its object is meant. */
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

/** `db-pass`, of a type that is not said. A type alone is no name: its object was forgotten. */
export function isObjectName(text: string): boolean {
  return NAME.test(text) && !Object.hasOwn(TYPES, text.toLowerCase());
}

/** Equal for two spellings of one object: Key Vault's names are case-insensitive. */
export function referenceKey({ type, name }: ObjectReference): string {
  return `${type}/${name.toLowerCase()}`;
}

/** `secret/db-pass`, as status and annotations have it. */
export function referenceText({ type, name }: ObjectReference): string {
  return `${type}/${name}`;
}

/** `certificate/web`, as people are told to write it. */
export function spokenReference({ type, name }: ObjectReference): string {
  return `${type === "cert" ? "certificate" : type}/${name}`;
}

/** `type/name`, or `type/name/index` in a history; undefined for what is neither. */
export function parseObjectId(id: string): Omit<HeldVersion, "version"> | undefined {
  const [kind = "", name = "", index, ...rest] = id.trim().split("/");
  const type = kind === "secret" || kind === "key" || kind === "cert" ? kind : undefined;
  if (type === undefined || name === "" || rest.length > 0) return undefined;
  if (index === undefined) return { type, name, index: undefined };
  return /^\d{1,10}$/.test(index) ? { type, name, index: Number(index) } : undefined;
}

/** The worker's annotation on a Secret: `type/name@version`, comma separated. What is not written like that is left out. */
export function parseObjectVersions(annotation: string): readonly HeldVersion[] {
  return annotation.split(",").flatMap((entry) => {
    const at = entry.lastIndexOf("@");
    const id = at < 0 ? undefined : parseObjectId(entry.slice(0, at));
    const version = entry.slice(at + 1).trim();
    return id === undefined || version === "" ? [] : [{ ...id, version }];
  });
}
