import { createPrivateKey, X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { SecretState } from "./secret-history.ts";

export interface KeptSecret extends SecretState {
  readonly type: string;
}

/** How two values of a Secret key are equal. */
type Sameness = "bytes" | "meaning" | "different";

export interface Comparison {
  readonly secrets: number;
  readonly keys: number;
  /** Keys whose bytes differ although their certificates, key or login are the same, as the how-to explains. */
  readonly byMeaning: readonly string[];
  readonly differences: readonly string[];
}

/** Compares every key of each Secret in the first set with the second set, and checks that the second has no additional keys. */
export function compareSecrets(first: ReadonlyMap<string, KeptSecret>, second: ReadonlyMap<string, KeptSecret>): Comparison {
  const all = [...first].flatMap(([name, { type, data }]) => {
    const other = second.get(name);
    const keys = [...new Set([...Object.keys(data), ...Object.keys(other?.data ?? {})])];
    return keys.map((key) => ({
      place: `${name} ${key}`,
      sameness: other?.type === type ? sameness(`${type} ${key}`, data[key], other.data[key]) : ("different" as const),
    }));
  });
  const of = (wanted: Sameness): readonly string[] => all.filter((each) => each.sameness === wanted).map(({ place }) => place);
  return { secrets: first.size, keys: all.length, byMeaning: of("meaning"), differences: of("different") };
}

type Reading = (text: string) => unknown;

/** Values with several valid encodings, by type and key. */
const READINGS: ReadonlyMap<string, Reading> = new Map<string, Reading>([
  ["kubernetes.io/tls tls.crt", certificatesIn],
  ["kubernetes.io/tls tls.key", (text) => createPrivateKey(text).export({ type: "pkcs8", format: "der" }).toString("base64")],
  ["kubernetes.io/dockerconfigjson .dockerconfigjson", (text) => JSON.parse(text)],
]);

function sameness(place: string, one: string | undefined, other: string | undefined): Sameness {
  if (one === other) return "bytes";
  const read = READINGS.get(place);
  if (read === undefined || one === undefined || other === undefined) return "different";
  const [first, second] = [one, other].map((value) => read(Buffer.from(value, "base64").toString()));
  return isDeepStrictEqual(first, second) ? "meaning" : "different";
}

function certificatesIn(text: string): readonly string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block).fingerprint256);
}
