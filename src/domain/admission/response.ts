import { assertNever } from "../assert-never.ts";
import type { AdmissionDecision, PatchOperation } from "./decision.ts";
import { ADMISSION_API_VERSION, ADMISSION_KIND } from "./review.ts";

/** The API server cuts a warning at 256 characters and recommends at most 120. */
const WARNING_LENGTH = 120;
/** The API server allows 4096 characters of warnings for all webhooks together. */
const MOST_WARNINGS = 16;

/** The subset of `metav1.Status` that the API server passes on to the user. */
interface Status {
  readonly status: "Failure";
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: Status;
  readonly patchType?: "JSONPatch";
  /** Base64 of the JSON Patch. */
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

export interface AdmissionReviewResponse {
  readonly apiVersion: typeof ADMISSION_API_VERSION;
  readonly kind: typeof ADMISSION_KIND;
  readonly response: AdmissionResponse;
}

/** Encodes a decision as the `admission.k8s.io/v1` response to the request with this uid. */
export function completeReview(uid: string, decision: AdmissionDecision): AdmissionReviewResponse {
  return { apiVersion: ADMISSION_API_VERSION, kind: ADMISSION_KIND, response: { uid, ...answer(decision) } };
}

function answer(decision: AdmissionDecision): Omit<AdmissionResponse, "uid"> {
  switch (decision.kind) {
    case "unchanged":
      return { allowed: true, ...shown(decision.warnings), auditAnnotations: { skipped: decision.reason } };
    case "patched":
      return {
        allowed: true,
        patchType: "JSONPatch",
        patch: base64Json(decision.patch),
        ...shown(decision.warnings),
        auditAnnotations: { injected: "true", classes: decision.classes.join(",") },
      };
    case "denied":
      return { allowed: false, status: failure(422, decision), ...shown(decision.warnings) };
    case "errored":
      return { allowed: false, status: failure(decision.status, decision) };
    default:
      return assertNever(decision);
  }
}

function failure(code: number, { reason, message }: { readonly reason: string; readonly message: string }): Status {
  return { status: "Failure", code, reason, message };
}

function shown(warnings: readonly string[]): { readonly warnings?: readonly string[] } {
  if (warnings.length === 0) return {};
  const left = warnings.length - MOST_WARNINGS;
  const kept = warnings.slice(0, MOST_WARNINGS).map(cut);
  return { warnings: left > 0 ? [...kept, `${left} more warnings are not shown`] : kept };
}

function cut(warning: string): string {
  return warning.length > WARNING_LENGTH ? `${warning.slice(0, WARNING_LENGTH - 3)}...` : warning;
}

/** `btoa` accepts only Latin-1, so every character beyond ASCII becomes a JSON escape. */
function base64Json(patch: readonly PatchOperation[]): string {
  const ascii = JSON.stringify(patch).replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return btoa(ascii);
}
