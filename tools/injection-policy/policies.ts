/**
 * The policies that inject in the API server itself, of the same tables as the webhook: one that adds to pods, and one that refuses those
 * whose annotations cannot be carried out.
 */
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { ANNOTATION_PROBLEMS, ANNOTATION_VARIABLES, LAST_PROBLEMS, LATER_PROBLEMS } from "./annotations.ts";
import { choose, of, text, type Variable } from "./cel.ts";
import { MUTATION, statusVariables } from "./mutation.ts";
import { CLASH_PROBLEMS, PLAN_PROBLEMS, POD_VARIABLES, SIZE_PROBLEMS } from "./pod.ts";
import { SYSTEM_VARIABLES } from "./system.ts";

const NAME = "keyvault-injector-injection";

const PROBLEM_VARIABLES = [
  ...ANNOTATION_PROBLEMS,
  ...CLASH_PROBLEMS,
  ...LATER_PROBLEMS,
  ...SIZE_PROBLEMS,
  ...LAST_PROBLEMS,
  ...PLAN_PROBLEMS,
];

/** What comes after the first problem is not looked at: it may not be there to be looked at. */
const PROBLEM: Variable = {
  name: "problem",
  expression: choose(
    PROBLEM_VARIABLES.filter(({ name }) => name.endsWith("Problem")).map(({ name }) => [`${of(name)} != ""`, of(name)]),
    `""`,
  ),
};

const NOT_INJECTED =
  `annotation ${POD_ANNOTATIONS.inject} is 'true', but nobody has injected the pod: the policy ${NAME} is missing, not bound, or not known to the ` +
  "API server yet. Controllers retry by themselves; create a bare pod again";

const metadata = (name: string) => ({ name, labels: { "app.kubernetes.io/name": "keyvault-injector" } });

/** As the policy keyvault-injector-pod-volume, which leaves these pods to the one here: two would say two things of one pod. */
const CONSTRAINTS = {
  matchPolicy: "Equivalent",
  namespaceSelector: {
    matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "keyvault-injector"] }],
  },
  objectSelector: {},
  resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"], scope: "Namespaced" }],
};

const CONDITIONS = [
  { name: "opted-in", expression: `object.metadata.?annotations[?${text(POD_ANNOTATIONS.inject)}].orValue("") == "true"` },
  { name: "not-a-mirror-pod", expression: `!("kubernetes.io/config.mirror" in object.metadata.?annotations.orValue({}))` },
];

const SHARED = [...SYSTEM_VARIABLES, ...ANNOTATION_VARIABLES, ...POD_VARIABLES, ...PROBLEM_VARIABLES, PROBLEM];

export interface InjectionPolicies {
  readonly inject: readonly object[];
  readonly refuse: readonly object[];
}

export function injectionPolicies(version: string): InjectionPolicies {
  return {
    inject: [
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "MutatingAdmissionPolicy",
        metadata: metadata(NAME),
        spec: {
          failurePolicy: "Fail",
          reinvocationPolicy: "IfNeeded",
          matchConstraints: CONSTRAINTS,
          matchConditions: CONDITIONS,
          variables: [...SHARED, ...statusVariables(version)],
          mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: MUTATION } }],
        },
      },
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "MutatingAdmissionPolicyBinding",
        metadata: metadata(NAME),
        spec: { policyName: NAME },
      },
    ],
    refuse: [
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicy",
        metadata: metadata(NAME),
        spec: {
          failurePolicy: "Fail",
          matchConstraints: CONSTRAINTS,
          matchConditions: CONDITIONS,
          variables: SHARED,
          // Most pods come whole, and are not read a second time.
          validations: [
            { expression: `${of("isComplete")} || ${of("problem")} == ""`, messageExpression: of("problem") },
            { expression: `${of("problem")} != "" || ${of("isWhole")}`, message: NOT_INJECTED },
          ],
        },
      },
      {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingAdmissionPolicyBinding",
        metadata: metadata(NAME),
        spec: { policyName: NAME, validationActions: ["Deny"] },
      },
    ],
  };
}
