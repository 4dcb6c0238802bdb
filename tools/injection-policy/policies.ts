/** The policy that injects in the API server itself, of the same tables as the webhook. */
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { MIRROR_POD } from "../../src/domain/injection/pod-admission.ts";
import { ANNOTATION_PROBLEMS, ANNOTATION_VARIABLES, LIST_PROBLEMS, RESTART_PROBLEMS } from "./annotations.ts";
import { choose, of, text, type Variable } from "./cel.ts";
import { IS_DONE } from "./done.ts";
import { MUTATION, statusVariables } from "./mutation.ts";
import { CLASH_PROBLEMS, CONTAINER_VARIABLES, HUGE_PROBLEM, IS_COMPLETE, PLAN_PROBLEMS, POD_VARIABLES, SIZE_PROBLEMS } from "./pod.ts";
import { SYSTEM_VARIABLES } from "./system.ts";

const NAME = "keyvault-injector-injection";

const PROBLEM_VARIABLES = [
  ...ANNOTATION_PROBLEMS,
  ...CLASH_PROBLEMS,
  ...LIST_PROBLEMS,
  ...SIZE_PROBLEMS,
  ...RESTART_PROBLEMS,
  ...PLAN_PROBLEMS,
];

/** What comes after the first problem is not looked at: it may not be there to be looked at. */
const PROBLEM: Variable = {
  name: "problem",
  expression: choose(
    [
      [`${of(HUGE_PROBLEM.name)} != ""`, of(HUGE_PROBLEM.name)],
      [IS_COMPLETE, `""`],
      ...PROBLEM_VARIABLES.filter(({ isProblem }) => isProblem).map(({ name }) => [`${of(name)} != ""`, of(name)] as const),
    ],
    `""`,
  ),
};

const VARIABLES = [
  ...CONTAINER_VARIABLES,
  ...SYSTEM_VARIABLES,
  ...ANNOTATION_VARIABLES,
  ...POD_VARIABLES,
  HUGE_PROBLEM,
  ...PROBLEM_VARIABLES,
  PROBLEM,
];

const metadata = { name: NAME, labels: { "app.kubernetes.io/name": "keyvault-injector" } };

/** As of the policy keyvault-injector-pod-volume, which checks what comes out. */
export const CONSTRAINTS = {
  matchPolicy: "Equivalent",
  namespaceSelector: {
    matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "keyvault-injector"] }],
  },
  objectSelector: {},
  resourceRules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"], scope: "Namespaced" }],
};

const CONDITIONS = [
  { name: "opted-in", expression: `object.metadata.?annotations[?${text(POD_ANNOTATIONS.inject)}].orValue("") == "true"` },
  { name: "not-a-mirror-pod", expression: `!(${text(MIRROR_POD)} in object.metadata.?annotations.orValue({}))` },
  { name: "not-done", expression: `!(${IS_DONE})` },
];

/** The policy and its binding. */
export function injectionPolicy(version: string) {
  return [
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingAdmissionPolicy",
      metadata,
      spec: {
        failurePolicy: "Fail",
        reinvocationPolicy: "IfNeeded",
        matchConstraints: CONSTRAINTS,
        matchConditions: CONDITIONS,
        variables: [...VARIABLES, ...statusVariables(version)].map(({ name, expression }) => ({ name, expression })),
        mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: MUTATION } }],
      },
    },
    { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingAdmissionPolicyBinding", metadata, spec: { policyName: NAME } },
  ] as const;
}
