import type { SyncReason } from "../reasons.ts";

/**
 * Why a class cannot be used. `message` is the provider's exact text where it has one, because users search for it
 * and scripts match it; where and how to fix it stand apart.
 */
export interface ClassProblem {
  readonly reason: Extract<SyncReason, "InvalidClass" | "InvalidObject" | "IdentityUnavailable">;
  readonly message: string;
  /** `spec.parameters.objects[1].objectType` */
  readonly field: string;
  /** One sentence: what to write instead. */
  readonly hint: string;
  /** A limit of ours, which the provider does not have. */
  readonly isLimit?: true;
}

/** Whether volumes of the class work all the same: only the worker refuses it. */
export function isMountable({ reason, field, isLimit }: ClassProblem): boolean {
  return isLimit === true || reason === "IdentityUnavailable" || field === "spec.parameters.cloudEnvFileName";
}

/** Works, but probably not as its author thinks. */
export interface ClassWarning {
  readonly message: string;
  readonly field: string;
}

/** Message, place and remedy in one line, for a condition, an event or a terminal. */
export function describeProblem({ message, field, hint }: ClassProblem): string {
  return `${message} (${field}: ${hint})`;
}
