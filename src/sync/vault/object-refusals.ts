import type { ClassObject } from "../../domain/provider-class/object-rules.ts";
import type { ObjectFailure } from "./fetch-objects.ts";
import type { Question } from "./vault-question.ts";

export interface Refusal {
  readonly failure: ObjectFailure;
  /** Unix milliseconds: when the poll that asked was due. */
  readonly due: number;
  /** Unix milliseconds: when the answer was there. */
  readonly at: number;
}

/** What was asked for, and what became of it. */
export interface Attempt {
  readonly question: Question;
  readonly asked: readonly ClassObject[];
  readonly failures: readonly ObjectFailure[];
  /** Unix milliseconds. */
  readonly now: number;
}

/**
 * Objects that a poll asked for in vain, where another attempt has no reason to end otherwise: the class's own retry, and other classes, have
 * the same answer until the next poll. What a class meets at first, or by its `refresh`, is not kept: its next poll asks.
 */
export class ObjectRefusals {
  readonly #byObject = new Map<string, Refusal>();

  note({ question, asked, failures, now }: Attempt): void {
    for (const object of asked) {
      const failure = failures.find((candidate) => candidate.object === object);
      if (failure === undefined) this.#byObject.delete(keyOf(object));
      else if (question.kind === "changes" && isLasting(failure))
        this.#byObject.set(keyOf(object), { failure, due: question.due, at: now });
    }
  }

  of(object: ClassObject): Refusal | undefined {
    return this.#byObject.get(keyOf(object));
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
