/** Random files of keys, certificates and PKCS#12 files, tidy and untidy. */
import type { Random } from "../../support/fixtures/random.ts";
import { isModern, type KeyName, type Material } from "./material.ts";

/** Spelling of a PEM block, or of a PKCS#12 file. */
const PEM_SHAPES = {
  plain: (pem) => pem,
  "CR LF": (pem) => pem.replaceAll("\n", "\r\n"),
  headers: (pem) => pem.replace("-----\n", "-----\nZ: 1\nProc-Type: 4,ENCRYPTED\na : b: c\n\n"),
  "a header without an empty line": (pem) => pem.replace("-----\n", "-----\nname: x\n"),
  "narrow lines": (pem) => pem.replaceAll(/^([A-Za-z0-9+/=]{30})/gm, "$1\n"),
  "spaces behind": (pem) => pem.replaceAll("\n", " \t\n"),
  indented: (pem) => pem.replaceAll("\n", "\n "),
  "empty lines": (pem) => pem.replaceAll("\n", "\n\n"),
  "without its last line break": (pem) => pem.trimEnd(),
  "text around": (pem) => `Bag Attributes\n    friendlyName: x\n${pem}text: behind\n`,
  "text before on its line": (pem) => `x${pem}`,
  "another type": (pem) => pem.replaceAll("PRIVATE KEY", "KEY OF MINE").replaceAll("CERTIFICATE", "X509 CERTIFICATE"),
  "a wrong character": (pem) => pem.replace("\nM", "\n!"),
  "an END line of another type": (pem) => pem.replace("-----END ", "-----END X"),
  "no END line": (pem) => pem.slice(0, pem.indexOf("-----END")),
  "an END line only": (pem) => pem.slice(pem.indexOf("-----END")),
  "on one line": (pem) => pem.replaceAll("\n", ""),
  "a byte less": (pem) => pem.replace("\nM", "\n"),
  "lower-case words": (pem) => pem.replaceAll(/-----[A-Z0-9 ]+-----/g, (line) => line.toLowerCase()),
} as const satisfies Readonly<Record<string, (pem: string) => string>>;

const PFX_SHAPES = {
  plain: (file) => file,
  base64: (file) => Buffer.from(file.toString("base64")),
  "cut short": (file) => file.subarray(0, Math.floor(file.length / 2)),
  "a byte behind": (file) => Buffer.concat([file, Buffer.from("\n")]),
  "a byte before": (file) => Buffer.concat([Buffer.from("\n"), file]),
} as const satisfies Readonly<Record<string, (file: Buffer) => Buffer>>;

type PemShape = keyof typeof PEM_SHAPES;
type PfxShape = keyof typeof PFX_SHAPES;

/** One changed byte: its place as a share of the length, and the bits that differ. */
export interface Damage {
  readonly place: number;
  readonly bits: number;
}

export type Part =
  | { readonly key: KeyName; readonly encoding: string; readonly shape: PemShape; readonly damage?: Damage }
  | { readonly certificate: string; readonly shape: PemShape }
  | { readonly pfx: string; readonly shape: PfxShape; readonly damage?: Damage }
  | { readonly text: string };

const KEY_CHOICES: readonly (readonly [KeyName, string])[] = [
  ...(["p256", "p256", "p384", "p521", "p224", "secp256k1"] as const).flatMap((name) =>
    ["sec1", "pkcs8"].map((encoding) => [name, encoding] as const),
  ),
  ...(["p256", "p384"] as const).flatMap((name) => ["public", "encrypted"].map((encoding) => [name, encoding] as const)),
  ...["pkcs1", "pkcs8", "public", "encrypted"].map((encoding) => ["rsa", encoding] as const),
  ["rsa-1024", "pkcs1"],
  ["ed25519", "pkcs8"],
  ["x25519", "pkcs8"],
  ["rsa-pss", "pkcs8"],
];

const CERTIFICATES = ["p256 leaf", "p256 intermediate", "p256 root", "rsa leaf", "rsa intermediate", "rsa root"] as const;
const CHAINS = ["p256", "p256", "p256", "rsa"] as const;
const CONTENTS = ["alone", "chain", "reversed", "gap", "twice"] as const;
const UNUSUAL = ["named", "no key", "no mac", "plain key", "plain certificate"] as const;
const SETTINGS = ["legacy", "legacy", "legacy 3DES", "modern", "AES-128, SHA-512"] as const;

