import type { ControlPlane } from "./control-plane.ts";

/** Sets the arguments of the worker's Deployment, including the subcommand, like an operator. Resolves with kubectl's output. */
export function setWorkerArguments(plane: ControlPlane, args: readonly string[]): Promise<string> {
  const patch = [{ op: "replace", path: "/spec/template/spec/containers/0/args", value: args }];
  const deployment = ["deployment", "keyvault-injector-sync", "-n", "keyvault-injector"];
  return plane.kubectl(["patch", ...deployment, "--type=json", "-p", JSON.stringify(patch)]);
}
