import { RESOURCES } from "../../domain/kubernetes.ts";
import { hasRight, type Rbac, type Right, serviceAccount } from "../access/rbac.ts";
import { readRbac } from "../access/read-rbac.ts";
import { type Check, type CheckResult, fail, fine, skipped } from "./check.ts";

const WORKER = "keyvault-injector-sync";

interface Need {
  readonly verbs: readonly string[];
  readonly right: Omit<Right, "verb">;
  /** What does not work without it. */
  readonly without: string;
}

const classes = { group: RESOURCES.secretProviderClasses.group, resource: RESOURCES.secretProviderClasses.plural };
const statuses = { group: RESOURCES.secretProviderClassSyncs.group, resource: RESOURCES.secretProviderClassSyncs.plural };

/** What the worker cannot do its job without, cluster-wide and in its own namespace. */
export const CLUSTER_NEEDS: readonly Need[] = [
  { verbs: ["get", "list", "watch"], right: classes, without: "no class is seen" },
  { verbs: ["create", "patch"], right: classes, without: "no class is restored" },
  { verbs: ["list", "watch"], right: { group: "", resource: "pods" }, without: "credentials that only pods name are not found" },
  { verbs: ["list", "watch", "create", "patch", "delete"], right: statuses, without: "no status is kept" },
  { verbs: ["create", "patch", "delete"], right: { group: "", resource: "secrets" }, without: "no Secret is written" },
  { verbs: ["create"], right: { group: "", resource: "serviceaccounts/token" }, without: "no class with workload identity is mirrored" },
  {
    verbs: ["get", "list", "watch", "create", "delete"],
    right: { group: "apps", resource: "controllerrevisions" },
    without: "no snapshot of a class is kept",
  },
  ...["deployments", "statefulsets", "daemonsets"].map((resource) => ({
    verbs: ["list", "watch", "patch"],
    right: { group: "apps", resource },
    without: "no workload is restarted after a rotation",
  })),
];

export const OWN_NEEDS: readonly Need[] = [
  {
    verbs: ["get", "create", "patch"],
    right: { group: "coordination.k8s.io", resource: "leases", name: WORKER },
    without: "no worker leads",
  },
  {
    verbs: ["get"],
    right: { group: "", resource: "secrets", name: "keyvault-injector-sync-key" },
    without: "every start fetches every class",
  },
];

export const checkRights: Check = async ({ viewer, namespace }) => {
  const look = await readRbac(viewer);
  if (look.kind !== "seen") return [skipped("rights", look)];
  const subject = serviceAccount(namespace, WORKER);
  const everywhere: Rbac = { ...look.value, roles: [], roleBindings: [] };
  const missing = [
    ...CLUSTER_NEEDS.flatMap((need) => missingOf(need, { subject, namespace, rbac: everywhere })),
    ...OWN_NEEDS.flatMap((need) => missingOf(need, { subject, namespace, rbac: look.value })),
  ];
  return missing.length > 0 ? missing : [fine("rights", `${subject} has what it needs`)];
};

const FIX = "apply manifests/base again";

interface Place {
  readonly subject: string;
  readonly namespace: string;
  readonly rbac: Rbac;
}

function missingOf({ verbs, right, without }: Need, { subject, ...place }: Place): readonly CheckResult[] {
  const missing = verbs.filter((verb) => !hasRight(subject, { verb, ...right }, place));
  if (missing.length === 0) return [];
  const what = `${right.resource}${right.name === undefined ? "" : ` ${right.name}`}`;
  return [fail("rights", `the worker may not ${missing.join(", ")} ${what}: ${without}`, FIX)];
}
