/** Translates the SDK's objects into those of the ports. If a part is missing, uses the provider's words. */
import type { KeyVaultCertificate } from "@azure/keyvault-certificates";
import type { KeyVaultKey } from "@azure/keyvault-keys";
import type { KeyVaultSecret } from "@azure/keyvault-secrets";

import type {
  ListedObject,
  VaultCertificate,
  VaultKey,
  VaultObject,
  VaultObjectKind,
  VaultSecret,
  VaultVersion,
} from "../domain/ports/vault-object.ts";
import { Sensitive } from "../domain/sensitive.ts";
import { AbsentPart } from "./absent-part.ts";
import { assertIdSize } from "./answer-size.ts";

export interface Properties {
  readonly id?: string | undefined;
  readonly version?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly createdOn?: Date | undefined;
  readonly updatedOn?: Date | undefined;
  readonly expiresOn?: Date | undefined;
  readonly notBefore?: Date | undefined;
}

/** Throws if the part is missing, which is `undefined` or the empty string. */
function present<T>(part: T | undefined, words: string): T {
  if (part !== undefined && part !== "") return part;
  throw new AbsentPart(words);
}

function toVaultObject(
  { id, version, enabled, createdOn, updatedOn, expiresOn, notBefore }: Properties,
  kind: VaultObjectKind,
): VaultObject {
  assertIdSize(id);
  return {
    version: present(version, `${kind} id is nil`),
    created: createdOn?.getTime(),
    updated: updatedOn?.getTime(),
    expires: expiresOn?.getTime(),
    notBefore: notBefore?.getTime(),
    isEnabled: enabled !== false,
  };
}

export function toVaultSecret({ value, properties }: KeyVaultSecret): VaultSecret {
  // An empty value is a valid value.
  if (value === undefined) throw new AbsentPart("secret value is nil");
  return {
    ...toVaultObject(properties, "secret"),
    value: Sensitive.ofText(value),
    contentType: properties.contentType,
    keyId: properties.certificateKeyId?.toString(),
  };
}

export function toVaultKey({ key, properties }: KeyVaultKey): VaultKey {
  const { kty, n, e, crv, x, y } = present(key, "key value is nil");
  return { ...toVaultObject(properties, "key"), jwk: { kty: kty ?? "", n, e, crv, x, y } };
}

export function toVaultCertificate({ cer, properties }: KeyVaultCertificate): VaultCertificate {
  return { ...toVaultObject(properties, "certificate"), der: present(cer, "certificate value is nil") };
}

export function toVaultVersion({ id, version, enabled, createdOn }: Properties, kind: VaultObjectKind): VaultVersion {
  assertIdSize(id);
  return { version: present(version, `${kind} id is nil`), isEnabled: enabled !== false, created: createdOn?.getTime() ?? 0 };
}

/** A listed object of any kind. A certificate has no name if its id cannot be read. */
export interface ListedItem {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly updatedOn?: Date | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** True if a secret belongs to a certificate. */
  readonly managed?: boolean | undefined;
}

export function toListedObject({ id, name = "", enabled, updatedOn, tags = {}, managed }: ListedItem): ListedObject {
  assertIdSize(id);
  const details = { tags, isManaged: managed === true };
  return { name, isEnabled: enabled !== false, updated: updatedOn?.getTime(), details };
}
