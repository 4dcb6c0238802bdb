import { at, listAt } from "../../support/cluster/shipped-manifests.ts";
import type { InstallWorld } from "./install-world.ts";

/** Objects that outlive an install: name, uid and, for Secrets, the data, as one text each. */
export interface Kept {
  readonly definitions: readonly string[];
  readonly classes: readonly string[];
  readonly secrets: readonly string[];
}

export async function whatIsKept({ node }: InstallWorld): Promise<Kept> {
  const texts = async (...args: readonly string[]): Promise<readonly string[]> => {
    const items = listAt(JSON.parse(await node.kubectl(["get", ...args, "-A", "-o", "json"])), "items");
    return items.map((item) => JSON.stringify([at(item, "metadata", "name"), at(item, "metadata", "uid"), at(item, "data")])).sort();
  };
  const [crds, classes, secrets] = await Promise.all([
    texts("crd"),
    texts("secretproviderclasses"),
    texts("secrets", "-l", "keyvault-injector.dev/managed=true"),
  ]);
  return { definitions: crds.filter((text) => /secrets-store\.csi\.x-k8s\.io|keyvault-injector\.dev/.test(text)), classes, secrets };
}
