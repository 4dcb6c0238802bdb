/** Generated cases of Secret data. They depend only on a seed, except for the bytes of keys and certificates. */
import type { SecretObject } from "../../../src/domain/kubernetes.ts";
import { type Random, randomFrom } from "../../support/fixtures/random.ts";
import type { Compared } from "./comparison.ts";
import { generatedFile, isUnreadable, type Part, randomParts } from "./generated-file.ts";
import { QUOTED_VALUE } from "./listed-rows.ts";
import type { Material } from "./material.ts";
import { ourSecretData, type SecretDataJudge } from "./secret-data-judge.ts";

/** Its text identifies the case. */
interface Description {
  readonly object: SecretObject;
  readonly files: readonly (readonly [path: string, parts: readonly Part[]])[];
}

const PATHS = ["web", "web.key", "folder/web", "history/0", "history/1", "ünïcode"] as const;
const TYPES = ["Opaque", " Opaque", "kubernetes.io/basic-auth", "kubernetes.io/dockerconfigjson", "example.com/own", " "] as const;
const KEYS = ["password", ".dockerconfigjson", "a.b-c_d", " username ", "tls.crt"] as const;
const TLS_KEYS = ["tls.crt", "tls.key", " tls.key", "tls.crt\n"] as const;
const SPACES = ["", "", "", " ", "\t", "\u00a0"] as const;

type Entry = NonNullable<SecretObject["data"]>[number];

function randomEntry(random: Random, isTls: boolean, paths: readonly string[]): Entry {
  if (random.chance(0.02)) return random.pick([{}, { key: "tls.crt" }, { objectName: "web" }, { objectName: " ", key: "x" }]);
  const path = random.chance(0.04) ? random.pick(["gone", "WEB", "./web", "folder", "history"]) : random.pick(paths);
  const objectName = `${random.pick(SPACES)}${path}${random.pick(SPACES)}`;
  if (!isTls) return { objectName, key: random.pick(KEYS) };
  return { objectName, key: random.chance(0.04) ? random.pick(["ca.crt", "tls.pem", "TLS.KEY"]) : random.pick(TLS_KEYS) };
}

function randomObject(random: Random, paths: readonly string[]): SecretObject {
  const isTls = random.chance(0.85);
  const type = isTls ? `${random.pick(SPACES)}kubernetes.io/tls${random.pick(SPACES)}` : random.pick(TYPES);
  const data = Array.from({ length: random.integer(1, 3) }, () => randomEntry(random, isTls, paths));
  const object = { secretName: `${random.pick(SPACES)}app`, type, data };
  if (!random.chance(0.03)) return object;
  return random.pick([
    { ...object, secretName: "" },
    { ...object, type: "" },
    { ...object, data: [] },
    { type, data },
  ]);
}

function randomDescription(random: Random): Description {
  const files = Array.from({ length: random.integer(1, 3) }, (): Description["files"][number] => [random.pick(PATHS), randomParts(random)]);
  return { object: randomObject(random, [...new Set(files.map(([path]) => path))]), files };
}

export interface Generation {
  readonly seed: number;
  readonly count: number;
}

/** Message of the driver's PKCS#12 library for files with newer algorithms. */
const TOO_NEW = /unknown digest algorithm|algorithm .* is not supported/;

/** Returns `count` distinct cases. */
export async function generatedSecretData(
  judge: SecretDataJudge,
  material: Material,
  { seed, count }: Generation,
): Promise<readonly Compared[]> {
  const random = randomFrom(seed);
  const compared = new Map<string, Compared>();
  while (compared.size < count) {
    const { object, files } = randomDescription(random);
    const id = `generated Secret data: ${JSON.stringify({ object, files })}`;
    if (compared.has(id)) continue;
    const question = { object, files: files.map(([path, parts]) => [path, generatedFile(parts, material)] as const) };
    const theirs = await judge.ask(question);
    const isTooNew = theirs.kind === "refused" && TOO_NEW.test(theirs.message) && files.some(([, parts]) => parts.some(isUnreadable));
    const listed = isTooNew ? "modern-pfx" : QUOTED_VALUE;
    compared.set(id, { id, rows: [], isGenerated: true, ours: ourSecretData(question), theirs, listed });
  }
  return [...compared.values()];
}
