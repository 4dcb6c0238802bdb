import { createHash } from "node:crypto";
import { CLASS_ANNOTATIONS, LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import type { SecretProviderClass } from "../domain/kubernetes.ts";
import { keyOf } from "../domain/object-key.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import {
  type HandEntry,
  namespaceSuspicion,
  readLeaving,
  type Suspicion,
  suspectsOf,
  untilInForm,
  writeLeaving,
} from "../domain/sync/in-hand.ts";
import { rfc3339 } from "../domain/sync/stored-time.ts";
import type { FetchMirror, FetchRequest, Mirror, Recheck } from "./vault/mirror.ts";

/** A suspect waits for all others at most so long after the start of the leader (milliseconds). */
const BEHIND_MS = 60_000;
/** How soon a suspect that waits is looked at again (milliseconds). */
const AGAIN_MS = 100;
/** One that has been under way for longer does not keep the next one waiting: what ends a process does so at once (milliseconds). */
const ALONE_MS = 5_000;

export interface QuarantineOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stores the annotations now. Resolves also where that did not work. */
  readonly store: () => Promise<void>;
}

/**
 * Keeps one class from ending worker after worker. The leader notes in its lease which classes it has in hand: with every renewal, and before it
 * takes up a class that may be dangerous. The next leader takes up those that it finds there behind all others and alone, and after a third
 * death only once in a while. An edit lets a class be tried sooner, and ends no suspicion before the class has gone well; nor do new names:
 * the new classes of a namespace are counted together as well.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #hands = new Map<string, HandEntry>();
  readonly #suspects = new Map<string, HandEntry>();
  /** Went well in this process, as they are. */
  readonly #proven = new WeakSet<SecretProviderClass>();
  /** Suspects that were reconciled without anything being mirrored: they may not be due for hours, and nobody waits for them. */
  readonly #atRest = new Set<string>();
  /** Suspects that have been told to wait: nobody waits for them, whether they are due again or not yet. */
  readonly #waiting = new Set<string>();
  /** The suspect that is being reconciled. */
  #tried: { readonly key: string; readonly since: number } | undefined;
  /** The leader before died: of what, may not be noted. */
  #isCareful = false;
  #isLeading = true;
  #began = 0;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** To be called by a new leader, with what those before left, each in its lease. `isOurs`: whether it serves the class now. */
  begin(leavings: readonly Readonly<Record<string, string>>[], isOurs: (classKey: string) => boolean = () => true): void {
    const { version, clock, logger } = this.#options;
    this.#began = clock.now();
    for (const annotations of leavings) {
      const left = readLeaving(annotations[LEASE_ANNOTATIONS.inHand] ?? "", version);
      if (left === undefined) continue;
      this.#isCareful ||= left.isLeading;
      for (const [key, entry] of suspectsOf(left, this.#began)) {
        if (!isOurs(key) || (this.#suspects.get(key)?.deaths ?? 0) > entry.deaths) continue;
        this.#suspects.set(key, entry);
        logger.warn("a worker ended while it handled a class", { class: key, deaths: entry.deaths });
      }
    }
  }

  /** To be called by a leader whose work has ended, before it releases the lease. */
  finish(): void {
    this.#isLeading = false;
  }

  annotations(): Readonly<Record<string, string>> {
    const classes = new Map([...this.#suspects, ...this.#hands]);
    return { [LEASE_ANNOTATIONS.inHand]: writeLeaving({ version: this.#options.version, isLeading: this.#isLeading, classes }) };
  }

  /**
   * To be asked before a class is reconciled: 0, or the milliseconds that a suspect has to wait, for the others that are due, and for other
   * suspects. `isDueBesides`: whether any class is due that is none of those given. `provider` is the class as it is now; without it, it is taken
   * to be as it was.
   */
  admit(classKey: string, isDueBesides: (waiting: ReadonlySet<string>) => boolean, provider?: SecretProviderClass): number {
    const suspect = this.#suspects.get(classKey);
    const form = provider === undefined ? suspect?.form : formOf(provider);
    if (suspect === undefined || form === undefined || form === suspect.passed) return 0;
    // It is not mirrored now, and only its status says so.
    if (this.#pauseUntil(untilInForm(suspect, form)) > 0) return 0;
    const now = this.#options.clock.now();
    const isBehind = now < this.#began + BEHIND_MS && (isDueBesides(this.#waiting) || this.#hasLessSuspected(suspect));
    if (isBehind || (this.#tried !== undefined && now < this.#tried.since + ALONE_MS)) {
      this.#waiting.add(classKey);
      return AGAIN_MS;
    }
    this.#waiting.delete(classKey);
    this.#tried = { key: classKey, since: now };
    return 0;
  }

  /** Mirrors no class that is quarantined, and one that may be dangerous only once it is noted. */
  guarded(mirror: FetchMirror): FetchMirror {
    return async (provider, fetchRequest, signal) => {
      const form = formOf(provider);
      const refused = this.#refusalOf(provider, form, fetchRequest);
      if (refused !== undefined) return refused;
      this.#take(provider, form, !isAtRest(fetchRequest));
      const isSafe = this.#proven.has(provider) || (isAtRest(fetchRequest) && !this.#isCareful);
      if (!isSafe) await this.#options.store();
      const result = await mirror(provider, fetchRequest, signal);
      this.#proven.add(provider);
      if (result.kind === "refused" || result.recheck === undefined) return result;
      const { recheck } = result;
      const inHand: Recheck = (timing, asked) => {
        this.#take(provider, form, false);
        return recheck(timing, asked);
      };
      return { ...result, recheck: inHand };
    };
  }

  #take(provider: SecretProviderClass, form: string, isNew: boolean): void {
    const key = keyOf(provider);
    this.#hands.set(key, { form, deaths: this.#suspects.get(key)?.deaths ?? 0, isInHand: true, isNew });
  }

  /** To be called when the class's reconcile is over, however it ended. */
  end(classKey: string): void {
    if (this.#tried?.key === classKey) this.#tried = undefined;
    this.#waiting.delete(classKey);
    const hand = this.#hands.get(classKey);
    if (hand === undefined) {
      if (this.#suspects.has(classKey)) this.#atRest.add(classKey);
      return;
    }
    this.#atRest.delete(classKey);
    this.#hands.delete(classKey);
    const suspect = this.#suspects.get(classKey);
    // What its form of then would do is as unknown as before.
    if (suspect !== undefined && suspect.form !== hand.form) this.#suspects.set(classKey, { ...suspect, passed: hand.form });
    else this.#suspects.delete(classKey);
  }

  #refusalOf(provider: SecretProviderClass, form: string, fetchRequest: FetchRequest): Mirror | undefined {
    const suspect = this.#suspects.get(keyOf(provider));
    if (suspect !== undefined && suspect.passed !== form) {
      const until = untilInForm(suspect, form);
      const pause = this.#pauseUntil(until);
      if (pause > 0) return refusal(ownMessage(suspect, until, this.#options.clock.now()), pause);
    }
    if (isAtRest(fetchRequest) || this.#proven.has(provider) || suspect?.passed === form) return undefined;
    const together = namespaceSuspicion(this.#suspects, provider.metadata.namespace ?? "", this.#options.clock.now());
    const pause = this.#pauseUntil(together.until);
    return pause > 0 ? refusal(namespaceMessage(together), pause) : undefined;
  }

  /** Those that have met fewer deaths come before it: otherwise the first of them would meet every one. */
  #hasLessSuspected({ deaths }: HandEntry): boolean {
    return [...this.#suspects].some(([key, other]) => other.deaths < deaths && !this.#atRest.has(key));
  }

  #pauseUntil(until: number): number {
    return Math.max(until - this.#options.clock.now(), 0);
  }
}

/** A poll of a class that an earlier leader has synced: nothing new is expected of it. */
function isAtRest(fetchRequest: FetchRequest): boolean {
  return fetchRequest.kind !== "everything" && fetchRequest.stored.every(({ state }) => state === "Synced");
}

function formOf({ metadata }: SecretProviderClass): string {
  const { uid = "", generation = 0, annotations = {} } = metadata;
  const form = JSON.stringify([uid, generation, annotations[CLASS_ANNOTATIONS.refresh]]);
  return createHash("sha256").update(form).digest("hex").slice(0, 16);
}

function refusal(message: string, pause: number): Mirror {
  return { kind: "refused", reason: "InvalidClass", message, retry: { kind: "after", milliseconds: pause } };
}

/** `until` is of the class as it looks at `now`. */
function ownMessage(suspect: HandEntry, until: number, now: number): string {
  const { deaths, form } = suspect;
  const why = `the class is not synced: ${deaths} workers crashed while handling it. The next attempt is at ${rfc3339(until)}`;
  // Any other form: each is tried at the same time.
  const edited = untilInForm(suspect, `not ${form}`);
  if (edited >= until) return why;
  const when = edited <= now ? "now" : `at ${rfc3339(edited)}`;
  return `${why}; to retry ${when}, change the class, or the value of its annotation ${CLASS_ANNOTATIONS.refresh}`;
}

function namespaceMessage({ deaths, until }: Suspicion): string {
  return `the class is not synced: ${deaths} workers crashed while handling new classes in its namespace. The next attempt is at ${rfc3339(until)}`;
}
