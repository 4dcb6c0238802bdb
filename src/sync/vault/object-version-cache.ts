import { isJsonObject } from "../../domain/json-object.ts";
import { refOfKey } from "../../domain/object-key.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { ObjectReader } from "../../domain/ports/vault-client.ts";
import { VaultError, type VaultWords, vaultWords } from "../../domain/ports/vault-error.ts";
import type { VaultCertificate, VaultKey, VaultObject, VaultSecret, VaultVersion } from "../../domain/ports/vault-object.ts";
import type { ObjectType } from "../../domain/provider-class/object-rules.ts";
import { isObjectState, isSettled, type ObjectCheck } from "../../domain/schedule/object-check.ts";
import { Sensitive } from "../../domain/sensitive.ts";
import { WeakCache } from "../../domain/weak-cache.ts";
import { Interests } from "./object-interests.ts";
import { ObjectRefusals } from "./object-refusals.ts";
import { Selections } from "./selections.ts";
import { SharedCalls } from "./shared-calls.ts";
import type { BudgetedClient } from "./vault-budget.ts";
import { type AnsweredPoll, VaultListings } from "./vault-listings.ts";
import type { VaultMetrics } from "./vault-metrics.ts";

export interface ObjectVersionCacheOptions {
  readonly client: BudgetedClient;
  readonly clock: Clock;
  readonly metrics: VaultMetrics;
  readonly calls: SharedCalls;
  /** Called when an object that the class names has changed. Returns false if the class no longer exists. */
  readonly onChange: (classKey: string) => boolean;
}

/** Identifies an object in a vault. `version` undefined: the current one. */
export interface VaultObjectKey {
  readonly type: ObjectType;
  readonly name: string;
  readonly version: string | undefined;
}

/** Last known state of an object, the error if the vault refused it, and the poll that read it. */
export interface RecordedCheck extends AnsweredPoll {
  readonly lastCheck: ObjectCheck;
  readonly error: VaultWords | undefined;
}

interface Answer {
  readonly lastCheck: ObjectCheck;
  /** Number of the request that it answers. */
  readonly asked: number;
  readonly error?: VaultError;
}

/** Class that reads objects, the poll that it reads them for, and how old an answer may be. */
export interface Reading extends AnsweredPoll {
  /** `namespace/name` of the class. */
  readonly classKey: string;
  /** Unix milliseconds. Answers to requests that began earlier do not count. */
  readonly notBefore: number;
}

/** Length up to which a list of versions is kept for later readers: a list of this length has 75 KB. */
const MAX_KEPT_VERSIONS = 500;

/** Bytes up to which an object is kept. Key Vault returns at most 25 KB, but a proxy or a vault of another cloud may return 1 MiB. */
const MAX_KEPT_BYTES = 76_800;

/**
 * State of the objects of one vault, as one identity has read them. All classes that use this identity share it; it never contains answers
 * to another identity. It keeps values only for seconds, and only of objects that several classes name.
 */
export class ObjectVersionCache {
  readonly listings: VaultListings;
  readonly refusals = new ObjectRefusals();
  readonly selections = new Selections();
  readonly interests = new Interests({
    onUnnamed: (key) => this.#lastChecks.delete(key),
    onForgotten: (classKey) => {
      this.refusals.forget(classKey);
      this.selections.forget(classKey);
    },
  });
  readonly #options: ObjectVersionCacheOptions;
  readonly #lastChecks = new Map<string, RecordedCheck & { readonly asked: number }>();
  /** Requests so far, which show the order of two. A clock cannot: recalled states have the times of another process. */
  #asked = 0;
  /** Unique for each cache, so that no identity gets an answer to another one. */
  readonly #id: string;

  constructor(options: ObjectVersionCacheOptions) {
    const { client, clock, calls } = options;
    this.#options = options;
    this.#id = calls.scope();
    this.listings = new VaultListings({
      client,
      clock,
      wanted: (type) => this.interests.count(type, clock.now()),
      selectedTags: (type) => this.selections.tagsOf(type),
      onTaken: (type, listing) => this.#wakeAll(this.interests.outdated(type, listing, (key) => this.#lastChecks.get(key)?.lastCheck)),
    });
  }

  /** Returns the factor by which to lengthen the time between polls of the class. `classKey`: `namespace/name`. */
  stretchFor(classKey: string): number {
    return this.#options.client.stretchFor(refOfKey(classKey).namespace);
  }

  checkOf(object: VaultObjectKey): RecordedCheck | undefined {
    return this.#lastChecks.get(versionCacheKey(object));
  }

  countUnchanged(objects: number): void {
    this.#options.metrics.lookups.inc({ result: "unchanged" }, objects);
  }

  /** Records a state that an earlier process saw. */
  recall(object: VaultObjectKey, recorded: RecordedCheck): void {
    this.#lastChecks.set(versionCacheKey(object), { ...recorded, asked: 0 });
  }

