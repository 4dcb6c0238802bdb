import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../api/json.ts";

/** State of an object as one server last showed it. */
export interface Known {
  readonly object: JsonObject;
  readonly version: string;
}

/** A UID that no object has. */
const NO_UID = "00000000-0000-4000-8000-000000000000";

/** Remembers the answers of one server. */
export class Memory {
  readonly #latest = new Map<string, Known>();
  readonly #earlier = new Map<string, string>();
  readonly #tokens = new Map<string, string>();
  readonly #lists = new Map<string, string>();

  note(key: string, object: JsonObject): void {
    const before = this.#latest.get(key);
    const version = stringAt(objectAt(object, "metadata"), "resourceVersion") ?? "";
    if (before !== undefined && before.version !== version) this.#earlier.set(key, before.version);
    this.#latest.set(key, { object, version });
  }

  forget(key: string): void {
    const before = this.#latest.get(key);
    if (before !== undefined) this.#earlier.set(key, before.version);
    this.#latest.delete(key);
  }

  object(key: string): JsonObject | undefined {
    return this.#latest.get(key)?.object;
  }

  /** Remembers the first version of a list, and the token of its next page. */
  noteList(list: string, body: JsonObject): void {
    const { resourceVersion, continue: token } = objectAt(body, "metadata");
    if (typeof resourceVersion === "string" && !this.#lists.has(list)) this.#lists.set(list, resourceVersion);
    if (typeof token === "string" && token !== "") this.#tokens.set(list, token);
    else this.#tokens.delete(list);
  }

  token(list: string): string | undefined {
    return this.#tokens.get(list);
  }

  /** Resolves a word that begins with `$`. `own` is the key of the object that the word refers to if it names no other. */
  reference(word: string, own: string): Json {
    const [what = "", key = own] = word.slice(1).split("@");
    const known = this.#latest.get(key);
    const metadata = objectAt(known?.object, "metadata");
    switch (what) {
      case "uid":
        return stringAt(metadata, "uid") ?? NO_UID;
      case "version":
        return known?.version ?? "1";
      case "earlier":
        return this.#earlier.get(key) ?? "1";
      case "listed":
        return this.#lists.get(key) ?? "1";
      // For a watch: how far back a server remembers depends on when it filled its caches.
      case "listedOrNow":
        return this.#lists.get(key) ?? "0";
      case "owners":
        return listAt(metadata, "managedFields");
      case "lastOwner":
        return listAt(metadata, "managedFields").slice(-1);
      default:
        return word;
    }
  }

  /** Resolves all references in the value. */
  resolve(value: Json, own: string): Json {
    if (typeof value === "string") return value.startsWith("$") ? this.reference(value, own) : value;
    if (Array.isArray(value)) return value.map((item: Json) => this.resolve(item, own));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.resolve(member, own)]));
  }
}
