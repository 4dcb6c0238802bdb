import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import { type ObjectLook, stillHolds, type VaultListing } from "../../domain/schedule/object-look.ts";

/** What one class names. */
export interface Interest {
  readonly keys: readonly string[];
  /** Unix milliseconds: a class that does not come again by then is gone, or reads elsewhere. */
  readonly until: number;
}

export interface InterestsOptions {
  /** No class names the object any more. */
  readonly onUnnamed: (key: string) => void;
  /** The class is gone, or reads elsewhere. */
  readonly onForgotten: (classKey: string) => void;
}

/** Classes that do not come again are looked for this often (milliseconds). */
const EXPIRY_MS = 60_000;

/** Which classes name which objects, each by its key in the version cache (`secret/name`). */
export class Interests {
  readonly #byClass = new Map<string, Interest>();
  /** One class, or several: most objects are named by one alone, and a set takes 200 bytes. */
  readonly #byObject = new Map<string, string | Set<string>>();
  /** How many objects of each type are named in their current version. */
  readonly #counts = new Map<string, number>();
  readonly #options: InterestsOptions;
  #expiredAt = Number.NEGATIVE_INFINITY;

  constructor(options: InterestsOptions) {
    this.#options = options;
  }

  /** In place of what the class named before. */
  name(classKey: string, interest: Interest, now: number): void {
    const before = this.#byClass.get(classKey)?.keys ?? [];
    this.#byClass.set(classKey, interest);
    for (const key of interest.keys) this.#add(key, classKey);
    const named = new Set(interest.keys);
    for (const key of before) if (!named.has(key)) this.#release(key, classKey);
    // The class itself has come, however late.
    if (Math.abs(now - this.#expiredAt) >= EXPIRY_MS) this.#expire(now);
  }

  /** The class has come, and what it names is what it was. False where it is not known any more. `until`: as of {@link Interest}. */
  keep(classKey: string, until: number): boolean {
    const known = this.#byClass.get(classKey);
    if (known !== undefined) this.#byClass.set(classKey, { ...known, until });
    return known !== undefined;
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
    for (const [classKey, { until }] of this.#byClass) if (until < now) this.forget(classKey);
  }

  /** Objects of the type, in their current version, that some class names. */
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

  /** Classes that name an object whose last look the list does not confirm. Without a look nothing is known of it: its class comes itself. */
  outdated(type: ObjectType, listing: VaultListing, lookOf: (key: string) => ObjectLook | undefined): ReadonlySet<string> {
    const classes = [...this.#byObject].flatMap(([key, names]) => {
      const look = typeOfCurrent(key) === type ? lookOf(key) : undefined;
      return look === undefined || stillHolds(look, listing, key.slice(type.length + 1)) ? [] : asList(names);
    });
    return new Set(classes);
  }
}

function asList(named: string | ReadonlySet<string> | undefined): readonly string[] {
  if (named === undefined) return [];
  return typeof named === "string" ? [named] : [...named];
}

/** Undefined of one that is named by its version. */
function typeOfCurrent(key: string): string | undefined {
  return key.includes("@") ? undefined : key.slice(0, key.indexOf("/"));
}
