import type { Exchange } from "../network/exchange.ts";
import type { StoredCertificate } from "./certificate-collection.ts";
import { certificateBundle, certificateItem, certificateVersionItem, policyOf } from "./certificate-wire.ts";
import { type DeletableModel, deletedOperation, deleteOperation } from "./deleted-operations.ts";
import { found, type Operation, readOperation } from "./read-operations.ts";

const model: DeletableModel<StoredCertificate> = {
  kind: "certificates",
  collection: (vault) => vault.certificates,
  // The service returns a disabled certificate with its attribute, and rejects only requests for its secret:
  // https://github.com/notaryproject/ratify/pull/1474
  get: (certificate, vault) => ({ ok: true, body: certificateBundle(certificate, vault) }),
  item: certificateItem,
  versionItem: certificateVersionItem,
  deletable: (vault) => [vault.certificates, vault.keys, vault.secrets],
  bundle: certificateBundle,
};

/** Clients can only read and delete certificates: https://learn.microsoft.com/rest/api/keyvault/certificates/operation-groups */
export function certificateOperation({ method, segments }: Exchange): Operation | undefined {
  const [, name, part, ...more] = segments;
  if (method === "DELETE" && name !== undefined && part === undefined) return deleteOperation(model, name);
  if (method !== "GET") return undefined;
  return name !== undefined && part === "policy" && more.length === 0 ? getPolicy(name) : readOperation(model, segments);
}

function getPolicy(name: string): Operation {
  return {
    permission: "certificates/get",
    run: (_, vault) => found(model, { vault, name, version: undefined }, (stored) => ({ ok: true, body: policyOf(stored, vault) })),
  };
}

/** Operations under `/deletedcertificates`. */
export function deletedCertificateOperation(exchange: Exchange): Operation | undefined {
  return deletedOperation(model, exchange);
}
