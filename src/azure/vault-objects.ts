/** What the SDKs return, as the ports have it; the provider's words where a part is missing. */
import type { KeyVaultCertificate } from "@azure/keyvault-certificates";
import type { KeyVaultKey } from "@azure/keyvault-keys";
import type { KeyVaultSecret } from "@azure/keyvault-secrets";

import type { VaultCertificate, VaultKey, VaultObject, VaultSecret, VaultVersion } from "../domain/ports.ts";
import { Sensitive } from "../domain/sensitive.ts";
import { type VaultRequest, vaultError } from "./vault-errors.ts";

interface Properties {
  readonly version?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly createdOn?: Date | undefined;
  readonly updatedOn?: Date | undefined;
  readonly expiresOn?: Date | undefined;
  readonly notBefore?: Date | undefined;
}

/** `undefined` and the empty string: the part is not there. */
function present<T>(part: T | undefined, words: string, request: VaultRequest): T {
  if (part !== undefined && part !== "") return part;
  throw vaultError(request, { code: "Invalid", retry: { kind: "never" }, words });
}

function toVaultObject({ version, updatedOn, expiresOn, notBefore }: Properties, request: VaultRequest): VaultObject {
  return {
    version: present(version, `${request.object} id is nil`, request),
    updated: updatedOn?.getTime(),
    expires: expiresOn?.getTime(),
    notBefore: notBefore?.getTime(),
  };
}

export function toVaultSecret({ value, properties }: KeyVaultSecret, request: VaultRequest): VaultSecret {
  // An empty value is a value.
  if (value === undefined) throw vaultError(request, { code: "Invalid", retry: { kind: "never" }, words: "secret value is nil" });
  return {
    ...toVaultObject(properties, request),
    value: Sensitive.ofText(value),
    contentType: properties.contentType,
    keyId: properties.certificateKeyId?.toString(),
  };
}

export function toVaultKey({ key, properties }: KeyVaultKey, request: VaultRequest): VaultKey {
  const { kty, n, e, crv, x, y } = present(key, "key value is nil", request);
  return { ...toVaultObject(properties, request), jwk: { kty: kty ?? "", n, e, crv, x, y } };
}

export function toVaultCertificate({ cer, properties }: KeyVaultCertificate, request: VaultRequest): VaultCertificate {
  return { ...toVaultObject(properties, request), der: present(cer, "certificate value is nil", request) };
}

export async function toVaultVersions(list: AsyncIterable<Properties>, request: VaultRequest): Promise<readonly VaultVersion[]> {
  const versions: VaultVersion[] = [];
  for await (const { version, enabled, createdOn } of list) {
    versions.push({
      version: present(version, `${request.object} id is nil`, request),
      isEnabled: enabled !== false,
      created: createdOn?.getTime() ?? 0,
    });
  }
  return versions;
}
