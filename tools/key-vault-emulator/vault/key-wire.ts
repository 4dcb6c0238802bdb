import { attributesOf, type WirePlace } from "./attributes-wire.ts";
import type { KeyType, StoredKey } from "./key-collection.ts";

/** JSON as in https://learn.microsoft.com/rest/api/keyvault/keys/get-key/get-key (bundle) and related pages (item). */
export function keyBundle(key: StoredKey, place: WirePlace): object {
  return {
    key: { kid: `${place.url}keys/${key.name}/${key.version}`, kty: key.keyType, key_ops: KEY_OPERATIONS[key.keyType], ...publicPart(key) },
    attributes: attributesOf(key, place),
    tags: key.tags,
    managed: key.managed,
  };
}

/** An item of a list of versions. */
export function keyVersionItem(key: StoredKey, place: WirePlace): object {
  return { kid: `${place.url}keys/${key.name}/${key.version}`, ...rest(key, place) };
}

/** An item of a list of keys, which contains no version. */
export function keyItem(key: StoredKey, place: WirePlace): object {
  return { kid: `${place.url}keys/${key.name}`, ...rest(key, place) };
}

function rest(key: StoredKey, place: WirePlace): object {
  return { attributes: attributesOf(key, place), tags: key.tags, managed: key.managed };
}

/** `n` and `e`, or `crv`, `x` and `y`: https://learn.microsoft.com/azure/key-vault/keys/about-keys#data-encryption-and-json-web-keys */
function publicPart({ keys }: StoredKey): object {
  if (keys === undefined) return {};
  const { n, e, x, y } = keys.publicKey.export({ format: "jwk" });
  return keys.spec.kind === "RSA" ? { n, e } : { crv: keys.spec.curve, x, y };
}

/** Operations that the service assigns to a key that was created without a list. */
const KEY_OPERATIONS: Readonly<Record<KeyType, readonly string[]>> = {
  RSA: ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
  "RSA-HSM": ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"],
  EC: ["sign", "verify"],
  "EC-HSM": ["sign", "verify"],
  oct: ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
  "oct-HSM": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
};
