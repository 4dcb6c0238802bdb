/** What a document of YAML says in front of it: which version it is written in, and what the handles of its tags stand for. */
import { parserError } from "./yaml-cursor.ts";
import type { Directive, Tag } from "./yaml-properties.ts";

/** By handle. */
const DEFAULT_PREFIXES: ReadonlyMap<string, string> = new Map([
  ["!", "!"],
  ["!!", "tag:yaml.org,2002:"],
]);

const SUPPORTED_VERSION = "1.1";

export class YamlDirectives {
  #version: string | undefined;
  readonly #prefixes = new Map<string, string>();

  /** To be called with each in turn. */
  note(directive: Directive, line: number): void {
    if (directive.kind === "version") this.#noteVersion(directive.version, line);
    else this.#notePrefix(directive, line);
  }

  /** `began`: the line on which the node begins that the tag, on `line`, is of. */
  wholeTag({ handle, suffix }: Tag, began: number, line: number): string {
    if (handle === "") return suffix;
    const prefix = this.#prefixes.get(handle) ?? DEFAULT_PREFIXES.get(handle);
    const tag = prefix === undefined ? "" : prefix + suffix;
    if (tag === "") throw parserError("found undefined tag handle", began, line);
    return tag;
  }

  #noteVersion(version: string, line: number): void {
    if (this.#version !== undefined) throw parserError("found duplicate %YAML directive", 0, line);
    if (version !== SUPPORTED_VERSION) throw parserError("found incompatible YAML document", 0, line);
    this.#version = version;
  }

  #notePrefix({ handle, prefix }: Extract<Directive, { kind: "tag" }>, line: number): void {
    if (this.#prefixes.has(handle)) throw parserError("found duplicate %TAG directive", 0, line);
    this.#prefixes.set(handle, prefix);
  }
}
