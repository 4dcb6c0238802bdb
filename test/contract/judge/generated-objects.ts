/** Texts of `objects` in every style of YAML, as people write them, and with typing mistakes. */
import type { Random } from "../../support/fixtures/random.ts";
import { document } from "./generated-manifests.ts";
import { disturb, type Field, spellItem, spellObjects } from "./generated-yaml.ts";

const TEXTS = ["secret1", "a b", "0755", "true", "ünïcode", "x..y", "~", "1e3", "null-like", `it's "q"`, "# x", "2020-01-01"] as const;
const HISTORIES = ["0", "1", "2", "3", "5.0", "1_0", "0x3", "~", "'5'"] as const;
const KEYS = [
  "objectName",
  "objectType",
  "objectAlias",
  "objectVersion",
  "objectFormat",
  "objectEncoding",
  "filePermission",
  "objectVersionHistory",
] as const;

function fields(random: Random): readonly Field[] {
  const keys = KEYS.filter(() => random.chance(0.4));
  return keys.map((key): Field => [key, random.pick(key === "objectVersionHistory" ? HISTORIES : TEXTS)]);
}

/** Any document followed by entries, for which a reader has to parse the whole document. */
function inDocument(random: Random, item: string): string {
  return `${document(random)}array:\n- |\n${item.replaceAll(/^/gm, "  ")}\n`;
}

function slips(random: Random, text: string): string {
  return Array.from({ length: random.integer(1, 2) }).reduce((disturbed: string) => disturb(disturbed, random), text);
}

function objects(random: Random, isUntidy: boolean): string {
  const items = Array.from({ length: random.integer(1, 3) }, () => spellItem(fields(random), random));
  const spelt = isUntidy ? items.map((item) => (random.chance(0.3) ? slips(random, item) : item)) : items;
  const text = random.chance(0.1) ? inDocument(random, spelt[0] ?? "") : spellObjects(spelt, random);
  return isUntidy ? slips(random, text) : text;
}

/** Line breaks in yaml.v3, but characters in all other readers. */
const SEPARATORS = /[\u2028\u2029]/g;

/** Returns this number of distinct texts. */
export function generatedObjects(random: Random, count: number, isUntidy: boolean): readonly string[] {
  const texts = new Set<string>();
  while (texts.size < count) texts.add(objects(random, isUntidy).toWellFormed().replaceAll(SEPARATORS, " "));
  return [...texts];
}
