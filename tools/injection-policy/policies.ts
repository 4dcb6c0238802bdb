/** Builds the policy that injects in the API server itself, from the same tables as the webhook. */
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { MIRROR_POD } from "../../src/domain/injection/pod-admission.ts";
import {
  ANNOTATION_PROBLEMS,
  ANNOTATION_VARIABLES,
  CONTAINERS_PROBLEM,
  PATHS_PROBLEM,
  RESTART_PROBLEMS,
  SECRETS_PROBLEM,
} from "./annotations.ts";
import { firstOf, of, text, type Variable } from "./cel.ts";
import { IS_DONE } from "./done.ts";
import { mutation } from "./mutation.ts";
import {
  CLASH_PROBLEM,
  CONTAINERS_VARIABLE,
  COST_VARIABLE,
  HUGE_PROBLEM,
  MOUNT_PROBLEM,
  PLACE_VARIABLES,
  POD_VARIABLES,
  SIZE_PROBLEM,
  VOLUME_PROBLEM,
} from "./pod.ts";
import { SYSTEM_VARIABLE } from "./system.ts";

const NAME = "keyvault-injector-injection";

/** Their cost depends on the size of the pod. As variables, each has the API server's cost limit for one expression to itself. */
const WALKS = { containersProblem: CONTAINERS_PROBLEM, volumeProblem: VOLUME_PROBLEM, mountProblem: MOUNT_PROBLEM };

/** In the webhook's order. An expression after the first problem may rely on parts that do not exist then, and is not evaluated. */
const PROBLEM = firstOf([
  HUGE_PROBLEM,
  ...ANNOTATION_PROBLEMS,
  PATHS_PROBLEM,
  CLASH_PROBLEM,
  of("containersProblem"),
  SECRETS_PROBLEM,
  SIZE_PROBLEM,
  ...RESTART_PROBLEMS,
  of("volumeProblem"),
  of("mountProblem"),
]);

const VARIABLES: readonly Variable[] = [
  CONTAINERS_VARIABLE,
  SYSTEM_VARIABLE,
  ...ANNOTATION_VARIABLES,
  ...POD_VARIABLES,
  COST_VARIABLE,
  ...PLACE_VARIABLES,
  ...Object.entries(WALKS).map(([name, expression]) => ({ name, expression })),
  { name: "problem", expression: PROBLEM },
];

const metadata = { name: NAME, labels: { "app.kubernetes.io/name": "keyvault-injector" } };

/** Same as in the policy keyvault-injector-pod-volume, which checks the result. */
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
        variables: VARIABLES,
        mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: mutation(version) } }],
      },
    },
    { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingAdmissionPolicyBinding", metadata, spec: { policyName: NAME } },
  ] as const;
}
