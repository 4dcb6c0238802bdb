import type { Retry } from "../../domain/ports/retry.ts";
import type { VaultErrorOrigin } from "../../domain/ports/vault-error.ts";
import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { FetchRequest } from "./mirror.ts";
import type { AnsweredPoll } from "./vault-listings.ts";

/** Fields of an object that the answer depends on. The name of the file is not one of them. */
export type AskedObject = Pick<ClassObject, "type" | "name" | "version" | "history" | "format" | "encoding">;

/** A refusal, with the poll that sent the request. */
export interface Refusal extends AnsweredPoll {
  readonly failure: ObjectFailure;
  /** Time in Unix milliseconds at which the answer arrived. */
  readonly at: number;
}

/** Requested objects, and the failures among them. */
export interface FetchAttempt {
  /** `namespace/name` of the class that sent the requests. */
  readonly classKey: string;
  /** All objects of the class. */
  readonly objects: readonly ClassObject[];
  readonly fetchRequest: FetchRequest;
  readonly asked: readonly ClassObject[];
  readonly failures: readonly ObjectFailure[];
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Objects that a poll requested in vain, if another attempt would fail, too. Until the next poll, the class's own retry and other classes
 * use the same answer. Failures of a first sync or of a `refresh` are not kept: the next poll requests these objects. Failures of objects
 * that the class no longer names are not kept either.
 */
export class ObjectRefusals {
  readonly #byObject = new Map<string, Refusal>();
  /** Keys of the objects that the vault refused to each class. */
  readonly #byClass = new Map<string, ReadonlySet<string>>();

  note({ classKey, objects, fetchRequest, asked, failures, now }: FetchAttempt): void {
    const byObject = new Map(failures.map((failure) => [failure.object, failure]));
    const kept = this.#keepNamed(classKey, objects);
    for (const object of asked) {
      const key = keyOf(object);
      const failure = byObject.get(object);
      if (failure === undefined) this.#byObject.delete(key);
      else if (fetchRequest.kind === "changes" && isLasting(failure)) {
        this.#byObject.set(key, { failure, due: fetchRequest.due, period: fetchRequest.period, at: now });
        kept.add(key);
      }
    }
    if (kept.size > 0) this.#byClass.set(classKey, kept);
  }

  /** Forgets a class that is deleted, or that uses another vault or identity. */
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

/** Whether the object is to blame: the vault refused it, or its content is of no use. Tokens, connections and proxies are not. */
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
  /** Party that caused the failure; absent if the vault returned the object, but its content is of no use. */
  readonly origin?: VaultErrorOrigin;
  /** As in `VaultError`. */
  readonly serviceCode?: string | undefined;
}
