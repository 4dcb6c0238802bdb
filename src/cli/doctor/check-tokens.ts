import { isOlderThanAccount } from "../../domain/healing/account-tokens.ts";
import { componentsOf } from "../../domain/healing/components.ts";
import { memberOf } from "../../domain/json-members.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import { type Check, type CheckResult, fail, fine, notThere, skipped } from "./check.ts";

const MAX_SHOWN = 3;

/**
 * A ServiceAccount that was deleted and made anew leaves its pods with tokens that the API server refuses. The worker restarts them, except where
 * the account is its own.
 */
export const checkTokens: Check = async ({ viewer, namespace, clock }) => {
  const results: CheckResult[] = [];
  const accounts: string[] = [];
  let count = 0;
  for (const { resource, ref } of componentsOf(namespace)) {
    if (resource.plural !== RESOURCES.serviceAccounts.plural) continue;
    const account = await viewer.object<KubeObject>(resource, ref);
    if (account.kind === "absent") continue;
    if (account.kind !== "seen") return [skipped("tokens", account)];
    accounts.push(ref.name);
    const pods = await viewer.all<KubeObject>(RESOURCES.pods, { namespace: ref.namespace ?? "" });
    if (pods.kind !== "seen") return [skipped("tokens", pods)];
    const own = pods.value.filter((pod) => memberOf(pod, "spec")["serviceAccountName"] === ref.name);
    const older = own.filter((pod) => isOlderThanAccount(pod, account.value, clock.now())).map(({ metadata }) => metadata.name);
    count += own.length;
    if (older.length > 0) results.push(fail("tokens", refusal(account.value, older), restartOf(account.value)));
  }
  if (accounts.length === 0) return [notThere("tokens", "no ServiceAccount of ours is there", "deployments")];
  return results.length > 0 ? results : [fine("tokens", `of ${count} pods, none has a token of a ServiceAccount that was deleted`)];
};

function refusal({ metadata: { name, creationTimestamp } }: KubeObject, pods: readonly string[]): string {
  return `ServiceAccount ${name} was made anew at ${creationTimestamp}: the API server refuses the tokens of ${shownNames(pods, MAX_SHOWN)}`;
}

function restartOf({ metadata: { namespace, name } }: KubeObject): string {
  return `kubectl rollout restart what runs as ${name} in ${namespace}; a restart of containers does not do, and the kubelet takes up to an hour`;
}
