/** Keys, certificates and PKCS#12 files, created once per run and combined anew for each case. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";

import { oddCertificates, oddKeys } from "../../support/fixtures/odd-certificates.ts";
import { type Issued, PFX_SETTINGS, type PfxSetting, Workshop } from "../../support/fixtures/openssl.ts";

/** A key in each of its encodings: PEM, by the encoding's name. */
export type Encodings = Readonly<Record<string, string>>;

export interface Chain {
  readonly leaf: Issued;
  readonly intermediate: Issued;
  readonly root: Issued;
}

export interface Material {
  readonly keys: Readonly<Record<KeyName, Encodings>>;
  readonly chains: Readonly<Record<ChainName, Chain>>;
  /** Binary, by `<chain> <contents> <setting>`. */
  readonly pfx: ReadonlyMap<string, Buffer>;
}

export type KeyName = "rsa" | "rsa-1024" | "p256" | "p384" | "p521" | "p224" | "secp256k1" | "ed25519" | "x25519" | "rsa-pss";
export type ChainName = "p256" | "rsa";

/** Certificates of a PKCS#12 file in addition to the leaf and its key. */
const PFX_CONTENTS = {
  alone: () => [],
  chain: ({ intermediate, root }: Chain) => [intermediate, root],
  reversed: ({ intermediate, root }: Chain) => [root, intermediate],
  gap: ({ root }: Chain) => [root],
  twice: ({ leaf, intermediate }: Chain) => [intermediate, leaf],
} as const satisfies Readonly<Record<string, (chain: Chain) => readonly Issued[]>>;

// Keys of a constant object.
const SETTINGS = Object.keys(PFX_SETTINGS) as PfxSetting[];

/** Whether the provider and the driver cannot read the setting. */
export const isModern = (setting: string): boolean => setting === "modern" || setting.startsWith("AES");

const exported = (key: KeyObject, type: "pkcs1" | "pkcs8" | "sec1"): string =>
  // Callers pass a type that fits the kind of key.
  key.export({ format: "pem", type } as { format: "pem"; type: "pkcs8" }).toString();

function rsaKey(modulusLength: number): Encodings {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
  return {
    pkcs1: exported(privateKey, "pkcs1"),
    pkcs8: exported(privateKey, "pkcs8"),
    public: publicKey.export({ format: "pem", type: "spki" }).toString(),
    encrypted: privateKey.export({ format: "pem", type: "pkcs1", cipher: "aes-128-cbc", passphrase: "x" }).toString(),
  };
}

function ecKey(namedCurve: string): Encodings {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return {
    sec1: exported(privateKey, "sec1"),
    pkcs8: exported(privateKey, "pkcs8"),
    public: publicKey.export({ format: "pem", type: "spki" }).toString(),
    encrypted: privateKey.export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: "x" }).toString(),
  };
}

const pkcs8Only = ({ privateKey }: { readonly privateKey: KeyObject }): Encodings => ({ pkcs8: exported(privateKey, "pkcs8") });

function makeKeys(): Material["keys"] {
  return {
    rsa: rsaKey(2048),
    "rsa-1024": rsaKey(1024),
    p256: ecKey("P-256"),
    p384: ecKey("P-384"),
    p521: ecKey("P-521"),
    p224: ecKey("secp224r1"),
    secp256k1: ecKey("secp256k1"),
    ed25519: pkcs8Only(generateKeyPairSync("ed25519")),
    x25519: pkcs8Only(generateKeyPairSync("x25519")),
    "rsa-pss": pkcs8Only(generateKeyPairSync("rsa-pss", { modulusLength: 2048 })),
  };
}

function makeChain(workshop: Workshop, name: string, kind: "P-256" | "rsa"): Chain {
  const root = workshop.issue(`${name}-root`, "P-256");
  const intermediate = workshop.issue(`${name}-intermediate`, "P-256", root);
  return { root, intermediate, leaf: workshop.issue(`${name}-leaf`, kind, intermediate) };
}

/** Files that lack a part, or have an unusual form. */
const UNUSUAL: Readonly<Record<string, readonly string[]>> = {
  named: ["-name", "web server é"],
  "no key": ["-nokeys"],
  "no mac": ["-nomac"],
  "plain key": ["-keypbe", "NONE"],
  "plain certificate": ["-certpbe", "NONE"],
};

function pfxOf(workshop: Workshop, name: ChainName, chain: Chain): readonly (readonly [string, Buffer])[] {
  const usual = Object.entries(PFX_CONTENTS).flatMap(([contents, othersOf]) =>
    SETTINGS.map((setting) => [`${name} ${contents} ${setting}`, workshop.pfx(chain.leaf, othersOf(chain), setting)] as const),
  );
  const unusual = Object.entries(UNUSUAL).map(
    ([what, options]) => [`${name} ${what} legacy`, workshop.pfx(chain.leaf, [], "legacy", options)] as const,
  );
  return [...usual, ...unusual];
}

/** Two certificates that signed each other, with their leaf and without: the second one reissues the first. */
function cyclesOf(workshop: Workshop): readonly (readonly [string, Buffer])[] {
  const first = workshop.issue("cycle-first", "P-256");
  const second = workshop.issue("cycle-second", "P-256", first);
  const leaf = workshop.issue("cycle-leaf", "P-256", first);
  const files = ["-key", "cycle-first.key", "-out", "cycle-again.crt", "-CA", "cycle-second.crt", "-CAkey", "cycle-second.key"];
  const extensions = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"].flatMap((extension) => ["-addext", extension]);
  workshop.run(["req", "-x509", ...files, "-subj", "/CN=cycle-again", "-days", "30", ...extensions]);
  const again = { name: "cycle-again", certificate: workshop.read("cycle-again.crt"), key: first.key };
  workshop.write("cycle-again.key", first.key);
  return [
    ["cycle", workshop.pfx(leaf, [again, second], "legacy")],
    ["cycle alone", workshop.pfx(again, [second], "legacy")],
  ];
}

/** Certificates and keys that an import into Key Vault does not accept. */
function oddFilesOf(workshop: Workshop): readonly (readonly [string, Buffer])[] {
  const odd = [...oddCertificates(workshop), ...oddKeys(workshop)];
  return [
    ["ed25519", workshop.pfx(workshop.issue("odd-ed25519", "ed25519"), [], "legacy")],
    ...odd.map(({ name, pfx }) => [name, pfx] as const),
  ];
}

/** Takes a second or two, mostly for starts of openssl. */
export function makeMaterial(): Material {
  const workshop = new Workshop();
  try {
    const chains = { p256: makeChain(workshop, "p256", "P-256"), rsa: makeChain(workshop, "rsa", "rsa") };
    const pfx = new Map([
      ...pfxOf(workshop, "p256", chains.p256),
      ...pfxOf(workshop, "rsa", chains.rsa),
      ...cyclesOf(workshop),
      ...oddFilesOf(workshop),
    ]);
    return { keys: makeKeys(), chains, pfx };
  } finally {
    workshop.remove();
  }
}
