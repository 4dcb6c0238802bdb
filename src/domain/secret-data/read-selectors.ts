/**
 * Reads the parameter `objectSelectors` of a class. It selects more vault objects for a Secret, by name and tags, than the class lists.
 * Driver and provider do not know the parameter: a mount has only the objects that the class lists.
 */
import type { SecretProviderClassSpec } from "../kubernetes.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import type { ObjectType } from "../provider-class/object-rules.ts";
import { OBJECT_SELECTORS } from "../provider-class/parameters.ts";
import type { ClassProblem } from "../provider-class/problem.ts";
import { type MappingMembers, type MisreadYaml, mappingMembers, textAt, textMapAt, textsAt } from "../provider-class/yaml-members.ts";
import { parseYaml, type YamlNode } from "../provider-class/yaml-tree.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { nearestSpelling, spellingAdvice } from "../spelling.ts";
import { WeakCache } from "../weak-cache.ts";

export const OBJECT_SELECTORS_FIELD = `spec.parameters.${OBJECT_SELECTORS}`;

/** Rule that converts names in the vault to keys of the Secret. */
export interface KeyRule {
  readonly removePrefix: string;
  readonly letters: "upper" | "lower" | "asTheyAre";
  /** Replacement for each hyphen. */
  readonly hyphens: string;
}

export interface ObjectSelector {
  readonly type: ObjectType;
  /** Patterns in lower case, of which one must match. `*` stands for any characters. Names in a vault are case-insensitive. */
  readonly names: readonly string[];
  /** Required tags. All must have these values. */
  readonly tags: ReadonlyMap<string, string>;
  /** Whether to include secrets that belong to a certificate, which contain its private key. */
  readonly hasCertificates: boolean;
  readonly keys: KeyRule;
}

/** Selectors by the name of the Secret. */
export type ObjectSelectors = ReadonlyMap<string, ObjectSelector>;

type Read<T> = Result<T, ClassProblem>;

/** Worker and webhook parse it on their main thread, and the worker compares it with every object of a list. */
const MAX_LENGTH = 8_192;
const MAX_SELECTORS = 20;
/** Maximum number of patterns of all selectors together. */
const MAX_PATTERNS = 50;
const MAX_TAGS = 50;
/** Maximum number of asterisks of one pattern. The worker matches each pattern with the name of each object of a list. */
const MAX_STARS = 5;
const NONE: Read<ObjectSelectors> = ok(new Map());

const known = new WeakCache<SecretProviderClassSpec, Read<ObjectSelectors>>();

/** Returns undefined if the class has not been read yet. */
export function readSelectorsOf(spec: SecretProviderClassSpec): Read<ObjectSelectors> | undefined {
  return trimSpace(spec.parameters?.[OBJECT_SELECTORS] ?? "") === "" ? NONE : known.get(spec);
}

export function objectSelectorsOf(spec: SecretProviderClassSpec): Read<ObjectSelectors> {
  const text = trimSpace(spec.parameters?.[OBJECT_SELECTORS] ?? "");
  return text === "" ? NONE : known.getOrCreate(spec, () => readFor(spec, text));
}

const SPREAD = "spread it over several classes";
const HINT = "write YAML: the name of a Secret, below it names or tags";

function problem(message: string, hint: string, place: string = ""): { readonly ok: false; readonly error: ClassProblem } {
  return failed({ reason: "InvalidClass", message, field: `${OBJECT_SELECTORS_FIELD}${place}`, hint, isLimit: true });
}

function asProblem({ message, place }: MisreadYaml): { readonly ok: false; readonly error: ClassProblem } {
  return problem(message, HINT, place);
}

function readFor({ secretObjects = [] }: SecretProviderClassSpec, text: string): Read<ObjectSelectors> {
  if (text.length > MAX_LENGTH) return problem(`it has more than ${MAX_LENGTH} characters`, "spread it over several classes");
  const tree = parseYaml(text);
  if (!tree.ok) return problem(`it cannot be read: ${tree.error}`, HINT);
  const secrets = mappingMembers(tree.value, "");
  if (!secrets.ok) return asProblem(secrets.error);
  const named = secretObjects.map(({ secretName = "" }) => trimSpace(secretName));
  const selectors = new Map<string, ObjectSelector>();
  for (const [name, node] of secrets.value) {
    if (!named.includes(name)) {
      const nearest = nearestSpelling(name, named);
      const hint = nearest === undefined ? "add it to secretObjects, with its type" : `did you mean ${nearest}?`;
      return problem(`no secretObject is named ${quoted(name)}`, hint, `[${name}]`);
    }
    const selector = readSelector(node, `[${name}]`);
    if (!selector.ok) return selector;
    selectors.set(name, selector.value);
  }
  const patterns = [...selectors.values()].reduce((sum, { names }) => sum + names.length, 0);
  if (selectors.size > MAX_SELECTORS) return problem(`it has ${selectors.size} selectors; a class can have ${MAX_SELECTORS}`, SPREAD);
  if (patterns > MAX_PATTERNS) return problem(`it has ${patterns} patterns; a class can have ${MAX_PATTERNS}`, SPREAD);
  const tags = [...selectors.values()].reduce((sum, selector) => sum + selector.tags.size, 0);
  if (tags > MAX_TAGS) return problem(`it has ${tags} tags; a class can have ${MAX_TAGS}`, SPREAD);
  const starry = [...selectors.values()].flatMap(({ names }) => names).find((pattern) => pattern.split("*").length - 1 > MAX_STARS);
  if (starry !== undefined) return problem(`the pattern ${quoted(starry)} has more than ${MAX_STARS} asterisks`, "write a shorter pattern");
  return ok(selectors);
}

