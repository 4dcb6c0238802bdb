/**
 * A status that the API server stores. Names, keys and messages are the class author's, and as long as they like: without a limit a class
 * could have no status at all, and nobody would learn why.
 */
import { LONGEST_SUBDOMAIN } from "../kubernetes-names.ts";
import { MAX_SECRET_OBJECTS } from "../provider-class/class-limits.ts";
import type { KeyStatus, SecretStatus } from "./status-fields.ts";

/** A message of ours, with a long one of the vault in it, has a fifth of this. The schema takes 32,768. */
const LONGEST_MESSAGE = 4_096;
/** Of a message where there are too many. */
const SHORT_MESSAGE = 256;
/** Characters of all Secrets together; the API server takes 1.5 MiB for the whole object. */
const MOST_CHARACTERS = 786_432;
/** Names of fields, quotes, commas. */
const ENTRY_CHARACTERS = 100;

export function shortText(text: string, most: number = LONGEST_MESSAGE): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function shortKey(status: KeyStatus): KeyStatus {
  const { key, object, message } = status;
  return {
    ...status,
    key: shortText(key, LONGEST_SUBDOMAIN),
    ...(object === undefined ? {} : { object: shortText(object, 2 * LONGEST_SUBDOMAIN) }),
    ...(message === undefined ? {} : { message: shortText(message) }),
  };
}

function shortSecret(secret: SecretStatus, most: number = LONGEST_MESSAGE): SecretStatus {
  const { name, message, data } = secret;
  return {
    ...secret,
    name: shortText(name, LONGEST_SUBDOMAIN),
    ...(message === undefined ? {} : { message: shortText(message, most) }),
    data: data.map(shortKey),
  };
}

const lengthOf = (status: SecretStatus | KeyStatus): number =>
  Object.values(status).reduce((sum: number, value) => sum + (typeof value === "string" ? value.length : 0), ENTRY_CHARACTERS);

function charactersOf(secrets: readonly SecretStatus[]): number {
  return secrets.reduce((sum, secret) => secret.data.reduce((total, key) => total + lengthOf(key), sum + lengthOf(secret)), 0);
}

function withoutMessage(status: KeyStatus): KeyStatus {
  const { message: _, ...key } = status;
  return key;
}

/** What is given up where there is too much, one after the other. What the keys hold is the last. */
const SHRINKS: readonly ((secret: SecretStatus) => SecretStatus)[] = [
  (secret) => ({ ...secret, data: secret.data.map(withoutMessage) }),
  (secret) => shortSecret(secret, SHORT_MESSAGE),
  (secret) => ({ ...secret, data: [] }),
];

export function fittingSecrets(secrets: readonly SecretStatus[]): readonly SecretStatus[] {
  let fitting: readonly SecretStatus[] = secrets.slice(0, MAX_SECRET_OBJECTS).map((secret) => shortSecret(secret));
  for (const shrink of SHRINKS) {
    if (charactersOf(fitting) <= MOST_CHARACTERS) return fitting;
    fitting = fitting.map(shrink);
  }
  return fitting;
}
