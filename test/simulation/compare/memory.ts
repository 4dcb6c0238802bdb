import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../api/json.ts";

/** What one server has shown of an object. */
export interface Known {
  readonly object: JsonObject;
  readonly version: string;
}

/** A uid that no object has. */
const NO_UID = "00000000-0000-4000-8000-000000000000";

/** What one server has answered so far. */
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

  /** The first version of a list, and where its next page begins. */
  noteList(list: string, body: JsonObject): void {
    const { resourceVersion, continue: token } = objectAt(body, "metadata");
    if (typeof resourceVersion === "string" && !this.#lists.has(list)) this.#lists.set(list, resourceVersion);
    if (typeof token === "string" && token !== "") this.#tokens.set(list, token);
    else this.#tokens.delete(list);
  }

  token(list: string): string | undefined {
    return this.#tokens.get(list);
  }

  /** What a word that begins with `$` stands for. `own` is the object that it is said of where the word names no other. */
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
      // For a watch: how far back a server remembers goes by when its caches were filled.
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

  /** The value with all its references resolved. */
  resolve(value: Json, own: string): Json {
    if (typeof value === "string") return value.startsWith("$") ? this.reference(value, own) : value;
    if (Array.isArray(value)) return value.map((item: Json) => this.resolve(item, own));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.resolve(member, own)]));
  }
}
