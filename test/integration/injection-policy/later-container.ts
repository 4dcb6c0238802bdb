/** A foreign policy: it adds a container with the name in a pod's label `later`. */
export const LATER = "zz-later-container";
export const laterPolicy = [
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingAdmissionPolicy",
    metadata: { name: LATER },
    spec: {
      failurePolicy: "Fail",
      reinvocationPolicy: "Never",
      matchConstraints: {
        resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
      },
      matchConditions: [{ name: "asked", expression: "'later' in object.metadata.?labels.orValue({})" }],
      mutations: [
        {
          patchType: "JSONPatch",
          jsonPatch: {
            expression:
              '[JSONPatch{op: "add", path: "/spec/containers/-", value: Object.spec.containers{name: object.metadata.labels["later"], image: "i"}}]',
          },
        },
      ],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingAdmissionPolicyBinding",
    metadata: { name: LATER },
    spec: { policyName: LATER },
  },
];
