/** Generated cases of the provider's contract. They depend only on a seed, except for ids that the emulator makes up. */
import { type Random, randomFrom } from "../../support/fixtures/random.ts";
import type { Compared } from "./comparison.ts";
import { randomObject, randomParameters } from "./generated-class.ts";
import { generatedFile, type Part, randomParts } from "./generated-file.ts";
import type { Generation } from "./generated-secret-data.ts";
import { spelledObjects } from "./generated-spelling.ts";
import { inTurn } from "./in-turn.ts";
import { rowByText } from "./listed-rows.ts";
import type { Material } from "./material.ts";
import { item, objectsText } from "./provider-case.ts";
import type { Place } from "./provider-places.ts";
import type { ProviderWorld, Setting } from "./provider-world.ts";

/** Its text identifies the case. */
interface Description {
  readonly parameters: Readonly<Record<string, string>>;
  readonly setting: Setting;
  /** Secret of a certificate that this case creates. */
  readonly file?: { readonly parts: readonly Part[]; readonly contentType: string };
}

const SETTINGS = ["default", "default", "unordered chains", "separate files"] as const;
const FILE_NAME = "made-for-the-case";

/** Share of cases with their own file. */
const WITH_FILE = 0.25;

function randomDescription(random: Random): Description {
  const setting = random.pick(SETTINGS);
  if (random.chance(WITH_FILE)) {
    const contentType = random.chance(0.7) ? "application/x-pkcs12" : "application/x-pem-file";
    const more = random.pick([[], [], ["objectFormat: pfx"], ["objectEncoding: base64"], ["objectAlias: folder/file"]]);
    return {
      setting,
      parameters: { objects: objectsText([item("secret", FILE_NAME, ...more)]) },
      file: { parts: randomParts(random), contentType },
    };
  }
  const oddness = random.pick([0, 0, 0.2, 0.5]);
  const objects = Array.from({ length: random.integer(1, 4) }, () => randomObject(random, oddness));
  return { setting, parameters: { objects: spelledObjects(random, objects), ...randomParameters(random) } };
}

export interface ProviderGeneration extends Generation {
  readonly material: Material;
  readonly place: Place;
}

interface Case {
  readonly id: string;
  readonly description: Description;
  readonly number: number;
}

function describeCases({ seed, count }: Generation): readonly Case[] {
  const random = randomFrom(seed);
  const cases = new Map<string, Case>();
  while (cases.size < count) {
    const description = randomDescription(random);
    const id = `generated class: ${JSON.stringify(description)}`;
    if (!cases.has(id)) cases.set(id, { id, description, number: cases.size });
  }
  return [...cases.values()];
}

export async function generatedProviderCases(world: ProviderWorld, generation: ProviderGeneration): Promise<readonly Compared[]> {
  const { material, place } = generation;
  const run = async ({ id, description, number }: Case): Promise<Compared> => {
    const { parameters, setting, file } = description;
    const name = `made-${number}`;
    if (file !== undefined) {
      // A secret contains a PKCS#12 file as base64.
      const value = generatedFile(file.parts, material).toString(file.contentType.endsWith("pkcs12") ? "base64" : "utf8");
      await world.emulator.setSecret({ vault: place.vault.name, name, value, contentType: file.contentType, certificateBacked: true });
    }
    const whole = { keyvaultName: "$VAULT", tenantID: "$TENANT", ...parameters };
    const entries = Object.entries(whole).map(([key, value]) => [key, place.replace(value).replaceAll(FILE_NAME, name)]);
    const answers = await world.ask({ parameters: Object.fromEntries(entries), credentials: place.vault.credentials, setting });
    const listed = rowByText(answers.ours, answers.theirs);
    return { id, rows: [], isGenerated: true, ...answers, ...(listed === undefined ? {} : { listed }) };
  };
  return inTurn(describeCases(generation), run);
}
