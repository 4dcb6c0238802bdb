/** Orders a certificate chain like `constructPEMChain` of the provider. */
import type { CertificateKeyIds, Pki } from "../ports/pki.ts";
import { failed, ok, type Result } from "../result.ts";

interface Node {
  readonly der: Uint8Array;
  readonly ids: CertificateKeyIds;
}

/**
 * Returns, for each certificate, the index of the first other certificate that signed it. Compares only the key ids. Undefined if there is
 * none.
 */
function parentsOf(nodes: readonly Node[]): readonly (number | undefined)[] {
  const bySubject = new Map<string, number[]>();
  for (const [index, { ids }] of nodes.entries()) {
    if (ids.subject !== undefined) bySubject.set(ids.subject, [...(bySubject.get(ids.subject) ?? []).slice(0, 1), index]);
  }
  return nodes.map(({ ids: { authority } }, index) => bySubject.get(authority ?? "")?.find((candidate) => candidate !== index));
}

function readNodes(certificates: readonly Uint8Array[], pki: Pki): Result<readonly Node[], string> {
  const nodes: Node[] = [];
  for (const der of certificates) {
    const ids = pki.readCertificate(der);
    if (!ids.ok) return ids;
    nodes.push({ der, ids: ids.value });
  }
  return ok(nodes);
}

/**
 * Orders certificates from the leaf to the root. Certificates that are not one chain stay unchanged. If each is the parent of another,
 * there is no leaf, and the object fails, as in a mount.
 */
export function orderChain(certificates: readonly Uint8Array[], pki: Pki): Result<readonly Uint8Array[], string> {
  const nodes = readNodes(certificates, pki);
  if (!nodes.ok) return nodes;
  const parents = parentsOf(nodes.value);
  const signers = new Set(parents);
  const leaf = parents.findIndex((_, index) => !signers.has(index));
  if (leaf < 0) return failed("no leaf found");
  const chain: Uint8Array[] = [];
  for (let index: number | undefined = leaf; index !== undefined; index = parents[index]) {
    const der = certificates[index];
    if (der === undefined || chain.length === certificates.length) return failed("constructing chain resulted in cycle");
    chain.push(der);
  }
  return ok(chain.length === certificates.length ? chain : certificates);
}
