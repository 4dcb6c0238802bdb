/** Random classes: parameters, lists of objects, and spellings of both. */
import type { Random } from "../../support/fixtures/random.ts";

/** Input of a spelling. */
export interface WrittenObject {
  /** Keys and values as in YAML. */
  readonly lines: readonly (readonly [key: string, value: string])[];
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  secret: [
    "secret1",
    "unicode",
    "newline",
    "base64",
    "hex",
    "history",
    "gaps",
    "short",
    "pkcs12cert1",
    "ecccert1",
    "pem-chain",
    "pfx-reversed",
    "rotated",
  ],
  key: ["key1", "rsahsmkey1", "ec256", "ec384", "ec521", "echsmkey1", "ecccert1"],
  cert: ["pemcert1", "pkcs12cert1", "ecccert1", "rotated", "pem-reversed"],
};

const PFX = ["alone", "chain", "reversed", "gap", "twice", "named", "no-key", "no-mac", "plain-key", "plain-certificate"] as const;
const PFX_SETTINGS = ["legacy", "legacy", "legacy", "legacy-3DES", "modern", "AES-128-SHA-512"] as const;

/** Mistakes and oddities of one key, most of which both sides reject. */
const ODD: readonly (readonly [string, readonly string[]])[] = [
  [
    "objectName",
    [
      "gone",
      "''",
      "absent-one",
      "all-disabled",
      "disabled",
      "base64-garbage",
      "odd-type",
      "odd-pfx-garbage",
      "koblitz",
      "oct",
      "123",
      "a b",
      "~",
    ],
  ],
  ["objectType", ["Secret", "certificate", "''", "secrets", "key ", "null", "5"]],
  ["objectFormat", ["der", "PEM", "pfx", "Pfx", "p12"]],
  ["objectEncoding", ["base64", "hex", "UTF-8", "utf-16", "BASE64"]],
  ["objectVersion", ["latest", "$V(history,3)", "00000000000000000000000000000000", "1e3", "x"]],
  ["objectVersionHistory", ["'3'", "2.5", "-1", "1_0", "0x2", "many", "2147483648", "[1]", "null"]],
  ["objectAlias", ["/etc/x", "a..b", "..", "''", "a/b", "{a: b}", "0755"]],
  ["filePermission", ["0o644", "999", "0755", "'0400'", "-1", "rw"]],
];

const GOOD: readonly (readonly [string, readonly string[]])[] = [
  ["objectAlias", ["alias", "folder/alias", "a.b", "'quoted name'", '"caf\\u00e9"', "0644", "true", "x-1"]],
  ["filePermission", ["0644", "0600", "400", "'0777'"]],
  ["objectFormat", ["pem", "PEM"]],
  ["colour", ["red", "[a, b]"]],
];

function randomName(random: Random, type: string): string {
  if (type === "secret" && random.chance(0.3)) return `pfx-${random.pick(["p256", "p256", "rsa"])}-${randomPfx(random)}`;
  return random.pick(NAMES[type] ?? []);
}

function randomPfx(random: Random): string {
  const contents = random.pick(PFX);
  // The unusual ones exist with one setting only.
  return `${contents}-${PFX.indexOf(contents) < 5 ? random.pick(PFX_SETTINGS) : "legacy"}`;
}

function randomExtras(random: Random, type: string, name: string): readonly (readonly [string, string])[] {
  const extras: (readonly [string, string])[] = [];
  for (const [key, values] of GOOD) if (random.chance(0.2)) extras.push([key, random.pick(values)]);
  if (type === "secret" && ["base64", "hex"].includes(name) && random.chance(0.5)) extras.push(["objectEncoding", name]);
  if (["history", "gaps", "short", "rotated", "ec256"].includes(name) && random.chance(0.7)) {
    extras.push(["objectVersionHistory", String(random.integer(0, 12))]);
    if (name !== "rotated" && name !== "ec256" && random.chance(0.5)) extras.push(["objectVersion", `$V(${name},${random.integer(0, 4)})`]);
  }
  if (type === "secret" && name.startsWith("pfx-") && random.chance(0.3))
    extras.push(["objectFormat", "pfx"], ["objectEncoding", "base64"]);
  return extras;
}

export function randomObject(random: Random, oddness: number): WrittenObject {
  const type = random.pick(["secret", "secret", "secret", "key", "cert"]);
  const name = randomName(random, type);
  const lines = new Map<string, string>([["objectName", name], ["objectType", type], ...randomExtras(random, type, name)]);
  if (random.chance(oddness)) {
    const [key, values] = random.pick(ODD);
    lines.set(key, random.pick(values));
  }
  if (random.chance(oddness / 8)) lines.delete(random.pick(["objectName", "objectType"]));
  const entries = [...lines];
  return { lines: random.chance(0.2) ? entries.toReversed() : entries };
}

/** Changes to the parameters of a valid class, mostly none. */
export function randomParameters(random: Random): Readonly<Record<string, string>> {
  if (random.chance(0.75)) return {};
  return random.pick([
    { cloudName: random.pick(["AzurePublicCloud", "azurecloud", " AZURECLOUD ", "AzureUnknownCloud", "", "Azure Cloud"]) },
    { usePodIdentity: random.pick(["false", "0", "F", "False", "maybe", "nO", " false "]) },
    { useVMManagedIdentity: random.pick(["true", "1", "T", "f", "yes", "TRUE\n"]) },
    { useVMManagedIdentity: random.pick(["true", "t"]), userAssignedIdentityID: random.pick(["$USER", " $USER", "none"]) },
    { useVMManagedIdentity: "true", usePodIdentity: random.pick(["true", "false"]) },
    { keyvaultName: random.pick([" $VAULT ", "$VAULT\n", "a", "not_a_vault", "x".repeat(random.integer(24, 30)), ""]) },
    { tenantID: random.pick([" $TENANT", "", "a b", "\t"]), tenantId: random.pick(["$TENANT", "", "other"]) },
    { resourceGroup: random.unique("group"), useManagedIdentity: "true" },
  ]);
}
