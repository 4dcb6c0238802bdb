import type { Retry } from "../../domain/ports/retry.ts";
import type { VaultErrorOrigin } from "../../domain/ports/vault-error.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { FetchRequest } from "./mirror.ts";

/** All that an answer depends on: not the name of the file. */
export type AskedObject = Pick<ClassObject, "type" | "name" | "version" | "history" | "format" | "encoding">;

export interface Refusal {
  readonly failure: ObjectFailure;
  /** Unix milliseconds: when the poll that asked was due. */
  readonly due: number;
  /** Unix milliseconds: when the answer was there. */
  readonly at: number;
}

/** What was asked for, and what became of it. */
export interface FetchAttempt {
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
  /** Keys of what each class was refused. */
  readonly #byClass = new Map<string, ReadonlySet<string>>();

  note({ classKey, objects, fetchRequest, asked, failures, now }: FetchAttempt): void {
    const byObject = new Map(failures.map((failure) => [failure.object, failure]));
    const kept = this.#keepNamed(classKey, objects);
    for (const object of asked) {
      const key = keyOf(object);
      const failure = byObject.get(object);
      if (failure === undefined) this.#byObject.delete(key);
      else if (fetchRequest.kind === "changes" && isLasting(failure)) {
        this.#byObject.set(key, { failure, due: fetchRequest.due, at: now });
        kept.add(key);
      }
    }
    if (kept.size > 0) this.#byClass.set(classKey, kept);
  }

  /** The class is gone, or reads elsewhere. */
  forget(classKey: string): void {
    for (const key of this.#byClass.get(classKey) ?? []) this.#byObject.delete(key);
    this.#byClass.delete(classKey);
  }

  #keepNamed(classKey: string, objects: readonly ClassObject[]): Set<string> {
    const before = this.#byClass.get(classKey) ?? new Set();
    this.#byClass.delete(classKey);
    if (before.size === 0) return new Set();
    const named = new Set(objects.map(keyOf));
    for (const key of before) if (!named.has(key)) this.#byObject.delete(key);
    return new Set([...before].filter((key) => named.has(key)));
  }

  of(object: AskedObject): Refusal | undefined {
    return this.#byObject.size === 0 ? undefined : this.#byObject.get(keyOf(object));
  }
}

/** Of the object, by the vault or by its content: no token, no connection and no proxy is in it. */
function isLasting({ origin = "vault", retry }: ObjectFailure): boolean {
  return origin === "vault" && retry.kind === "never";
}

function keyOf({ type, name, version, history, format, encoding }: AskedObject): string {
  return JSON.stringify([type, name.toLowerCase(), version ?? null, history, format, encoding]);
}

export interface ObjectFailure {
  readonly object: ClassObject;
  readonly reason: SyncReason;
  readonly message: string;
  readonly retry: Retry;
  /** Whose trouble it is; absent where the vault gave the object, and it is of no use. */
  readonly origin?: VaultErrorOrigin;
  /** As of `VaultError`. */
  readonly serviceCode?: string | undefined;
}
