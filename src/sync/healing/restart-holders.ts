import { WORKLOAD_ANNOTATIONS } from "../../domain/annotations.ts";
import { isYoungAccount, mayHoldDeadTokens } from "../../domain/healing/account-tokens.ts";
import { type Component, componentsOf, isPartOfInstall } from "../../domain/healing/components.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { WORKLOADS } from "../../domain/rollout/workload-kinds.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { findByName } from "../find-by-name.ts";
import type { HealContext, ObservedComponent } from "./heal-context.ts";
import { isGoing, readInstall } from "./install-state.ts";
import { askRight } from "./node-side-rights.ts";

const KINDS: readonly string[] = [WORKLOADS.Deployment.kind, WORKLOADS.DaemonSet.kind];

/**
 * Restarts the workloads of a recreated ServiceAccount once. After healing or an installer recreates an account, the pods that use it still
 * have tokens of the deleted account, which the API server rejects. An annotation with the account's uid changes the pod template, so that
 * the controllers replace the pods.
 */
export async function restartHolders(context: HealContext, { component, live }: ObservedComponent, signal: AbortSignal): Promise<void> {
  if (component.resource.plural !== RESOURCES.serviceAccounts.plural || live === undefined) return;
  if (!isYoungAccount(live, context.clock.now())) return;
  for (const holder of workloadsBeside(component, context.namespace)) {
    if (holder.isNodeSide && (await askRight(context.kube, holder, signal)) !== "granted") continue;
    const workload = await findByName(context.kube, holder, signal);
    if (workload === undefined || !isPartOfInstall(workload)) continue;
    if (!mayHoldDeadTokens({ account: live, workload, now: context.clock.now() })) continue;
    if (isGoing(await readInstall(context, signal))) return;
    await restart(context, { holder, workload, account: live }, signal);
  }
}

function workloadsBeside({ ref }: Component, namespace: string): readonly Component[] {
  return componentsOf(namespace).filter((each) => KINDS.includes(each.resource.kind) && each.ref.namespace === ref.namespace);
}

interface Restart {
  readonly holder: Component;
  readonly workload: KubeObject;
  readonly account: KubeObject;
}

/** Patches the workload in the state that the worker checked. After a conflict, the worker checks the workload again. */
async function restart({ kube, report }: HealContext, { holder, workload, account }: Restart, signal: AbortSignal): Promise<void> {
  const { uid, resourceVersion } = workload.metadata;
  const annotations = { [WORKLOAD_ANNOTATIONS.accountUid]: account.metadata.uid };
  const patch = { metadata: { uid, resourceVersion }, spec: { template: { metadata: { annotations } } } };
  await kube.mergePatch(holder.resource, holder.ref, patch, { fieldManager: FIELD_MANAGER }, signal);
  const { name, creationTimestamp = "" } = account.metadata;
  const made = `ServiceAccount ${name}`;
  report.restarted(
    holder,
    `${made} was recreated at ${creationTimestamp}, and the API server rejects the earlier tokens, which the pods still have`,
  );
}
