import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import type { Retry } from "../../domain/ports/retry.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import type { DesiredSecret } from "../../domain/secret-objects/desired-secret.ts";
import type { KeyStatus, Told } from "../../domain/sync/class-status.ts";
import type { Question } from "./vault-question.ts";

/** Asks the vault what the Secrets of a class should be. */
export type FetchMirror = (spc: SecretProviderClass, question: Question, signal: AbortSignal) => Promise<Mirror>;

/** What the vault says that the Secrets of a class should be. */
export type Mirror =
  /** Nothing could be learnt: the class is invalid, or its identity or vault refused. */
  | { readonly kind: "refused"; readonly reason: SyncReason; readonly message: string; readonly retry: Retry }
  /** One entry for each secretObject; some may have failed on their own. */
  | {
      readonly kind: "answered";
      /** Undefined where the vault answered for every object; else the first that it did not answer for. */
      readonly notFresh: Told | undefined;
      /** Unix milliseconds: all that the class needs was looked at since. Undefined: only a part of it was looked at. */
      readonly checkedAt: number | undefined;
      readonly retry: Retry;
      readonly secrets: readonly MirroredSecret[];
      readonly warnings: readonly string[];
    };

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
