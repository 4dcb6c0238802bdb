/**
 * Decodes a YAML tree into the two structures of a class's `objects`, with the rules and error texts of the provider's library. It collects
 * type errors and reports them together. A duplicate key is a type error. It refuses text that expands mostly from aliases.
 */
import { decodeBase64 } from "../encodings.ts";
import { failed, ok, type Result } from "../result.ts";
import { goQuote } from "./go-text.ts";
import { type Resolved, resolveScalar } from "./yaml-scalar-meaning.ts";
import type { YamlAlias, YamlMapping, YamlNode, YamlScalar } from "./yaml-tree.ts";

type Setter = (node: YamlNode, decoder: YamlDecoder) => void;

/** A structure: its Go name, which error texts contain, and the setter of each key. */
export interface Structure {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Setter>;
}

/** More errors of the same kind add no information, and the number of pairs of equal keys is quadratic. */
const MAX_ERRORS = 20;

/** Limits of the library for work that comes from aliases. */
const ALIASES_ALLOWED = 100;
const STEPS_ALLOWED = 1000;
const ALIAS_RATIO = 0.99;
const SHOWN_BYTES = 7;
const SHOWN_WHOLE = 10;

export class YamlDecoder {
  readonly #errors: string[] = [];
  #fatal: string | undefined;
  #steps = 0;
  #aliasSteps = 0;
  readonly #open = new Set<YamlAlias>();
  /** Keys that a merge (`<<`) must not set again; undefined outside merges. */
  #merged: Set<string> | undefined;

