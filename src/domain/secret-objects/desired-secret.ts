import type { ObjectFile } from "../content/object-file.ts";
import type { SyncReason } from "../reasons.ts";
import type { Sensitive } from "../sensitive.ts";

/** The desired state of a Kubernetes Secret of a class. */
export interface DesiredSecret {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: ReadonlyMap<string, Sensitive>;
  /** Files from which the value of each key of `data` is made. */
  readonly sources: ReadonlyMap<string, readonly ObjectFile[]>;
  /** `type/name@version` of every object in `data`, sorted, each once. */
  readonly objects: readonly string[];
}

/** Reason why one secretObject yields no Secret. The others are not affected. */
export interface SecretObjectProblem {
  readonly reason: Extract<SyncReason, "InvalidClass" | "InvalidObject" | "ForbiddenType" | "TooLarge">;
  /** The driver's exact text, if it has one. */
  readonly message: string;
  /** For example, `spec.secretObjects[0].data[1].key`. */
  readonly field: string;
  readonly hint: string;
  /** Whether the only problem is that no object of the class produced the file. */
  readonly isFileMissing?: true;
}

export type SecretOutcome =
  | { readonly kind: "desired"; readonly secret: DesiredSecret }
  /** `name` is empty if the secretObject has none. */
  | { readonly kind: "refused"; readonly name: string; readonly problem: SecretObjectProblem };
