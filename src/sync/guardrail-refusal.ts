import { KubeError } from "../domain/ports/kube-error.ts";

/**
 * What an attempt at something forbidden has shown. `stopped`: the policy refused it, or the worker could not have done it anyway.
 * `hidden`: somebody else refused it first, so that nothing is known of the policy; `refusal` says who.
 */
export type Outcome = { readonly kind: "stopped" } | { readonly kind: "through" } | { readonly kind: "hidden"; readonly refusal: string };

/** The API server puts the words before the colon there: what a webhook or a policy says itself comes later. */
const BY_POLICY = /(?:is forbidden: |HTTP \d+: \w+, )ValidatingAdmissionPolicy '([\w.-]+)' with binding '/;
const BY_WEBHOOK = /HTTP \d+: (?:\w+, )?admission webhook "/;
/** Of the authorizers, RBAC among them, which the API server asks before any policy. */
const BY_RIGHTS = /(?:is forbidden: |HTTP 403: Forbidden, )User "[^"]*" cannot /;

/** Who refused the attempt; `ours` are the policies that may. Throws where the API server does not say. */
export function outcomeOf(error: unknown, ours: readonly string[]): Outcome {
  if (!(error instanceof KubeError)) throw error;
  const hidden = { kind: "hidden", refusal: error.message } as const;
  if (BY_WEBHOOK.test(error.message)) return hidden;
  const policy = BY_POLICY.exec(error.message)?.[1];
  if (policy !== undefined) return ours.includes(policy) ? { kind: "stopped" } : hidden;
  // What the worker has no right to, and what is not there, needs no policy.
  if (error.code === "NotFound" || BY_RIGHTS.test(error.message)) return { kind: "stopped" };
  if (error.code === "Forbidden" || error.code === "Invalid") return hidden;
  throw error;
}
