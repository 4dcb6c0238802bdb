/**
 * Permissions of an identity in a vault: operations on one kind of object, as in Key Vault's access policies. Words without a kind apply to
 * secrets.
 */
export const PERMISSIONS = [
  "get",
  "list",
  "set",
  "secrets/get",
  "secrets/list",
  "secrets/set",
  "secrets/delete",
  "secrets/recover",
  "secrets/purge",
  "keys/get",
  "keys/list",
  "keys/delete",
  "keys/recover",
  "keys/purge",
  "certificates/get",
  "certificates/list",
  "certificates/delete",
  "certificates/recover",
  "certificates/purge",
] as const;

export type Permission = (typeof PERMISSIONS)[number];

type SecretWord = "get" | "list" | "set";

/** A permission with its kind. */
export type KindPermission = Exclude<Permission, SecretWord>;

export function withKind(permission: Permission): KindPermission {
  return isSecretWord(permission) ? `secrets/${permission}` : permission;
}

function isSecretWord(permission: Permission): permission is SecretWord {
  return !permission.includes("/");
}
