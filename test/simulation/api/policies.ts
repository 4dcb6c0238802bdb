import type { Admission, AdmissionRequest } from "./interface.ts";
import { listAt, objectAt } from "./json.ts";
import { CLASSES } from "./policies/classes.ts";
import { COMPONENTS } from "./policies/components.ts";
import { NAMESPACE_CONSENTS } from "./policies/consents.ts";
import { DEFINITIONS } from "./policies/definitions.ts";
import { GATEWAYS } from "./policies/gateways.ts";
import { CLASS_IDENTITIES } from "./policies/identities.ts";
import { ONE_INSTANCE } from "./policies/instance.ts";
import { PODS } from "./policies/pods.ts";
import { includes, type Policy } from "./policies/policy.ts";
import { SECRETS } from "./policies/secrets.ts";
import { SNAPSHOTS } from "./policies/snapshots.ts";
import { TOKENS } from "./policies/tokens.ts";
import { WEBHOOK_CONFIGURATION } from "./policies/webhook-configuration.ts";
import { WEBHOOK_SECRETS } from "./policies/webhook-secrets.ts";
import { WEBHOOKS } from "./policies/webhooks.ts";
import { WORKLOADS } from "./policies/workloads.ts";

/** The policies in manifests/policies that refuse writes, as functions. The policy for opted-in pods is missing, because the webhook covers it. */
export const SHIPPED_POLICIES: readonly Policy[] = [
  CLASSES,
  CLASS_IDENTITIES,
  COMPONENTS,
  DEFINITIONS,
  GATEWAYS,
  NAMESPACE_CONSENTS,
  ONE_INSTANCE,
  PODS,
  SECRETS,
  SNAPSHOTS,
  TOKENS,
  WEBHOOK_CONFIGURATION,
  WEBHOOK_SECRETS,
  WEBHOOKS,
  WORKLOADS,
];

const GROUP = "admissionregistration.k8s.io";

/** Returns the admission of a server: it enforces those of the policies that are installed. */
export function admissionBy(policies: readonly Policy[] = SHIPPED_POLICIES): Admission {
  return (request) => {
    const resource = `${request.resource}${request.group === "" ? "" : `.${request.group}`}${request.subresource === "" ? "" : `/${request.subresource}`}`;
    for (const policy of policies) {
      if (!policy.resources.includes(resource) || !isAsked(policy, request)) continue;
      const broken = policy.rules(request).find(({ holds }) => !holds);
      if (broken === undefined) continue;
      const message = `ValidatingAdmissionPolicy '${policy.name}' with binding '${policy.name}' denied request: ${broken.message}`;
      return { reason: broken.reason ?? "Forbidden", message };
    }
    return undefined;
  };
}

function isAsked(policy: Policy, request: AdmissionRequest): boolean {
  if (policy.user !== undefined && policy.user !== request.user) return false;
  return isInForce(policy, request) && policy.isAbout?.(request) !== false;
}

/** Whether the policy exists and a binding makes it refuse requests. Does not check the policy's content. */
function isInForce({ name }: Policy, { find }: AdmissionRequest): boolean {
  const binding = find(`validatingadmissionpolicybindings.${GROUP}`, name);
  const { policyName } = objectAt(binding, "spec");
  const isBound = policyName === name && includes(listAt(objectAt(binding, "spec"), "validationActions"), "Deny");
  return isBound && find(`validatingadmissionpolicies.${GROUP}`, name) !== undefined;
}

export { NAMESPACE, type Policy, WEBHOOK, WORKER } from "./policies/policy.ts";
