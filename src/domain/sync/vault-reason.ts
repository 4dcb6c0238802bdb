import type { VaultErrorCode } from "../ports/vault-error.ts";
import type { SyncReason } from "../reasons.ts";

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