  /** Returns a reader for one pass over a class. It shares answers that others have just received, and records new ones. */
  reader(reading: Reading): ObjectReader {
    const client = this.#options.client.inLineOf(refOfKey(reading.classKey).namespace);
    return {
      getSecret: (name, version, signal) =>
        this.#get<VaultSecret>(reading, { type: "secret", name, version }, () => client.getSecret(name, version, signal)),
      getKey: (name, version, signal) =>
        this.#get<VaultKey>(reading, { type: "key", name, version }, () => client.getKey(name, version, signal)),
      getCertificate: (name, version, signal) =>
        this.#get<VaultCertificate>(reading, { type: "cert", name, version }, () => client.getCertificate(name, version, signal)),
      listVersions: (kind, name, signal) => this.#versions(reading, `${kind}/${name}`, client.listVersions(kind, name, signal)),
    };
  }

  /** Yields the versions as one page, because callers share the whole list. */
  async *#versions(
    { notBefore }: Reading,
    what: string,
    pages: AsyncIterable<readonly VaultVersion[]>,
  ): AsyncGenerator<readonly VaultVersion[]> {
    const key = `${this.#id} versions of ${what.toLowerCase()}`;
    const isKept = ({ length }: readonly VaultVersion[]): boolean => length <= MAX_KEPT_VERSIONS;
    yield await this.#options.calls.run({ key, notBefore, isKept }, async () => (await Array.fromAsync(pages)).flat());
  }

  async #get<T extends VaultObject>(reading: Reading, object: VaultObjectKey, ask: () => Promise<T>): Promise<T> {
    const key = versionCacheKey(object);
    const recorded = async (): Promise<T> => {
      const queriedAt = this.#options.clock.now();
      const asked = ++this.#asked;
      try {
        const found = await ask();
        const { version, created, updated, expires, isEnabled = true } = found;
        const facts = { version, created, updated, expires, isEnabled, queriedAt, isSettled: isSettled(found, queriedAt) };
        this.#record(key, reading, { asked, lastCheck: { kind: "found", ...facts } });
        return found;
      } catch (error) {
        // Throttling, outages and missing permissions show nothing about the object.
        if (error instanceof VaultError && isObjectState(error.code))
          this.#record(key, reading, { asked, lastCheck: { kind: "refused", code: error.code, queriedAt }, error });
        throw error;
      }
    };
    const isKept = (found: T): boolean => this.interests.isShared(key) && bytesIn(found) <= MAX_KEPT_BYTES;
    return this.#options.calls.run({ key: `${this.#id} ${key}`, notBefore: reading.notBefore, isKept }, recorded);
  }

  /** Records the state of an object that a class names. Nothing reads the state of any other object, such as a version of a history. */
  #record(key: string, { classKey, due, period }: Reading, { lastCheck, asked, error }: Answer): void {
    if (!this.interests.isNamed(key)) return;
    const before = this.#lastChecks.get(key);
    const isOvertaken = before !== undefined && before.asked > asked;
    if (!isOvertaken) this.#lastChecks.set(key, { lastCheck, error: error && vaultWords(error), due, period, asked });
    if (before === undefined || stateOf(before.lastCheck) === stateOf(lastCheck)) return;
    // If the answers arrived in another order than the requests, it is unknown which one is newer, because both requests waited in lines.
    // Some class has the older answer, so the cache wakes all of them.
    this.#wakeAll(isOvertaken ? this.interests.all(key) : this.interests.others(key, classKey));
  }

  #wakeAll(classKeys: Iterable<string>): void {
    for (const classKey of classKeys) if (!this.#options.onChange(classKey)) this.interests.forget(classKey);
  }
}

/** Names of objects are case-insensitive. */
export function versionCacheKey({ type, name, version }: VaultObjectKey): string {
  return `${type}/${name.toLowerCase()}${version === undefined ? "" : `@${version}`}`;
}

/** Bytes of an object's texts and values in memory. */
function bytesIn(part: unknown): number {
  if (typeof part === "string") return 2 * part.length;
  if (part instanceof Sensitive || part instanceof Uint8Array) return part.byteLength;
  return isJsonObject(part) ? Object.values(part).reduce((sum: number, each) => sum + bytesIn(each), 0) : 0;
}

function stateOf(lastCheck: ObjectCheck): string {
  return lastCheck.kind === "found" ? `${lastCheck.version} ${lastCheck.updated} ${lastCheck.expires}` : lastCheck.code;
}

/** Creates one version cache for each client, hence for each identity in each vault. A cache is dropped with its client. */
export function createObjectVersionCaches(
  options: Omit<ObjectVersionCacheOptions, "client" | "calls">,
): (client: BudgetedClient) => ObjectVersionCache {
  const made = new WeakCache<BudgetedClient, ObjectVersionCache>();
  const calls = new SharedCalls(options.clock, options.metrics);
  return (client) => made.getOrCreate(client, () => new ObjectVersionCache({ ...options, client, calls }));
}
