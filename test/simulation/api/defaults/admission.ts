import { type Defaulting, setting } from "./setting.ts";

const WEBHOOK = { failurePolicy: "Fail", matchPolicy: "Equivalent", namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10 };

export const ADMISSION_DEFAULTS: Readonly<Record<string, Defaulting>> = {
  "admissionregistration.MutatingWebhook": setting({ ...WEBHOOK, reinvocationPolicy: "Never" }),
  "admissionregistration.ValidatingWebhook": setting(WEBHOOK),
  "admissionregistration.RuleWithOperations": setting({ scope: "*" }),
  "admissionregistration.NamedRuleWithOperations": setting({ scope: "*" }),
  "admissionregistration.ServiceReference": setting({ port: 443 }),
  "admissionregistration.ValidatingAdmissionPolicySpec": setting({ failurePolicy: "Fail" }),
  "admissionregistration.MatchResources": setting({ matchPolicy: "Equivalent", namespaceSelector: {}, objectSelector: {} }),
};