const TEXTS = [
  "",
  "\n",
  "text\n",
  "a: b\n",
  "-----BEGIN X-----\n-----END X-----\n",
  "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
  "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
  "-----BEGIN CERTIFICATE-----\n",
  "-----END CERTIFICATE-----\n",
  "-----BEGIN \n-----END -----\n",
  "----- BEGIN CERTIFICATE -----\naGk=\n----- END CERTIFICATE -----\n",
  "-----BEGIN PRIVATE KEY-----\naGk=\n-----END PRIVATE KEY-----\n",
  "-----BEGIN PRIVATE KEY-----\naGk\n-----END PRIVATE KEY-----\n",
  "\ufeff",
] as const;

function shapeOf<T extends string>(random: Random, shapes: Readonly<Record<T, unknown>>, untidy: number): T | "plain" {
  // Keys of a constant object.
  return random.chance(untidy) ? random.pick(Object.keys(shapes) as T[]) : "plain";
}

function randomDamage(random: Random, probability: number): { readonly damage?: Damage } {
  if (!random.chance(probability)) return {};
  // Lengths and types come first, and are the parts on which parsers fail.
  const place = random.chance(0.5) ? random.integer(0, 1000) / 1000 : random.integer(0, 60) / 1000;
  return { damage: { place, bits: random.integer(1, 255) } };
}

function damaged(bytes: Uint8Array, damage: Damage | undefined): Buffer {
  const copy = Buffer.from(bytes);
  if (damage === undefined) return copy;
  const place = Math.min(copy.length - 1, Math.floor(damage.place * copy.length));
  copy[place] = (copy[place] ?? 0) ^ damage.bits;
  return copy;
}

function damagedPem(pem: string, damage: Damage | undefined): string {
  if (damage === undefined) return pem;
  return pem.replace(/(-----\n)([A-Za-z0-9+/=\n]+)(-----END)/, (_, head: string, body: string, tail: string) => {
    const text = damaged(Buffer.from(body, "base64"), damage).toString("base64");
    return `${head}${text.replaceAll(/(.{1,64})/g, "$1\n")}${tail}`;
  });
}

function randomPart(random: Random): Part {
  const kind = random.integer(0, 9);
  if (kind < 4) {
    const [key, encoding] = random.pick(KEY_CHOICES);
    return { key, encoding, shape: shapeOf(random, PEM_SHAPES, 0.3), ...randomDamage(random, 0.15) };
  }
  if (kind < 9) return { certificate: random.pick(CERTIFICATES), shape: shapeOf(random, PEM_SHAPES, 0.3) };
  return { text: random.pick(TEXTS) };
}

function randomPfx(random: Random): Part {
  const chain = random.pick(CHAINS);
  const name = random.chance(0.2)
    ? `${chain} ${random.pick(UNUSUAL)} legacy`
    : `${chain} ${random.pick(CONTENTS)} ${random.pick(SETTINGS)}`;
  return { pfx: name, shape: shapeOf(random, PFX_SHAPES, 0.2), ...randomDamage(random, 0.2) };
}

/** One file: usually PEM, otherwise PKCS#12. */
export function randomParts(random: Random): readonly Part[] {
  if (random.chance(0.2)) return random.chance(0.1) ? [{ text: random.pick(TEXTS) }, randomPfx(random)] : [randomPfx(random)];
  return Array.from({ length: random.integer(1, 5) }, () => randomPart(random));
}

function rendered(part: Part, { keys, chains, pfx }: Material): Uint8Array {
  if ("text" in part) return Buffer.from(part.text);
  if ("pfx" in part) return PFX_SHAPES[part.shape](damaged(pfx.get(part.pfx) ?? missing(part.pfx), part.damage));
  if ("key" in part) {
    const pem = keys[part.key][part.encoding] ?? missing(part.encoding);
    return Buffer.from(PEM_SHAPES[part.shape](damagedPem(pem, part.damage)));
  }
  const [chain, member] = part.certificate.split(" ");
  const found = Object.entries(chains[chain === "rsa" ? "rsa" : "p256"]).find(([name]) => name === member);
  return Buffer.from(PEM_SHAPES[part.shape](found?.[1].certificate ?? missing(part.certificate)));
}

function missing(what: string): never {
  throw new Error(`the material has no ${what}`);
}

export function generatedFile(parts: readonly Part[], material: Material): Buffer {
  return Buffer.concat(parts.map((part) => rendered(part, material)));
}

/** Whether the part is a PKCS#12 file that the upstream programs cannot read and we can. */
export function isUnreadable(part: Part): boolean {
  return "pfx" in part && isModern(part.pfx.split(" ").slice(2).join(" "));
}
