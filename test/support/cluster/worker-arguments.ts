import type { ControlPlane } from "./control-plane.ts";

/** Gives the worker's Deployment other arguments, its subcommand first, as an operator does. Resolves with what kubectl says. */
export function setWorkerArguments(plane: ControlPlane, args: readonly string[]): Promise<string> {
  const patch = [{ op: "replace", path: "/spec/template/spec/containers/0/args", value: args }];
  const deployment = ["deployment", "keyvault-injector-sync", "-n", "keyvault-injector"];
  return plane.kubectl(["patch", ...deployment, "--type=json", "-p", JSON.stringify(patch)]);
}
