import type { Exchange } from "../network/exchange.ts";
import type { StoredCertificate } from "./certificate-collection.ts";
import { certificateBundle, certificateItem, certificateVersionItem, policyOf } from "./certificate-wire.ts";
import { found, type Operation, type ReadModel, readOperation } from "./read-operations.ts";

const model: ReadModel<StoredCertificate> = {
  kind: "certificates",
  collection: (vault) => vault.certificates,
  // A disabled certificate is returned, with its attribute; its secret is what is refused: https://github.com/notaryproject/ratify/pull/1474
  get: (certificate, vault) => ({ ok: true, body: certificateBundle(certificate, vault.url) }),
  item: certificateItem,
  versionItem: certificateVersionItem,
};

/** Certificates are read only over the wire: https://learn.microsoft.com/rest/api/keyvault/certificates/operation-groups */
export function certificateOperation({ method, segments }: Exchange): Operation | undefined {
  if (method !== "GET") return undefined;
  const [, name, part, ...more] = segments;
  return name !== undefined && part === "policy" && more.length === 0 ? getPolicy(name) : readOperation(model, segments);
}

function getPolicy(name: string): Operation {
  return {
    permission: "certificates/get",
    run: (_, vault) => found(model, { vault, name, version: undefined }, (stored) => ({ ok: true, body: policyOf(stored, vault.url) })),
  };
}
