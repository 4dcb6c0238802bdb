import type { Exchange } from "../network/exchange.ts";
import type { StoredKey } from "./key-collection.ts";
import { keyBundle, keyItem, keyVersionItem } from "./key-wire.ts";
import { type Operation, type ReadModel, readOperation } from "./read-operations.ts";

const model: ReadModel<StoredKey> = {
  kind: "keys",
  collection: (vault) => vault.keys,
  // A disabled key is returned, with its attribute; only its use is refused: https://github.com/notaryproject/ratify/pull/1474
  get: (key, vault) => ({ ok: true, body: keyBundle(key, vault.url) }),
  item: keyItem,
  versionItem: keyVersionItem,
};

/** Keys are read only over the wire: https://learn.microsoft.com/rest/api/keyvault/keys/operation-groups */
export function keyOperation({ method, segments }: Exchange): Operation | undefined {
  return method === "GET" ? readOperation(model, segments) : undefined;
}
