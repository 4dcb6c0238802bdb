import { WORKLOAD_ANNOTATIONS } from "../annotations.ts";
import { memberOf } from "../json-members.ts";
import type { KubeObject } from "../kubernetes.ts";

/**
 * The API server rejects every token of a deleted ServiceAccount, even after one of the same name was created. The kubelet caches tokens by
 * pod, not by the uid of the account. It gives a pod, including restarted containers, the cached token until 80 % of the token's life have
 * passed (`pkg/kubelet/token/token_manager.go`, 1.34 and 1.36). Of the 3607 seconds that pods get by default, that is 48 minutes.
 * Milliseconds.
 */
export const TOKEN_LIFE_MS = 3_600_000;

/** Whether tokens of an earlier account of the same name may still be in use. */
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

/** Whether pods of the workload may have tokens of an earlier account and were not yet replaced for that reason. */
export function mayHoldDeadTokens({ account, workload, now }: AccountHolder): boolean {
  const template = memberOf(memberOf(workload, "spec"), "template");
  if (memberOf(template, "spec")["serviceAccountName"] !== account.metadata.name) return false;
  if (!isYoungAccount(account, now) || timeOf(workload) >= timeOf(account)) return false;
  return memberOf(memberOf(template, "metadata"), "annotations")[WORKLOAD_ANNOTATIONS.accountUid] !== account.metadata.uid;
}

/**
 * Whether the pod's token may be from an earlier account. False if pod and account were created in the same second, because their order is
 * unknown then.
 */
export function isOlderThanAccount(pod: KubeObject, account: KubeObject, now: number): boolean {
  return timeOf(pod) < timeOf(account) && isYoungAccount(account, now);
}

function timeOf({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? "");
}