const FIELDS = ["names", "tags", "type", "certificates", "everything", "keys"] as const;

function readSelector(node: YamlNode, place: string): Read<ObjectSelector> {
  const members = mappingMembers(node, place);
  if (!members.ok) return asProblem(members.error);
  const stray = strayOf(members.value, FIELDS, place);
  if (stray !== undefined) return failed(stray);
  const read = new SelectorReader(members.value, place);
  const selector: ObjectSelector = {
    names: read.texts("names").map((name) => name.toLowerCase()),
    tags: read.textMap("tags"),
    type: read.oneOf("type", TYPES, "secret"),
    hasCertificates: read.oneOf("certificates", FLAGS, "false") === "true",
    keys: read.keys(),
  };
  const isEverything = read.oneOf("everything", FLAGS, "false") === "true";
  if (read.problem !== undefined) return failed(read.problem);
  return checked(selector, isEverything, place);
}

const TYPES: readonly ObjectType[] = ["secret", "key", "cert"];
const FLAGS = ["true", "false"] as const;
const LETTERS: readonly KeyRule["letters"][] = ["upper", "lower", "asTheyAre"];
const KEY_FIELDS = ["removePrefix", "letters", "hyphens"] as const;
const NOTHING: MappingMembers = new Map();

function strayOf(members: MappingMembers, fields: readonly string[], place: string): ClassProblem | undefined {
  const stray = [...members.keys()].find((name) => !fields.includes(name));
  if (stray === undefined) return undefined;
  return problem(`the field ${quoted(stray)} does not exist`, spellingAdvice(stray, fields), place).error;
}

/** Reads the members of a selector, and keeps the first problem. */
class SelectorReader {
  problem: ClassProblem | undefined;
  readonly #members: MappingMembers;
  readonly #place: string;

  constructor(members: MappingMembers, place: string) {
    this.#members = members;
    this.#place = place;
  }

  texts(name: string): readonly string[] {
    return this.#take(name, textsAt) ?? [];
  }

  textMap(name: string): ReadonlyMap<string, string> {
    return this.#take(name, textMapAt) ?? new Map();
  }

  oneOf<T extends string>(name: string, words: readonly T[], otherwise: T): T {
    const text = this.#take(name, textAt);
    if (text === undefined) return otherwise;
    const word = words.find((each) => each === text);
    if (word === undefined)
      this.#note(problem(`${quoted(text)} is not one of ${words.join(", ")}`, `write one of them`, this.#at(name)).error);
    return word ?? otherwise;
  }

  keys(): KeyRule {
    const node = this.#members.get("keys");
    const place = this.#at("keys");
    const members = node === undefined ? ok(NOTHING) : mappingMembers(node, place);
    if (!members.ok) this.#note(asProblem(members.error).error);
    const written = members.ok ? members.value : NOTHING;
    const stray = strayOf(written, KEY_FIELDS, place);
    if (stray !== undefined) this.#note(stray);
    const inside = new SelectorReader(written, place);
    const [removePrefix = "", hyphens = "-"] = [inside.#take("removePrefix", textAt), inside.#take("hyphens", textAt)];
    const rule = { removePrefix, hyphens, letters: inside.oneOf("letters", LETTERS, "asTheyAre") };
    if (inside.problem !== undefined) this.#note(inside.problem);
    if (!/^[-._]?$/.test(hyphens)) this.#note(problem("a key cannot contain that", "write _, . or nothing", `${place}[hyphens]`).error);
    return rule;
  }

  #take<T>(name: string, read: (node: YamlNode, place: string) => Result<T, MisreadYaml>): T | undefined {
    const node = this.#members.get(name);
    const taken = node === undefined ? undefined : read(node, this.#at(name));
    if (taken?.ok === false) this.#note(asProblem(taken.error).error);
    return taken?.ok === true ? taken.value : undefined;
  }

  #at(name: string): string {
    return `${this.#place}[${name}]`;
  }

  #note(found: ClassProblem): void {
    this.problem ??= found;
  }
}

/** Matches characters of names in a vault, and `*`. */
const PATTERN = /^[-A-Za-z0-9*]{1,127}$/;

function checked(selector: ObjectSelector, isEverything: boolean, place: string): Read<ObjectSelector> {
  const { names, tags, type, hasCertificates } = selector;
  const at = names.findIndex((name) => !PATTERN.test(name));
  if (at >= 0)
    return problem(`${quoted(names[at] ?? "")} is not a valid name in a vault`, "write letters, digits, - and *", `${place}[names][${at}]`);
  const isOpen = (names.length === 0 || names.some((name) => /^\*+$/.test(name))) && tags.size === 0;
  if (isOpen && !isEverything) {
    const hint = "select them by a pattern or a tag, or write everything: true";
    return problem("it would select every object of the vault that the identity can list", hint, place);
  }
  if (hasCertificates && type !== "secret") return problem("certificates is for type: secret", "remove it", `${place}[certificates]`);
  return ok(selector);
}
