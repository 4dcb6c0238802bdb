import type { Admission } from "./interface.ts";
import type { Policy } from "./policies/policy.ts";
import { SECRETS } from "./policies/secrets.ts";
import { SNAPSHOTS } from "./policies/snapshots.ts";
import { TOKENS } from "./policies/tokens.ts";
import { WEBHOOK_CONFIGURATION } from "./policies/webhook-configuration.ts";
import { WORKLOADS } from "./policies/workloads.ts";

export { NAMESPACE, type Policy, WEBHOOK, WORKER } from "./policies/policy.ts";

/** The policies of manifests/policies that are about our own accounts, as functions. Those about pods and authors are not among them. */
export const SHIPPED_POLICIES: readonly Policy[] = [SECRETS, SNAPSHOTS, TOKENS, WORKLOADS, WEBHOOK_CONFIGURATION];

/** Admission by these policies, to be handed to the server. */
export function admissionBy(policies: readonly Policy[] = SHIPPED_POLICIES): Admission {
  return (request) => {
    const resource = `${request.resource}${request.group === "" ? "" : `.${request.group}`}${request.subresource === "" ? "" : `/${request.subresource}`}`;
    const policy = policies.find(({ user, resources }) => user === request.user && resources.includes(resource));
    if (policy === undefined) return undefined;
    const broken = policy.rules(request).find(({ holds }) => !holds);
    if (broken === undefined) return undefined;
    return `ValidatingAdmissionPolicy '${policy.name}' with binding '${policy.name}' denied request: ${broken.message}`;
  };
}
