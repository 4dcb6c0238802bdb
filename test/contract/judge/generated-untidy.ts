/** Generated classes with typing mistakes: YAML in every style, and certificate chains in any order. */
import { createPrivateKey, X509Certificate } from "node:crypto";

import { writePfx } from "../../../tools/key-vault-emulator/pki/pkcs12.ts";
import { type Random, randomFrom } from "../../support/fixtures/random.ts";
import type { Compared } from "./comparison.ts";
import type { ProviderGeneration } from "./generated-provider.ts";
import { disturb, type Field, spellItem, spellObjects } from "./generated-yaml.ts";
import { inTurn } from "./in-turn.ts";
import { rowByText } from "./listed-rows.ts";
import type { Chain, Material } from "./material.ts";
import type { ProviderWorld } from "./provider-world.ts";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  secret: ["secret1", "newline", "base64", "hex", "history", "gaps", "pem-chain", "$CHAIN", "$CHAIN", "$CHAIN"],
  key: ["key1", "ec256", "koblitz"],
  cert: ["pemcert1", "ecccert1"],
};

const ALIASES = [
  "alias",
  "folder/alias",
  "0755",
  "true",
  "2020-01-01",
  "null-like",
  "1e3",
  "a b",
  "ünïcode",
  "x..y",
  "/root",
  ".hidden",
  "~",
] as const;
const VERSIONS = ["latest", "52e13000000000000000000000000000", "0x1f", "$V(history,2)", "$V(gaps,1)"] as const;
const HISTORIES = ["0", "1", "2", "3", "10", "5.0", "1_0", "0x3", "-1", "2147483648", "'5'", "five", "2.5", "~", "true"] as const;
const FORMATS = ["pem", "PEM", "pfx", "pfx", "PFX", "Pfx", "der", "pem "] as const;
const ENCODINGS = ["utf-8", "UTF-8", "hex", "base64", "Base64", "utf8"] as const;
const PERMISSIONS = ["0644", "600", "0400", "1777", "0o644", "-1", "999", "rw", "07777777777777"] as const;

function optional(random: Random, probability: number, key: string, values: readonly string[]): readonly Field[] {
  return random.chance(probability) ? [[key, random.pick(values)]] : [];
}

function randomFields(random: Random): readonly Field[] {
  const type = random.pick(["secret", "secret", "secret", "secret", "key", "cert"]);
  const isSecret = type === "secret";
  const name = random.pick(NAMES[type] ?? []).replace("$CHAIN", () => `chain-${random.integer(0, SHUFFLED_CHAINS - 1)}`);
  const fields: readonly Field[] = [
    ["objectName", name],
    ["objectType", type],
    ...optional(random, 0.2, "objectAlias", ALIASES),
    ...optional(random, 0.05, "objectVersion", VERSIONS),
    ...optional(random, 0.1, "objectVersionHistory", HISTORIES),
    ...optional(random, isSecret ? 0.2 : 0.03, "objectFormat", FORMATS),
    ...optional(random, isSecret ? 0.1 : 0.02, "objectEncoding", ENCODINGS),
    ...optional(random, 0.15, "filePermission", PERMISSIONS),
    ...optional(random, 0.04, "objectname", ["other"]),
    ...optional(random, 0.02, "objectName", ["twice"]),
  ];
  return random.chance(0.2) ? fields.toReversed() : fields;
}

/** Probability of a typing mistake in each item, and in the whole text. */
const SLIPS = { item: 0.06, whole: 0.15 } as const;

/** We reject an impossible version before a request to the vault, whose answer the emulator does not know. */
const VERSION_WRITTEN = /objectVersion\b/;

function withSlips(random: Random, text: string, probability: number): string {
  return random.chance(probability) && !VERSION_WRITTEN.test(text) ? disturb(text, random) : text;
}

function randomObjects(random: Random): string {
  const count = random.pick([0, 1, 1, 1, 1, 2, 2, 3]);
  const items = Array.from({ length: count }, () => withSlips(random, spellItem(randomFields(random), random), SLIPS.item));
  return withSlips(random, spellObjects(items, random), SLIPS.whole);
}

