import { CLOUDS } from "../provider-class/clouds.ts";
import { failed, ok, type Result } from "../result.ts";

/** A certificate in a vault, or the secret that contains one. */
export interface CertificateAddress {
  readonly keyvaultName: string;
  /** A value of a class's `cloudName`. */
  readonly cloudName: string;
  readonly objectName: string;
  /** Undefined: the newest version, so that the worker follows rotations. */
  readonly objectVersion: string | undefined;
}

/** A Key Vault URI has about 200 characters. */
export const MAX_ADDRESS_CHARACTERS = 1_024;

const FORM = "write https://<vault>.vault.azure.net/certificates/<name>, or /secrets/<name>";

/**
 * Reads `https://<vault>.<suffix>/certificates|secrets/<name>[/<version>]`. The error names the mistake and the fix. It quotes only the
 * suffix, because the text may be a credential instead of an address. Never throws.
 */
export function parseCertificateAddress(text: string): Result<CertificateAddress, string> {
  if (text.length > MAX_ADDRESS_CHARACTERS) return failed(`has more than ${MAX_ADDRESS_CHARACTERS} characters; ${FORM}`);
  const [, host, path] = /^https:\/\/([^/?#]+)(\/[^?#]*)?$/i.exec(text.trim()) ?? [];
  if (host === undefined) return failed(`is not an https address without query and fragment; ${FORM}`);
  const vault = readHost(host.toLowerCase());
  if (!vault.ok) return vault;
  const object = readPath(path ?? "");
  return object.ok ? ok({ ...vault.value, ...object.value }) : object;
}

function readHost(host: string): Result<Pick<CertificateAddress, "keyvaultName" | "cloudName">, string> {
  const [, keyvaultName = "", suffix = ""] = /^([^.@:]+)\.([-.a-z0-9]+)(?::443)?$/.exec(host) ?? [];
  if (!/^[-a-z0-9]{3,24}$/.test(keyvaultName))
    return failed(
      `names no vault: the host must be the vault's name (3 to 24 letters, digits, and hyphens) and the domain of its cloud; ${FORM}`,
    );
  const cloud = CLOUDS.find(({ vaultSuffix }) => vaultSuffix === suffix);
  if (cloud !== undefined) return ok({ keyvaultName, cloudName: cloud.name });
  const suffixes = CLOUDS.map(({ vaultSuffix }) => vaultSuffix).join(", ");
  return failed(`names no vault of a known cloud: the domain after the vault's name must be one of ${suffixes}`);
}

function readPath(path: string): Result<Pick<CertificateAddress, "objectName" | "objectVersion">, string> {
  const [type = "", objectName = "", objectVersion, ...more] = path.replace(/^\//, "").replace(/\/$/, "").split("/");
  if (!/^(?:certificates|secrets)$/i.test(type)) return failed(`names neither a certificate nor a secret after the vault; ${FORM}`);
  if (!/^[-0-9A-Za-z]{1,127}$/.test(objectName))
    return failed(`names no object of the vault: the name must have 1 to 127 letters, digits, and hyphens; ${FORM}`);
  if (objectVersion !== undefined && !/^[0-9A-Za-z]{1,64}$/.test(objectVersion))
    return failed("has an invalid version: write its 32 hexadecimal digits, or omit the version to follow rotations");
  return more.length > 0 ? failed(`has text after the version; ${FORM}`) : ok({ objectName, objectVersion });
}
