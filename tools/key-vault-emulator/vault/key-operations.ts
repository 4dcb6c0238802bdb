import type { Exchange } from "../network/exchange.ts";
import { type DeletableModel, deletedOperation, deleteOperation } from "./deleted-operations.ts";
import type { StoredKey } from "./key-collection.ts";
import { keyBundle, keyItem, keyVersionItem } from "./key-wire.ts";
import { type Operation, readOperation } from "./read-operations.ts";

const model: DeletableModel<StoredKey> = {
  kind: "keys",
  collection: (vault) => vault.keys,
  // The service returns a disabled key with its attribute, and rejects only its use: https://github.com/notaryproject/ratify/pull/1474
  get: (key, vault) => ({ ok: true, body: keyBundle(key, vault) }),
  item: keyItem,
  versionItem: keyVersionItem,
  deletable: (vault) => [vault.keys],
  bundle: keyBundle,
};

/** Clients can only read and delete keys: https://learn.microsoft.com/rest/api/keyvault/keys/operation-groups */
export function keyOperation({ method, segments }: Exchange): Operation | undefined {
  if (method === "GET") return readOperation(model, segments);
  const [, name, ...more] = segments;
  return method === "DELETE" && name !== undefined && more.length === 0 ? deleteOperation(model, name) : undefined;
}

/** Operations under `/deletedkeys`. */
export function deletedKeyOperation(exchange: Exchange): Operation | undefined {
  return deletedOperation(model, exchange);
}
