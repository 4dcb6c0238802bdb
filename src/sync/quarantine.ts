import { createHash } from "node:crypto";
import { CLASS_ANNOTATIONS, LEASE_ANNOTATIONS } from "../domain/annotations.ts";
import type { SecretProviderClass } from "../domain/kubernetes.ts";
import { keyOf } from "../domain/object-key.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import {
  type HandEntry,
  leavingWithout,
  namespaceSuspicion,
  readLeaving,
  type Suspicion,
  suspectsOf,
  untilInForm,
  writeLeaving,
} from "../domain/sync/in-hand.ts";
import { rfc3339 } from "../domain/sync/stored-time.ts";
import type { FetchMirror, FetchRequest, Mirror, Recheck } from "./vault/mirror.ts";

/** Time in milliseconds after the start of the leader during which a suspect waits for all other classes. */
const BEHIND_MS = 60_000;
/** Time in milliseconds until the worker checks a waiting suspect again. */
const AGAIN_MS = 100;
/**
 * Time in milliseconds after which a suspect in progress no longer keeps the next one waiting: a class that ends a process does so at once.
 */
const ALONE_MS = 5_000;

export interface QuarantineOptions {
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Stores the annotations now. Also resolves if that failed. */
  readonly store: () => Promise<void>;
}

/**
 * Keeps one class from ending worker after worker. The leader notes in its lease which classes it has in hand: with every renewal, and
 * before it takes up a class that may be dangerous. The next leader takes up the noted classes after all others and alone, and after a
 * third crash only once in a while. After an edit, the worker tries a class sooner, but suspects it until it has gone well. New names do
 * not help either: the worker also counts the new classes of a namespace together.
 */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #hands = new Map<string, HandEntry>();
  readonly #suspects = new Map<string, HandEntry>();
  /** Classes that went well in this process, in their current form. */
  readonly #proven = new WeakSet<SecretProviderClass>();
  /** Suspects whose reconcile fetched nothing. They may not be due for hours, so no other suspect waits for them. */
  readonly #atRest = new Set<string>();
  /** Suspects that have to wait. No class waits for them, whether they are due again or not. */
  readonly #waiting = new Set<string>();
  /** The suspect that the worker is reconciling. */
  #tried: { readonly key: string; readonly since: number } | undefined;
  /** Whether the leader before crashed. The class that caused this may not be noted. */
  #isCareful = false;
  #isLeading = true;
  #began = 0;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /**
   * Call this as a new leader, with the annotations that earlier leaders left in their leases. `isOurs`: whether this leader serves the
   * class now.
   */
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

  /** Returns the given annotations of a lease without the classes that this leader notes in its own lease; null removes an annotation. */
  withoutOurs(
    annotations: Readonly<Record<string, string>>,
    isOurs: (classKey: string) => boolean,
  ): Readonly<Record<string, string | null>> {
    const { [LEASE_ANNOTATIONS.inHand]: left } = annotations;
    return left === undefined ? {} : { [LEASE_ANNOTATIONS.inHand]: leavingWithout(left, this.#options.version, isOurs) };
  }

  /** Call this as a leader whose work has ended, before it releases the lease. */
  finish(): void {
    this.#isLeading = false;
  }

  annotations(): Readonly<Record<string, string>> {
    const classes = new Map([...this.#suspects, ...this.#hands]);
    return { [LEASE_ANNOTATIONS.inHand]: writeLeaving({ version: this.#options.version, isLeading: this.#isLeading, classes }) };
  }

  /**
   * Call this before a class is reconciled. Returns 0, or the time in milliseconds that a suspect has to wait for other due classes and for
   * other suspects. `isDueBesides`: whether a class is due that is not among the given ones. `provider`: the class as it is now; if
   * undefined, the class counts as unchanged.
   */
  admit(classKey: string, isDueBesides: (waiting: ReadonlySet<string>) => boolean, provider?: SecretProviderClass): number {
    const suspect = this.#suspects.get(classKey);
    const form = provider === undefined ? suspect?.form : formOf(provider);
    if (suspect === undefined || form === undefined || form === suspect.passed) return 0;
    // The class is not synced now. This reconcile only writes its status.
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

  /** Returns a mirror that fetches no class in quarantine, and that fetches a class that may be dangerous only after the lease names it. */
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

  /** Call this when the reconcile of the class is over, however it ended. */
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
    // The effect of its earlier form is as unknown as before.
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

  /** Whether there are suspects with fewer crashes, which come first. Otherwise, the first suspect would be in hand at each crash. */
  #hasLessSuspected({ deaths }: HandEntry): boolean {
    return [...this.#suspects].some(([key, other]) => other.deaths < deaths && !this.#atRest.has(key));
  }

  #pauseUntil(until: number): number {
    return Math.max(until - this.#options.clock.now(), 0);
  }
}

/** Whether this is a poll of a class that an earlier leader has synced, so that the worker expects nothing new of it. */
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

/** `until`: the time for the class in its form at `now`. */
function ownMessage(suspect: HandEntry, until: number, now: number): string {
  const { deaths, form } = suspect;
  const why = `the class is not synced: ${deaths} workers crashed while handling it. The next attempt is at ${rfc3339(until)}`;
  // Any other form, because the worker tries all of them at the same time.
  const edited = untilInForm(suspect, `not ${form}`);
  if (edited >= until) return why;
  const when = edited <= now ? "now" : `at ${rfc3339(edited)}`;
  return `${why}; to retry ${when}, change the class, or the value of its annotation ${CLASS_ANNOTATIONS.refresh}`;
}

function namespaceMessage({ deaths, until }: Suspicion): string {
  return `the class is not synced: ${deaths} workers crashed while handling new classes in its namespace. The next attempt is at ${rfc3339(until)}`;
}
