import { WORKLOAD_ANNOTATIONS } from "../annotations.ts";
import { memberOf } from "../json-members.ts";
import type { KubeObject } from "../kubernetes.ts";

/**
 * The API server refuses every token of a ServiceAccount that was deleted, also where one of the same name is made anew. A kubelet knows tokens
 * by the pod, not by the uid of the account, and gives a pod, restarted containers included, the one that it has until 80 % of its life have
 * passed (`pkg/kubelet/token/token_manager.go`, 1.34 and 1.36): of the 3607 seconds that pods get by default, 48 minutes. Milliseconds.
 */
export const TOKEN_LIFE_MS = 3_600_000;

/** Whether tokens of an account that was there before this one may be in use still. */
export function isYoungAccount(account: KubeObject, now: number): boolean {
  return now - timeOf(account) <= TOKEN_LIFE_MS;
}

export interface AccountHolder {
  readonly account: KubeObject;
  /** A Deployment or DaemonSet. */
  readonly workload: KubeObject;
  /** Unix milliseconds. */
  readonly now: number;
}

/** Whether pods of the workload may have tokens of an account that was there before this one, and were not replaced for it yet. */
export function mayHoldDeadTokens({ account, workload, now }: AccountHolder): boolean {
  const template = memberOf(memberOf(workload, "spec"), "template");
  if (memberOf(template, "spec")["serviceAccountName"] !== account.metadata.name) return false;
  if (!isYoungAccount(account, now) || timeOf(workload) >= timeOf(account)) return false;
  return memberOf(memberOf(template, "metadata"), "annotations")[WORKLOAD_ANNOTATIONS.accountUid] !== account.metadata.uid;
}

/** Whether the pod's token may be one of an account that was there before this one. Within the second in which both were made nobody can tell. */
export function isOlderThanAccount(pod: KubeObject, account: KubeObject, now: number): boolean {
  return timeOf(pod) < timeOf(account) && isYoungAccount(account, now);
}

function timeOf({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? "");
}