const FLAGS = ["usePodIdentity", "useVMManagedIdentity", "useAzureTokenProxy"] as const;
const BOOLS = ["false", "0", "f", "F", "FALSE", "False", " false ", "", "no", "fALSE", "2"] as const;
const CLOUDS = ["AzurePublicCloud", "azurepubliccloud", "AzureCloud", " AZURECLOUD\n", "", "AzureMoonCloud"] as const;

function randomParameters(random: Random): Readonly<Record<string, string>> {
  const tenant = random.pick(["$TENANT", "$TENANT", " $TENANT\n"]);
  return {
    keyvaultName: random.chance(0.97) ? random.pick(["$VAULT", " $VAULT "]) : random.pick(["ab", "a_b", "https://$VAULT", "ünïcode", " "]),
    ...random.pick([{ tenantID: tenant }, { tenantID: tenant }, { tenantId: tenant }, { tenantID: tenant, tenantId: "other" }]),
    ...(random.chance(0.1) ? { [random.pick(FLAGS)]: random.pick(BOOLS) } : {}),
    ...(random.chance(0.1) ? { cloudName: random.pick(CLOUDS) } : {}),
    objects: randomObjects(random),
  };
}

function shuffled<T>(values: readonly T[], random: Random): readonly T[] {
  const placed = values.map((value) => ({ value, place: random.integer(0, 1_000_000) }));
  return placed.sort((a, b) => a.place - b.place).map(({ value }) => value);
}

const derOf = ({ certificate }: Chain["leaf"]) => new X509Certificate(certificate).raw;

/** Some certificates of a chain in any order, sometimes one of them twice, or one of another chain. */
function shuffledChain(random: Random, { leaf, intermediate, root }: Chain, stranger: Chain): Buffer {
  const others = [intermediate, root, ...(random.chance(0.1) ? [stranger.leaf] : []), ...(random.chance(0.1) ? [intermediate] : [])];
  const chosen = shuffled([leaf, ...others.filter(() => random.chance(0.85))], random);
  const privateKey = createPrivateKey(leaf.key).export({ format: "der", type: "pkcs8" });
  return writePfx({ privateKey, certificates: chosen.map(derOf), leaf: derOf(leaf) }, random.chance(0.95) ? "legacy" : "modern");
}

const SHUFFLED_CHAINS = 80;

async function seedChains(
  world: ProviderWorld,
  vault: string,
  { material, random }: { material: Material; random: Random },
): Promise<void> {
  const { p256, rsa } = material.chains;
  for (let number = 0; number < SHUFFLED_CHAINS; number += 1) {
    const [chain, stranger] = random.chance(0.85) ? [p256, rsa] : [rsa, p256];
    const value = shuffledChain(random, chain, stranger).toString("base64");
    await world.emulator.setSecret({ vault, name: `chain-${number}`, value, contentType: "application/x-pkcs12", certificateBacked: true });
  }
}

/** Returns `count` distinct cases. */
export async function generatedUntidyCases(
  world: ProviderWorld,
  { material, place, seed, count }: ProviderGeneration,
): Promise<readonly Compared[]> {
  const random = randomFrom(seed);
  await seedChains(world, place.vault.name, { material, random });
  const cases = new Map<string, Readonly<Record<string, string>>>();
  while (cases.size < count) {
    const parameters = randomParameters(random);
    cases.set(`generated untidy class: ${JSON.stringify(parameters)}`, parameters);
  }
  return inTurn([...cases], async ([id, parameters]): Promise<Compared> => {
    const whole = Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, place.replace(value)]));
    const answers = await world.ask({ parameters: whole, credentials: place.vault.credentials });
    const listed = rowByText(answers.ours, answers.theirs);
    return { id, rows: [], isGenerated: true, ...answers, ...(listed === undefined ? {} : { listed }) };
  });
}
