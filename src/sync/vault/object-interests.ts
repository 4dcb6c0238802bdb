import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import { type ObjectCheck, stillHolds, type VaultListing } from "../../domain/schedule/object-check.ts";

/** Objects that one class names. */
export interface Interest {
  readonly keys: readonly string[];
  /** Unix milliseconds. A class without a check by then counts as deleted, or as moved to another vault or identity. */
  readonly until: number;
}

export interface InterestsOptions {
  /** Called when no class names the object any longer. */
  readonly onUnnamed: (key: string) => void;
  /** Called when the class is deleted, or uses another vault or identity. */
  readonly onForgotten: (classKey: string) => void;
}

/** Milliseconds between two searches for classes whose check is overdue. */
const EXPIRY_MS = 60_000;

/** Classes by the objects that they name. An object is given by its key in the version cache (`secret/name`). */
export class Interests {
  readonly #byClass = new Map<string, Interest>();
  /** One class or several: a single class names most objects, and a set takes 200 bytes. */
  readonly #byObject = new Map<string, string | Set<string>>();
  /** Number of objects of each type that classes name in their current version. */
  readonly #counts = new Map<string, number>();
  readonly #options: InterestsOptions;
  #expiredAt = Number.NEGATIVE_INFINITY;
  /** No class is overdue before (Unix milliseconds). Each poll that uses a list counts objects, so it must not visit every class. */
  #noneBefore = Number.POSITIVE_INFINITY;

  constructor(options: InterestsOptions) {
    this.#options = options;
  }

  /** Records the objects that a class names, in place of the earlier ones. */
  name(classKey: string, interest: Interest, now: number): void {
    const before = this.#byClass.get(classKey)?.keys ?? [];
    this.#byClass.set(classKey, interest);
    this.#noneBefore = Math.min(this.#noneBefore, interest.until);
    for (const key of interest.keys) this.#add(key, classKey);
    const named = new Set(interest.keys);
    for (const key of before) if (!named.has(key)) this.#release(key, classKey);
    // Runs after the class is recorded, so that a class whose check was late does not expire.
    if (Math.abs(now - this.#expiredAt) >= EXPIRY_MS) this.#expire(now);
  }

  /** Extends the time of a class that still names the same objects. False if it is not known. `until`: as in {@link Interest}. */
  keep(classKey: string, until: number): boolean {
    const known = this.#byClass.get(classKey);
    if (known === undefined) return false;
    this.#byClass.set(classKey, { ...known, until });
    this.#noneBefore = Math.min(this.#noneBefore, until);
    return true;
  }

  forget(classKey: string): void {
    for (const key of this.#byClass.get(classKey)?.keys ?? []) this.#release(key, classKey);
    this.#byClass.delete(classKey);
    this.#options.onForgotten(classKey);
  }

  #add(key: string, classKey: string): void {
    const named = this.#byObject.get(key);
    if (named === undefined) {
      this.#byObject.set(key, classKey);
      this.#count(key, 1);
    } else if (typeof named !== "string") named.add(classKey);
    else if (named !== classKey) this.#byObject.set(key, new Set([named, classKey]));
  }

  #release(key: string, classKey: string): void {
    const named = this.#byObject.get(key);
    if (named === undefined || (typeof named === "string" && named !== classKey)) return;
    if (typeof named !== "string") {
      named.delete(classKey);
      if (named.size > 0) return;
    }
    this.#byObject.delete(key);
    this.#count(key, -1);
    this.#options.onUnnamed(key);
  }

  #count(key: string, change: 1 | -1): void {
    const type = typeOfCurrent(key);
    if (type !== undefined) this.#counts.set(type, (this.#counts.get(type) ?? 0) + change);
  }

  #expire(now: number): void {
    this.#expiredAt = now;
    if (now <= this.#noneBefore) return;
    this.#noneBefore = Number.POSITIVE_INFINITY;
    for (const [classKey, { until }] of this.#byClass) {
      if (until < now) this.forget(classKey);
      else this.#noneBefore = Math.min(this.#noneBefore, until);
    }
  }

  /** Returns the number of objects of the type that classes name in their current version. */
  count(type: ObjectType, now: number): number {
    this.#expire(now);
    return this.#counts.get(type) ?? 0;
  }

  isNamed(key: string): boolean {
    return this.#byObject.has(key);
  }

  isShared(key: string): boolean {
    return this.all(key).length > 1;
  }

  others(key: string, classKey: string): readonly string[] {
    return this.all(key).filter((other) => other !== classKey);
  }

  all(key: string): readonly string[] {
    return asList(this.#byObject.get(key));
  }

  /**
   * Returns the classes that name an object whose last known state the list does not confirm. It leaves out objects without a known state:
   * the next check of their class reads them.
   */
  outdated(type: ObjectType, listing: VaultListing, checkOf: (key: string) => ObjectCheck | undefined): ReadonlySet<string> {
    const classes = [...this.#byObject].flatMap(([key, names]) => {
      const lastCheck = typeOfCurrent(key) === type ? checkOf(key) : undefined;
      return lastCheck === undefined || stillHolds(lastCheck, listing, key.slice(type.length + 1)) ? [] : asList(names);
    });
    return new Set(classes);
  }
}

function asList(named: string | ReadonlySet<string> | undefined): readonly string[] {
  if (named === undefined) return [];
  return typeof named === "string" ? [named] : [...named];
}

/** Returns the type of the object; undefined if the key contains a version. */
function typeOfCurrent(key: string): string | undefined {
  return key.includes("@") ? undefined : key.slice(0, key.indexOf("/"));
}
