/** The TLS name by which an AKS cluster's token proxy is reached. It is derived from the certificate of the cluster's API server. */
import { createHash } from "node:crypto";

const SAN_PREFIX = "hcp-kubernetes.";
const SAN_SUFFIX = ".svc.cluster.local";

const HASHED_BEFORE = "identity-binding";
const NAME_PREFIX = "a";
const NAME_SUFFIX = ".ests.aks";

/** Digits of base32hex (RFC 4648, section 7), in order. */
const BASE32HEX = "0123456789abcdefghijklmnopqrstuv";
const BITS_OF_A_DIGIT = 5;

/** Matches the names in `DNS:a, IP Address:1.2.3.4, DNS:"b"`. Node quotes a name, as JSON, if its characters would mislead. */
const NAME = /(?:^|, )DNS:("(?:[^"\\]|\\.)*"|[^,]*)/g;

/** Returns the host names in Node's text of a certificate's subjectAltName. A name that needs quotes is not a host name. */
function hostNamesIn(subjectAltName: string): readonly string[] {
  return [...subjectAltName.matchAll(NAME)].flatMap(([, name = ""]) => (name.startsWith('"') ? [] : [name]));
}

/** Returns the id of the cluster; undefined if no name has one, `""` if the first name that should have it leaves it empty. */
export function clusterIdIn(subjectAltName: string): string | undefined {
  const name = hostNamesIn(subjectAltName).find((each) => each.startsWith(SAN_PREFIX) && each.endsWith(SAN_SUFFIX));
  return name?.slice(SAN_PREFIX.length, -SAN_SUFFIX.length);
}

/** Returns the TLS name of the cluster's token proxy. */
export function proxyNameOf(clusterId: string): string {
  const digest = createHash("sha256").update(`${HASHED_BEFORE}${clusterId}`).digest();
  return `${NAME_PREFIX}${base32hex(digest)}${NAME_SUFFIX}`;
}

/** Returns base32hex without padding. */
function base32hex(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(new RegExp(`.{1,${BITS_OF_A_DIGIT}}`, "g")) ?? [];
  return groups.map((group) => BASE32HEX[Number.parseInt(group.padEnd(BITS_OF_A_DIGIT, "0"), 2)]).join("");
}
