import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { FoundObject } from "../../domain/sync/object-status.ts";
import type { KeyStatus, ObjectStatus, ReportedReason, SecretStatus } from "../../domain/sync/status-fields.ts";

/** Reads from the vault what the Secrets of a class should contain. */
export type FetchMirror = (spc: SecretProviderClass, fetchRequest: FetchRequest, signal: AbortSignal) => Promise<Mirror>;

/** The vault returned nothing for the class: the class is invalid, or its identity or vault refused. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: SyncReason;
  readonly message: string;
  readonly retry: Retry;
}

/** Result of a fetch: what the Secrets of a class should contain. */
export type Mirror =
  | Refused
  /** `secrets` has one entry for each secretObject; some may have failed on their own. */
  | {
      readonly kind: "answered";
      /** First problem of an object that the vault did not answer for; undefined if it answered for every object. */
      readonly notFresh: ReportedReason | undefined;
      /** Time in Unix milliseconds since which the worker has checked all objects of the class; undefined if it checked only some. */
      readonly checkedAt: number | undefined;
      readonly retry: Retry;
      readonly secrets: readonly MirroredSecret[];
      /** Objects of a class without synced Secrets, in the order of the class. */
      readonly objects?: readonly FoundObject[];
      readonly warnings: readonly string[];
      /** Polls the class while the class, its status and its Secrets are the same objects. Absent if each poll has to parse the class. */
      readonly recheck?: Recheck | undefined;
    };

/** Checks whether the vault still has the versions that the Secrets of the class contain. */
export type Recheck = (timing: CheckTiming, signal: AbortSignal) => Promise<Rechecked>;

export type Rechecked =
  /** `checkedAt`: as in {@link Mirror}. */
  | { readonly kind: "unchanged"; readonly checkedAt: number }
  /** Objects changed, or may have changed: the worker has to parse the class. */
  | { readonly kind: "changed" }
  | Refused;

export type MirroredSecret =
  /** The Secret matches the vault; nothing was fetched for it. */
  | { readonly kind: "unchanged"; readonly name: string; readonly keys: readonly KeyStatus[] }
  | { readonly kind: "desired"; readonly secret: DesiredSecret; readonly keys: readonly KeyStatus[] }
  | {
      readonly kind: "failed";
      readonly name: string;
      readonly reason: SyncReason;
      readonly message: string;
      /** Object version of each key, or the reason why it is missing. */
      readonly keys: readonly KeyStatus[];
    };

/** Objects that a pass requests from the vault. */
export type FetchRequest = AllOfIt | StoredFetchRequest;

export interface CheckTiming {
  /** Time in Unix milliseconds at which the fetch was due, even if it runs later. */
  readonly due: number;
  /** Maximum distance in milliseconds to an earlier poll whose answer still serves this fetch. */
  readonly interval: number;
  /** Milliseconds between two polls of the class if no poll is moved: the next check comes within twice that time. */
  readonly period: number;
  /** Maximum age in milliseconds of a read of the credentials. 0: the worker reads them now. */
  readonly credentialsMs: number;
  /** Used for a class that selects its objects. */
  readonly selection?: HeldSelection;
}

export interface HeldSelection {
  /** Status of its Secrets, as far as they are made from the class as it is: empty after an edit of the class. */
  readonly held: readonly SecretStatus[];
  /** Whether the Secrets keep objects that the vault no longer lists, because pods use the class. */
  readonly isKept: boolean;
}

/** Requests all objects, whatever is stored. */
export interface AllOfIt extends CheckTiming {
  readonly kind: "everything";
  /** Maximum age in milliseconds of an answer to another class that serves this one. 0: none does; the state has to be current. */
  readonly sharedMs: number;
}

/** Objects that events reported, by their keys in the version cache (`secret/name`). */
export interface HintedObjects {
  readonly keys: ReadonlySet<string>;
  /** Whether the vault may now grant objects that it refused. */
  readonly isAccessChanged: boolean;
  /** Unix milliseconds. Answers to requests that began earlier do not count. */
  readonly since: number;
}

/**
 * `changes`: requests the objects that have changed since the Secrets were written. `repair`: requests only the objects of Secrets that are
 * not intact. `hinted`: as `repair`, and also the objects of Secrets that contain a hinted object.
 */
export interface StoredFetchRequest extends CheckTiming {
  readonly kind: "changes" | "repair" | "hinted";
  /** Undefined if no event waits for a fetch. */
  readonly hints?: HintedObjects | undefined;
  /** Names of the Secrets that exist as the worker wrote them. */
  readonly intact: ReadonlySet<string>;
  /** Stored status of the Secrets, with the versions that they were written from. */
  readonly stored: readonly SecretStatus[];
  /** Objects in the status of the class that none of its Secrets contains. */
  readonly storedObjects?: readonly ObjectStatus[] | undefined;
  /** Time in Unix milliseconds of the last successful check of the class that is stored. */
  readonly checked: number | undefined;
}
