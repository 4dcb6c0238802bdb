import { itemsIn, memberOf, membersOf, nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";

/** Classes that are printed already, and the Secrets that they make. */
export class Taken {
  readonly #classes = new Set<string>();
  readonly #secrets = new Map<string, string>();

  /** Why the class cannot stand beside those before it; else it is taken from then on. */
  take(spc: JsonObject): string | undefined {
    const metadata = memberOf(spc, "metadata");
    const [name, namespace] = [nonEmptyText(metadata["name"]) ?? "", nonEmptyText(metadata["namespace"]) ?? ""];
    const key = `${namespace}/${name}`;
    if (this.#classes.has(key)) return `metadata.name: another object gives a class ${name} too; rename one of the two`;
    const secrets = itemsIn(memberOf(spc, "spec")["secretObjects"]).map((object) => String(membersOf(object)["secretName"]));
    const shared = secrets.find((secret) => this.#secrets.has(`${namespace}/${secret}`));
    if (shared !== undefined) {
      const other = this.#secrets.get(`${namespace}/${shared}`) ?? "";
      return `metadata.name: the Secret ${shared} is made by the class ${other} already, and a Secret has one class; merge the two`;
    }
    this.#classes.add(key);
    for (const secret of secrets) this.#secrets.set(`${namespace}/${secret}`, name);
    return undefined;
  }
}
