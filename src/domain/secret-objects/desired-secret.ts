import type { ObjectFile } from "../content/object-file.ts";
import type { SyncReason } from "../reasons.ts";
import type { Sensitive } from "../sensitive.ts";

/** A Kubernetes Secret as a class wants it. */
export interface DesiredSecret {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly data: ReadonlyMap<string, Sensitive>;
  /** Where each key of `data` comes from. */
  readonly sources: ReadonlyMap<string, readonly ObjectFile[]>;
  /** `type/name@version` of every object in `data`, sorted, each once. */
  readonly objects: readonly string[];
}

/** Why one secretObject gives no Secret. The others are not affected. */
export interface SecretObjectProblem {
  readonly reason: Extract<SyncReason, "InvalidClass" | "InvalidObject" | "ForbiddenType" | "TooLarge">;
  /** The driver's exact text where it has one. */
  readonly message: string;
  /** `spec.secretObjects[0].data[1].key` */
  readonly field: string;
  readonly hint: string;
  /** What is wrong is only that no object of the class made the file. */
  readonly isFileMissing?: true;
}

export type SecretOutcome =
  | { readonly kind: "desired"; readonly secret: DesiredSecret }
  /** `name` is empty where the secretObject has none. */
  | { readonly kind: "refused"; readonly name: string; readonly problem: SecretObjectProblem };
