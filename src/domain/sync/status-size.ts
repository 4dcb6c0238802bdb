/**
 * Limits a status to a size that the API server stores. The class author chooses names, keys and messages of any length. Without a limit, a
 * class could have no status at all, and users could not find out why.
 */
import { LONGEST_SUBDOMAIN } from "../kubernetes-names.ts";
import { MAX_SECRET_OBJECTS } from "../provider-class/class-limits.ts";
import type { KeyStatus, SecretStatus } from "./status-fields.ts";

/** The worker's messages, including a long message from the vault, reach a fifth of this. The schema allows 32,768. */
const LONGEST_MESSAGE = 4_096;
/** Length of a message if the status is too large. */
const SHORT_MESSAGE = 256;
/** Characters of all Secrets together. The API server accepts 1.5 MiB for the whole object. */
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

/** Steps that shrink a status that is too large, in this order. The content of the keys goes last. */
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
