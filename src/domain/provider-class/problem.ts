import type { SyncReason } from "../reasons.ts";

/**
 * Reason why a class cannot be used. `message` is the provider's exact text if it has one, because users search for it and scripts match
 * it. The place and the fix are separate fields.
 */
export interface ClassProblem {
  readonly reason: Extract<SyncReason, "InvalidClass" | "InvalidObject" | "IdentityUnavailable">;
  readonly message: string;
  /** For example, `spec.parameters.objects[1].objectType`. */
  readonly field: string;
  /** One sentence that states the fix. */
  readonly hint: string;
  /** Whether it is a limit of this project that the provider does not have. */
  readonly isLimit?: true;
}

/** Whether volumes of the class still work, because only the worker refuses the class. */
export function isMountable({ reason, field, isLimit }: ClassProblem): boolean {
  return isLimit === true || reason === "IdentityUnavailable" || field === "spec.parameters.cloudEnvFileName";
}

/** A class that works, but probably not as its author intends. */
export interface ClassWarning {
  readonly message: string;
  readonly field: string;
}

/** Returns message, place, and fix in one line, for a condition, an event, or a terminal. */
export function describeProblem({ message, field, hint }: ClassProblem): string {
  return `${message} (${field}: ${hint})`;
}
