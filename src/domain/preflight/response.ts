import { ADMISSION_API_VERSION, ADMISSION_KIND } from "../admission/review.ts";
import { type PreflightReason, type PreflightWarning, shownWarnings } from "./warning.ts";

export interface PreflightResponse {
  readonly apiVersion: typeof ADMISSION_API_VERSION;
  readonly kind: typeof ADMISSION_KIND;
  readonly response: {
    readonly uid: string;
    /** A preflight check never denies. */
    readonly allowed: true;
    readonly warnings?: readonly string[];
    readonly auditAnnotations?: Readonly<Record<string, string>>;
  };
}

/** The answer for the request with this uid, in the words of `admission.k8s.io/v1`. */
export function completePreflight(uid: string, warnings: readonly PreflightWarning[]): PreflightResponse {
  const told =
    warnings.length === 0 ? {} : { warnings: shownWarnings(warnings), auditAnnotations: { warned: reasonsOf(warnings).join(",") } };
  return { apiVersion: ADMISSION_API_VERSION, kind: ADMISSION_KIND, response: { uid, allowed: true, ...told } };
}

/** Each once, in the order in which they came up. */
export function reasonsOf(warnings: readonly PreflightWarning[]): readonly PreflightReason[] {
  return [...new Set(warnings.map(({ reason }) => reason))];
}
