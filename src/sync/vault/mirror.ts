import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { FoundObject } from "../../domain/sync/object-status.ts";
import type { KeyStatus, ObjectStatus, SecretStatus, Told } from "../../domain/sync/status-fields.ts";

/** Asks the vault what the Secrets of a class should be. */
export type FetchMirror = (spc: SecretProviderClass, fetchRequest: FetchRequest, signal: AbortSignal) => Promise<Mirror>;

/** Nothing could be learnt: the class is invalid, or its identity or vault refused. */
export interface Refused {
  readonly kind: "refused";
  readonly reason: SyncReason;
  readonly message: string;
  readonly retry: Retry;
}

/** What the vault says that the Secrets of a class should be. */
export type Mirror =
  | Refused
  /** One entry for each secretObject; some may have failed on their own. */
  | {
      readonly kind: "answered";
      /** Undefined where the vault answered for every object; else the first that it did not answer for. */
      readonly notFresh: Told | undefined;
      /** Unix milliseconds: all that the class needs was looked at since. Undefined: only a part of it was looked at. */
      readonly checkedAt: number | undefined;
      readonly retry: Retry;
      readonly secrets: readonly MirroredSecret[];
      /** Of a class that mirrors nothing: its objects, in the order of the class. */
      readonly objects?: readonly FoundObject[];
      readonly warnings: readonly string[];
      /** Polls the class from now on, as long as it, its status and its Secrets are the same objects; absent where each poll has to parse it. */
      readonly recheck?: Recheck | undefined;
    };

/** Asks whether the vault still has what the Secrets of the class hold. */
export type Recheck = (timing: LookTiming, signal: AbortSignal) => Promise<Rechecked>;

export type Rechecked =
  /** `checkedAt`: as of {@link Mirror}. */
  | { readonly kind: "unchanged"; readonly checkedAt: number }
  /** Or it may have; the class has to be read. */
  | { readonly kind: "changed" }
  | Refused;

export type MirroredSecret =
  /** It is what the vault has; nothing was fetched for it. */
  | { readonly kind: "unchanged"; readonly name: string; readonly keys: readonly KeyStatus[] }
  | { readonly kind: "desired"; readonly secret: DesiredSecret; readonly keys: readonly KeyStatus[] }
  | {
      readonly kind: "failed";
      readonly name: string;
      readonly reason: SyncReason;
      readonly message: string;
      /** What the vault has for each key, or why not. */
      readonly keys: readonly KeyStatus[];
    };

/** What a look at a class wants to know of its vault. */
export type FetchRequest = AllOfIt | StoredFetchRequest;

export interface LookTiming {
  /** Unix milliseconds: when the look was due, however late it runs. */
  readonly due: number;
  /** Milliseconds: how far from the look the poll before may lie whose answer still serves it. */
  readonly interval: number;
  /** Milliseconds between two polls of the class, where none was moved: within twice that it comes again. */
  readonly period: number;
  /** How old a read of the credentials may be (milliseconds); 0: as they are now. */
  readonly credentialsMs: number;
  /** For a class that selects its objects. */
  readonly selection?: HeldSelection;
}

export interface HeldSelection {
  /** What its Secrets have of the class as it is: nothing of one that was edited. */
  readonly held: readonly SecretStatus[];
  /** Pods use it, and nothing is taken from them. */
  readonly isKept: boolean;
}

/** All objects, whatever is stored. */
export interface AllOfIt extends LookTiming {
  readonly kind: "everything";
  /** How old an answer that another class got may be (milliseconds); 0: none, somebody wants it as it is now. */
  readonly sharedMs: number;
}

/** Objects that events have told of, each by its key in the version cache (`secret/name`). */
export interface HintedObjects {
  readonly keys: ReadonlySet<string>;
  /** What the vault refused may be had now. */
  readonly isAccessChanged: boolean;
  /** Unix milliseconds: what was asked for before says nothing of them. */
  readonly since: number;
}

/**
 * `changes`: what is not as it was when the Secrets were written. `repair`: the objects of Secrets that are not intact, and no others. `hinted`:
 * likewise, of Secrets that hinted objects make as well.
 */
export interface StoredFetchRequest extends LookTiming {
  readonly kind: "changes" | "repair" | "hinted";
  /** Undefined where no event waits for a look. */
  readonly hints?: HintedObjects | undefined;
  /** Names of Secrets that are there as they were written. */
  readonly intact: ReadonlySet<string>;
  /** What they were written from. */
  readonly stored: readonly SecretStatus[];
  /** What its status told of the objects that no Secret of it holds. */
  readonly storedObjects?: readonly ObjectStatus[] | undefined;
  /** Unix milliseconds of the last stored time at which all of it was known to be so. */
  readonly checked: number | undefined;
}
