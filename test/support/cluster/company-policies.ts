/** Policies that many clusters have, and that reject the worker's probes too. */
const COMPANY = [
  {
    name: "company-images",
    group: "apps",
    resource: "deployments",
    expression: "object.spec.template.spec.containers.all(c, c.image.contains('@'))",
  },
  {
    name: "company-pods",
    group: "apps",
    resource: "daemonsets",
    expression: "object.spec.template.spec.containers.all(c, c.image.contains('@'))",
  },
  {
    name: "company-secrets",
    group: "",
    resource: "secrets",
    expression: "request.operation != 'DELETE' && 'owner' in object.metadata.?labels.orValue({})",
  },
] as const;

/** Limited to the install's namespace, which this test does not use otherwise. */
function policyOf({ name, group, resource, expression }: (typeof COMPANY)[number]): readonly object[] {
  const apiVersion = "admissionregistration.k8s.io/v1";
  const rule = { apiGroups: [group], apiVersions: ["v1"], operations: ["CREATE", "UPDATE", "DELETE"], resources: [resource] };
  const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": "keyvault-injector" } };
  return [
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicy",
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: [rule], namespaceSelector },
        matchConditions: [
          { name: "of-programs", expression: "request.userInfo.username.startsWith('system:serviceaccount:keyvault-injector:')" },
        ],
        validations: [{ expression, message: `a rule of ${name}`, reason: "Forbidden" }],
      },
    },
    {
      apiVersion,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name },
      spec: { policyName: name, validationActions: ["Deny"] },
    },
  ];
}

export const COMPANY_POLICIES = COMPANY.map(({ name }) => name);

export function companyPolicies(): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: COMPANY.flatMap(policyOf) });
}
