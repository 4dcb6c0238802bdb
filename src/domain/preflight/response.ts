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

/** Returns the `admission.k8s.io/v1` response to the request with this uid. */
export function completePreflight(uid: string, warnings: readonly PreflightWarning[]): PreflightResponse {
  const reported =
    warnings.length === 0 ? {} : { warnings: shownWarnings(warnings), auditAnnotations: { warned: reasonsOf(warnings).join(",") } };
  return { apiVersion: ADMISSION_API_VERSION, kind: ADMISSION_KIND, response: { uid, allowed: true, ...reported } };
}

/** Returns each reason once, in the order of occurrence. */
export function reasonsOf(warnings: readonly PreflightWarning[]): readonly PreflightReason[] {
  return [...new Set(warnings.map(({ reason }) => reason))];
}