  /** Returns the result of everything decoded so far. */
  finish<T>(value: T): Result<T, string> {
    if (this.#fatal !== undefined) return failed(this.#fatal);
    return this.#errors.length === 0 ? ok(value) : failed(`yaml: unmarshal errors:\n  ${this.#errors.join("\n  ")}`);
  }

  /** Returns the text; undefined for null and for non-text. */
  text(node: YamlNode): string | undefined {
    return this.#enter(node, (entered) => {
      if (entered.kind !== "scalar") return this.#wrongCollection(entered, "string");
      const resolved = this.#resolve(entered);
      if (!resolved || resolved.meaning.kind === "null") return undefined;
      return resolved.tag === "!!binary" && resolved.meaning.kind === "text" ? resolved.meaning.value : entered.value;
    });
  }

  int32(node: YamlNode): number | undefined {
    return this.#enter(node, (entered) => {
      if (entered.kind !== "scalar") return this.#wrongCollection(entered, "int32");
      const resolved = this.#resolve(entered);
      if (!resolved || resolved.meaning.kind === "null") return undefined;
      const value = int32Of(resolved);
      return value ?? this.#wrongScalar(entered, resolved.tag, "int32");
    });
  }

  /** Returns the texts of a list without null entries. */
  textList(node: YamlNode): readonly string[] | undefined {
    return this.#enter(node, (entered) => {
      if (entered.kind === "sequence") return entered.items.map((item) => this.text(item)).filter((text) => text !== undefined);
      if (entered.kind === "mapping") return this.#wrongCollection(entered, "[]string");
      return this.#refuseScalar(entered, "[]string");
    });
  }

  structure(node: YamlNode, structure: Structure): void {
    this.#enter(node, (entered) => {
      if (entered.kind === "scalar") return this.#refuseScalar(entered, structure.name);
      if (entered.kind === "sequence") return this.#wrongCollection(entered, structure.name);
      return this.#hasDuplicates(entered) ? undefined : this.#fields(entered, structure);
    });
  }

  #fields(node: YamlMapping, structure: Structure): undefined {
    const merged = this.#merged;
    this.#merged = undefined;
    const done = new Set<string>();
    let merge: YamlNode | undefined;
    for (const { key, value } of node.pairs) {
      if (isMergeKey(key)) merge = value;
      else this.#field({ key, value, structure, done, merged });
    }
    this.#merged = merged;
    if (merge) this.#merge(node, merge, structure);
    return undefined;
  }

  #field(entry: {
    readonly key: YamlNode;
    readonly value: YamlNode;
    readonly structure: Structure;
    readonly done: Set<string>;
    readonly merged: Set<string> | undefined;
  }): void {
    const { key, value, structure, done, merged } = entry;
    const name = this.text(key);
    if (name === undefined || merged?.has(name)) return;
    merged?.add(name);
    const set = structure.fields.get(name);
    if (!set) return;
    if (done.has(name)) this.#report(key, `field ${name} already set in type ${structure.name}`);
    else set(value, this);
    done.add(name);
  }

  #merge(parent: YamlMapping, merge: YamlNode, structure: Structure): void {
    const outer = this.#merged;
    this.#merged ??= new Set(parent.pairs.map(({ key }) => this.text(key)).filter((name) => name !== undefined));
    const sources = merge.kind === "sequence" ? merge.items : [merge];
    for (const source of sources) {
      const target = source.kind === "alias" ? source.target : source;
      if (target.kind !== "mapping") this.#fail("yaml: map merge requires map or sequence of maps as the value");
      else this.structure(source, structure);
    }
    this.#merged = outer;
  }

  /** Counts the step, follows aliases, and does nothing after a fatal error. */
  #enter<T>(node: YamlNode, decode: (node: Exclude<YamlNode, YamlAlias>) => T | undefined): T | undefined {
    if (this.#fatal !== undefined) return undefined;
    this.#steps += 1;
    if (this.#open.size > 0) this.#aliasSteps += 1;
    if (this.#aliasSteps > ALIASES_ALLOWED && this.#steps > STEPS_ALLOWED && this.#aliasSteps / this.#steps > ALIAS_RATIO) {
      return this.#fail("yaml: document contains excessive aliasing");
    }
    if (node.kind !== "alias") return decode(node);
    if (this.#open.has(node)) return this.#fail(`yaml: anchor '${node.name}' value contains itself`);
    this.#open.add(node);
    const value = this.#enter(node.target, decode);
    this.#open.delete(node);
    return value;
  }

  /** Compares every key with every later one, in the order of the library. Reports only the first few duplicates. */
  #hasDuplicates(node: YamlMapping): boolean {
    const before = this.#errors.length;
    const groups = Map.groupBy(
      node.pairs.map(({ key }) => key),
      identityOf,
    );
    for (const { key } of node.pairs) {
      if (this.#errors.length === MAX_ERRORS) break;
      const group = groups.get(identityOf(key)) ?? [];
      const next = group.indexOf(key) + 1;
      for (const later of group.slice(next, next + MAX_ERRORS)) {
        this.#report(later, `mapping key ${goQuote(keyText(later))} already defined at line ${key.line}`);
      }
    }
    return this.#errors.length > before;
  }

  /** Resolves a scalar. A value with the tag `!!binary` must be base64, whatever its use is. */
  #resolve(node: YamlScalar): Resolved | undefined {
    const resolved = resolveScalar(node);
    if (typeof resolved === "string") return this.#fail(resolved);
    if (resolved.tag !== "!!binary") return resolved;
    const decoded = decodeBase64(new TextEncoder().encode(node.value));
    if (!decoded.ok) return this.#fail("yaml: !!binary value contains invalid base64 data");
    return { tag: resolved.tag, meaning: { kind: "text", value: textOf(decoded.value) } };
  }

  #refuseScalar(node: YamlScalar, type: string): undefined {
    const resolved = this.#resolve(node);
    return !resolved || resolved.meaning.kind === "null" ? undefined : this.#wrongScalar(node, resolved.tag, type);
  }

  #wrongScalar(node: YamlScalar, tag: string, type: string): undefined {
    return this.#wrongType(node, { tag, value: node.value }, type);
  }

  #wrongCollection(node: Exclude<YamlNode, YamlAlias | YamlScalar>, type: string): undefined {
    if (node.kind === "mapping" && this.#hasDuplicates(node)) return undefined;
    const standard = node.kind === "mapping" ? "!!map" : "!!seq";
    return this.#wrongType(node, { tag: node.tag === "" ? standard : node.tag, value: "" }, type);
  }

  #wrongType(node: YamlNode, { tag, value }: { readonly tag: string; readonly value: string }, type: string): undefined {
    const words = tag === "!!map" || tag === "!!seq" ? `${tag}${value}` : `${tag} \`${shown(value)}\``;
    return this.#report(node, `cannot unmarshal ${words} into ${type}`);
  }

  #report(node: YamlNode, problem: string): undefined {
    if (this.#errors.length < MAX_ERRORS) this.#errors.push(`line ${node.line}: ${problem}`);
    return undefined;
  }

  #fail(message: string): undefined {
    this.#fatal ??= message;
    return undefined;
  }
}

function isMergeKey(key: YamlNode): boolean {
  return key.kind === "scalar" && key.value === "<<" && (key.tag === "!!merge" || (key.tag === "" && !key.quoted));
}

const identityOf = (key: YamlNode): string => `${key.kind} ${keyText(key)}`;

function keyText(key: YamlNode): string {
  if (key.kind === "scalar") return key.value;
  return key.kind === "alias" ? key.name : "";
}

/** Decodes UTF-8, and keeps a byte order mark as a character. */
const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Shortens long values by bytes. */
function shown(value: string): string {
  const bytes = new TextEncoder().encode(value);
  return bytes.length > SHOWN_WHOLE ? `${textOf(bytes.subarray(0, SHOWN_BYTES))}...` : value;
}

const MIN_INT32 = -(2 ** 31);
const MAX_INT32 = 2 ** 31 - 1;

function int32Of({ meaning }: Resolved): number | undefined {
  if (meaning.kind !== "integer" && meaning.kind !== "float") return undefined;
  const value = Math.trunc(Number(meaning.value));
  return value >= MIN_INT32 && value <= MAX_INT32 ? value : undefined;
}
