import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { ObjectFailure } from "./fetch-objects.ts";
import type { FetchRequest } from "./mirror.ts";
import { type VaultObjectKey, versionCacheKey } from "./vault-object-key.ts";

export interface Refusal {
  readonly failure: ObjectFailure;
  /** Unix milliseconds: when the poll that asked was due. */
  readonly due: number;
  /** Unix milliseconds: when the answer was there. */
  readonly at: number;
}

/** What was asked for, and what became of it. */
export interface Attempt {
  /** `namespace/name` of the class that asked. */
  readonly classKey: string;
  /** All that the class names. */
  readonly objects: readonly ClassObject[];
  readonly fetchRequest: FetchRequest;
  readonly asked: readonly ClassObject[];
  readonly failures: readonly ObjectFailure[];
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Objects that a poll asked for in vain, where another attempt has no reason to end otherwise: the class's own retry, and other classes, have
 * the same answer until the next poll. What a class meets at first, or by its `refresh`, is not kept: its next poll asks. Nor is what the class
 * that asked does not name any more.
 */
export class ObjectRefusals {
  readonly #byObject = new Map<string, Refusal>();
  /** How many refusals there are of an object, in whatever form it was asked for. */
  readonly #counts = new Map<string, number>();
  /** Keys of what each class was refused. */
  readonly #byClass = new Map<string, ReadonlySet<string>>();

  note({ classKey, objects, fetchRequest, asked, failures, now }: Attempt): void {
    const byObject = new Map(failures.map((failure) => [failure.object, failure]));
    const kept = this.#keepNamed(classKey, objects);
    for (const object of asked) {
      const key = keyOf(object);
      const failure = byObject.get(object);
      if (failure === undefined) this.#drop(key);
      else if (fetchRequest.kind === "changes" && isLasting(failure)) {
        if (!this.#byObject.has(key)) this.#count(object, 1);
        this.#byObject.set(key, { failure, due: fetchRequest.due, at: now });
        kept.add(key);
      }
    }
    if (kept.size > 0) this.#byClass.set(classKey, kept);
  }

  /** The class is gone, or reads elsewhere. */
  forget(classKey: string): void {
    for (const key of this.#byClass.get(classKey) ?? []) this.#drop(key);
    this.#byClass.delete(classKey);
  }

  #keepNamed(classKey: string, objects: readonly ClassObject[]): Set<string> {
    const before = this.#byClass.get(classKey) ?? new Set();
    this.#byClass.delete(classKey);
    if (before.size === 0) return new Set();
    const named = new Set(objects.map(keyOf));
    for (const key of before) if (!named.has(key)) this.#drop(key);
    return new Set([...before].filter((key) => named.has(key)));
  }

  of(object: ClassObject): Refusal | undefined {
    return this.#byObject.get(keyOf(object));
  }

  /** Whether some class was refused the object, in whatever form it asked for it. */
  has(object: VaultObjectKey): boolean {
    return this.#counts.has(versionCacheKey(object));
  }

  #drop(key: string): void {
    const known = this.#byObject.get(key);
    if (known === undefined) return;
    this.#byObject.delete(key);
    this.#count(known.failure.object, -1);
  }

  #count(object: VaultObjectKey, change: number): void {
    const key = versionCacheKey(object);
    const count = (this.#counts.get(key) ?? 0) + change;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}

/** Of the object, by the vault or by its content: no token, no connection and no proxy is in it. */
function isLasting({ origin = "vault", retry }: ObjectFailure): boolean {
  return origin === "vault" && retry.kind === "never";
}

/** All that the answer is by: not the name of the file. */
function keyOf({ type, name, version, history, format, encoding }: ClassObject): string {
  return JSON.stringify([type, name.toLowerCase(), version ?? null, history, format, encoding]);
}
