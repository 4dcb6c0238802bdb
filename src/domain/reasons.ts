import type { VaultErrorCode } from "./ports/vault-error.ts";

/**
 * Why a class is (not) synced. A closed set: the same word stands in condition, event, metric label and log field.
 * `docs/reference/reasons.md` has a row for each.
 */
export const SYNC_REASONS = [
  "Synced",
  "PartialSync",
  "Unreachable",
  "Throttled",
  "Unauthorized",
  "Forbidden",
  "ObjectNotFound",
  "ObjectDisabled",
  "ObjectExpired",
  "ObjectNotYetValid",
  "InvalidClass",
  "InvalidObject",
  "UnsupportedApiVersion",
  "CredentialsMissing",
  "IdentityUnavailable",
  "Conflict",
  "ForbiddenType",
  "Contested",
  "Stale",
  "TooLarge",
  "Frozen",
  "GuardrailsMissing",
  "SwitchedOff",
] as const;

export type SyncReason = (typeof SYNC_REASONS)[number];

const REASONS: Readonly<Record<VaultErrorCode, SyncReason>> = {
  NotFound: "ObjectNotFound",
  Disabled: "ObjectDisabled",
  Expired: "ObjectExpired",
  NotYetValid: "ObjectNotYetValid",
  Unauthorized: "Unauthorized",
  IdentityUnavailable: "IdentityUnavailable",
  Forbidden: "Forbidden",
  NetworkForbidden: "Forbidden",
  Throttled: "Throttled",
  Unreachable: "Unreachable",
  UnsupportedApiVersion: "UnsupportedApiVersion",
  Invalid: "InvalidObject",
};

/** The vault's refusal in the words of condition, event and metric. */
export function vaultReason(code: VaultErrorCode): SyncReason {
  return REASONS[code];
}
