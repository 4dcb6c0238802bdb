/** How a cluster of AKS is named to its token proxy: by a name in TLS that comes from the certificate of its API server. */
import { createHash } from "node:crypto";

const SAN_PREFIX = "hcp-kubernetes.";
const SAN_SUFFIX = ".svc.cluster.local";

const HASHED_BEFORE = "identity-binding";
const NAME_PREFIX = "a";
const NAME_SUFFIX = ".ests.aks";

/** Digits of base32 in the order of the alphabet of numbers (RFC 4648, section 7). */
const BASE32HEX = "0123456789abcdefghijklmnopqrstuv";
const BITS_OF_A_DIGIT = 5;

/** `DNS:a, IP Address:1.2.3.4, DNS:"b"`: Node quotes, as JSON, what holds characters that would mislead. */
const NAME = /(?:^|, )DNS:("(?:[^"\\]|\\.)*"|[^,]*)/g;

/** Names of hosts in what Node says of a certificate's subjectAltName. One that needs quotes is no name of a host. */
function hostNamesIn(subjectAltName: string): readonly string[] {
  return [...subjectAltName.matchAll(NAME)].flatMap(([, name = ""]) => (name.startsWith('"') ? [] : [name]));
}

/** The id of the cluster; undefined where no name has one, `""` where the first that should have it leaves it empty. */
export function clusterIdIn(subjectAltName: string): string | undefined {
  const name = hostNamesIn(subjectAltName).find((each) => each.startsWith(SAN_PREFIX) && each.endsWith(SAN_SUFFIX));
  return name?.slice(SAN_PREFIX.length, -SAN_SUFFIX.length);
}

/** The name that the token proxy of the cluster has in TLS. */
export function proxyNameOf(clusterId: string): string {
  const digest = createHash("sha256").update(`${HASHED_BEFORE}${clusterId}`).digest();
  return `${NAME_PREFIX}${base32hex(digest)}${NAME_SUFFIX}`;
}

/** Without padding. */
function base32hex(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(new RegExp(`.{1,${BITS_OF_A_DIGIT}}`, "g")) ?? [];
  return groups.map((group) => BASE32HEX[Number.parseInt(group.padEnd(BITS_OF_A_DIGIT, "0"), 2)]).join("");
}
