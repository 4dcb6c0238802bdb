import { runCli } from "../../support/cli/cli.ts";
import type { InstallWorld } from "./install-world.ts";

/** Runs `keyvault-injector uninstall --prepare`, the first step on the page about uninstalling. */
export async function prepareUninstall({ node }: InstallWorld): Promise<void> {
  const { code, stdout, stderr } = await runCli(["uninstall", "--prepare"], { kubeconfig: node.kubeconfigPath });
  if (code !== 0) throw new Error(`uninstall --prepare ended with ${code}: ${stdout}${stderr}`);
}
