import type { ControlPlane } from "./control-plane.ts";

const CHECKS = /^apiserver_mutating_admission_policy_check_total\{[^}]*keyvault-injector-injection[^}]*\} (\d+)/gm;

/** Number of times that the API server evaluated the injecting policy, according to the API server's metrics. */
export async function policyRuns(plane: ControlPlane): Promise<number> {
  const text = await plane.kubectl(["get", "--raw", "/metrics"]);
  return [...text.matchAll(CHECKS)].reduce((sum, [, count]) => sum + Number(count), 0);
}
