import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import { type ObjectLook, stillHolds, type VaultListing } from "../../domain/schedule/object-look.ts";

interface Interest {
  readonly keys: readonly string[];
  /** Unix milliseconds: a class that does not come again by then is gone, or reads elsewhere. */
  readonly until: number;
}

/** Which classes name which objects, each by its key in the ledger (`secret/name`). */
export class Interests {
  readonly #byClass = new Map<string, Interest>();
  readonly #byObject = new Map<string, Set<string>>();

  /** In place of what the class named before. */
  name(classKey: string, keys: readonly string[], until: number): void {
    this.forget(classKey);
    this.#byClass.set(classKey, { keys, until });
    for (const key of keys) {
      const classes = this.#byObject.get(key) ?? new Set();
      this.#byObject.set(key, classes.add(classKey));
    }
  }

  forget(classKey: string): void {
    for (const key of this.#byClass.get(classKey)?.keys ?? []) {
      const classes = this.#byObject.get(key);
      classes?.delete(classKey);
      if (classes?.size === 0) this.#byObject.delete(key);
    }
    this.#byClass.delete(classKey);
  }

  /** Objects of the type, in their current version, that some class names. */
  count(type: ObjectType, now: number): number {
    for (const [classKey, { until }] of this.#byClass) if (until < now) this.forget(classKey);
    return this.#currentOf(type).length;
  }

  isShared(key: string): boolean {
    return (this.#byObject.get(key)?.size ?? 0) > 1;
  }

  others(key: string, classKey: string): readonly string[] {
    return [...(this.#byObject.get(key) ?? [])].filter((other) => other !== classKey);
  }

  /** Classes that name an object whose last look the list does not confirm. Without a look nothing is known of it: its class comes itself. */
  outdated(type: ObjectType, listing: VaultListing, lookOf: (key: string) => ObjectLook | undefined): ReadonlySet<string> {
    const classes = this.#currentOf(type).flatMap(([key, names]) => {
      const look = lookOf(key);
      return look === undefined || stillHolds(look, listing, key.slice(type.length + 1)) ? [] : [...names];
    });
    return new Set(classes);
  }

  #currentOf(type: ObjectType): readonly (readonly [string, ReadonlySet<string>])[] {
    return [...this.#byObject].filter(([key]) => key.startsWith(`${type}/`) && !key.includes("@"));
  }
}
