import type { SecretDraft, Value } from "./class-draft.ts";
import { type PeerObject, type Remark, warningOn } from "./peer-object.ts";

type Entry = SecretDraft["entries"][number];

const ENCODING =
  "spec.target.template.type: a class writes tls.crt and tls.key of kubernetes.io/tls as PEM of its own: the same certificates and the same key, which may be encoded otherwise (PKCS#1 or SEC 1)";

/** A Secret of type kubernetes.io/tls takes certificates and key out of a file itself, so that no function and no PKCS#12 is needed. */
export function tlsEntries(
  on: PeerObject,
  entries: readonly Entry[],
): { readonly entries: readonly Entry[]; readonly remarks: readonly Remark[] } {
  return {
    entries: entries.map(({ key, value }) => ({ key, value: wholeFile(value) })),
    remarks: [warningOn(on, { path: ["spec", "target", "template", "type"], message: ENCODING })],
  };
}

function wholeFile(value: Value): Value {
  if (value.kind === "file") return { ...value, object: { ...value.object, format: undefined } };
  const [inner] = value.arguments;
  const isPart = value.name === "certificates" || value.name === "privateKey";
  return isPart && typeof inner === "object" ? wholeFile(inner) : value;
}
