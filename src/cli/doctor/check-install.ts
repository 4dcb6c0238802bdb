import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { MORE_RESOURCES } from "../resources.ts";
import { type Check, type CheckResult, fail, fine, skipped, warn } from "./check.ts";

/** Every policy that is shipped, and what its binding has to do at least. Without them something of ours could do more than its job. */
export const POLICIES: Readonly<Record<string, "Deny" | "Warn">> = {
  "keyvault-injector-one-instance": "Deny",
  "keyvault-injector-pod-volume": "Deny",
  "keyvault-injector-sync-classes": "Deny",
  "keyvault-injector-sync-components": "Deny",
  "keyvault-injector-sync-definitions": "Deny",
  "keyvault-injector-sync-pods": "Deny",
  "keyvault-injector-sync-secrets": "Deny",
  "keyvault-injector-sync-snapshots": "Deny",
  "keyvault-injector-sync-tokens": "Deny",
  "keyvault-injector-sync-webhooks": "Deny",
  "keyvault-injector-sync-workloads": "Deny",
  "keyvault-injector-webhook-configuration": "Deny",
  "keyvault-injector-class-identities": "Deny",
  "keyvault-injector-class-authors": "Warn",
};

interface Deployment extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

const DEPLOYMENTS: readonly string[] = ["keyvault-injector-webhook", "keyvault-injector-sync"];

export const checkDeployments: Check = async ({ viewer, namespace }) => {
  const results: CheckResult[] = [];
  for (const name of DEPLOYMENTS) {
    const look = await viewer.object<Deployment>(MORE_RESOURCES.deployments, { namespace, name });
    if (look.kind === "unseen") results.push(skipped("deployments", look));
    else if (look.kind !== "seen")
      results.push(
        fail(
          "deployments",
          `${namespace}/${name} is missing`,
          "apply the manifests, or name the install's namespace with --install-namespace",
        ),
      );
    else results.push(replicasOf(look.value));
  }
  return results;
};

function replicasOf({ metadata: { name }, spec, status }: Deployment): CheckResult {
  const [wanted, ready] = [spec?.replicas ?? 1, status?.readyReplicas ?? 0];
  const message = `${name}: ${ready} of ${wanted} replicas are ready`;
  if (ready === 0) return fail("deployments", message, `see kubectl describe deployment ${name} and the log of its pods`);
  return ready < wanted ? warn("deployments", message, `see kubectl describe deployment ${name}`) : fine("deployments", message);
}

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string | null; readonly renewTime?: string; readonly leaseDurationSeconds?: number };
}

const LEASE = "keyvault-injector-sync";

export const checkLease: Check = async ({ viewer, namespace, clock }) => {
  const look = await viewer.object<Lease>(RESOURCES.leases, { namespace, name: LEASE });
  if (look.kind === "unseen") return [skipped("lease", look)];
  const spec = look.kind === "seen" ? look.value.spec : undefined;
  const holder = spec?.holderIdentity ?? "";
  if (holder === "") return [fail("lease", "no worker holds the lease: nothing is mirrored", "start the worker; see its log")];
  const age = Math.round((clock.now() - Date.parse(spec?.renewTime ?? "")) / 1_000);
  const duration = spec?.leaseDurationSeconds ?? 0;
  if (!(age <= duration))
    return [fail("lease", `${holder} has not renewed it for ${age} s, of ${duration} s`, "see the worker's pods and their log")];
  return [fine("lease", `held by ${holder}, renewed ${Math.max(0, age)} s ago`)];
};
