import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { OWN_LABEL } from "../install.ts";
import { MORE_RESOURCES } from "../resources.ts";
import { type Check, type CheckResult, fail, fine, notThere, skipped } from "./check.ts";
import type { WorkloadObject } from "./settings-in-force.ts";

interface SelfSubjectReview extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

/** Who the API server takes the user for. No answer at all ends the command before any finding. */
export const checkApi: Check = async ({ kube, signal }) => {
  const body: SelfSubjectReview = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview", metadata: { name: "" } };
  try {
    const { status } = await kube.create<SelfSubjectReview>(MORE_RESOURCES.selfSubjectReviews, body, { fieldManager: "doctor" }, signal);
    return [fine("api", `the API server answers; to it you are ${status?.userInfo?.username ?? "nobody"}`)];
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    const fix = "sign in again, or ask for the role system:basic-user, which everybody has by default";
    return [{ check: "api", state: "SKIP", message: `not looked at: you may not ask who you are (${error.code})`, fix }];
  }
};

/** Two workers would write the same Secrets, and two webhooks share one configuration: one install per cluster. */
export const checkInstances: Check = async ({ viewer, namespace }) => {
  const look = await viewer.all<WorkloadObject>(MORE_RESOURCES.deployments, { labelSelector: OWN_LABEL });
  if (look.kind !== "seen") return [skipped("instances", look)];
  const found = [...new Set(look.value.map(({ metadata }) => metadata.namespace ?? ""))].sort();
  const others = found.filter((name) => name !== namespace);
  const bound = await strayBindings(namespace, { viewer });
  if (found.length === 0 && bound.length === 0) return [notThere("instances", "no Deployment of an instance is there", "deployments")];
  if (others.length === 0 && bound.length === 0) return [fine("instances", `one instance, in namespace ${namespace}`)];
  if (found.length > 0 && !found.includes(namespace)) {
    return [
      fail(
        "instances",
        `there is an instance in ${others.join(", ")}, and none in ${namespace}`,
        `name it with --install-namespace ${others[0] ?? ""}`,
      ),
    ];
  }
  return [
    ...others.map((name) =>
      fail(
        "instances",
        `there is a second instance in namespace ${name}: both write the same Secrets`,
        `remove one of the two: ${namespace} or ${name}`,
      ),
    ),
    ...bound,
  ];
};

interface Binding extends KubeObject {
  readonly subjects?: readonly { readonly name?: string; readonly namespace?: string }[] | null;
}

/** Cluster-wide names are shared: who installs a second time moves them away from the first. */
async function strayBindings(namespace: string, { viewer }: Pick<Parameters<Check>[0], "viewer">): Promise<readonly CheckResult[]> {
  const look = await viewer.object<Binding>(RESOURCES.clusterRoleBindings, { name: "keyvault-injector-sync" });
  const subjects = look.kind === "seen" ? (look.value.subjects ?? []) : [];
  const elsewhere = subjects.map((subject) => subject.namespace ?? "").filter((name) => name !== namespace);
  return elsewhere.map((name) =>
    fail(
      "instances",
      `ClusterRoleBinding keyvault-injector-sync binds the worker of namespace ${name}, not of ${namespace}`,
      `apply the manifests of namespace ${namespace} again, or name ${name} with --install-namespace`,
    ),
  );
}
