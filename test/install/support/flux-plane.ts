import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { RealNode } from "../../e2e/support/node.ts";
import type { FluxPlane } from "../../support/cluster/flux.ts";

/** Access to the node's cluster for a controller that runs outside it with its own account. */
export function fluxPlane(node: RealNode): FluxPlane {
  return {
    directory: node.directory,
    kubectl: (args, input) => node.kubectl(args, input),
    kubeconfigFor: async ({ namespace, name }) => {
      const token = (await node.kubectl(["create", "token", name, "-n", namespace, "--duration=1h"])).trim();
      const admins = parse(readFileSync(node.kubeconfigPath, "utf8")) as { readonly clusters: readonly { readonly name: string }[] }; // Our own file.
      const [cluster] = admins.clusters;
      const contexts = [{ name, context: { cluster: cluster?.name, user: name, namespace } }];
      const kubeconfig = { ...admins, users: [{ name, user: { token } }], contexts, "current-context": name };
      const file = path.join(mkdtempSync(path.join(node.directory, `${name}-`)), "kubeconfig");
      writeFileSync(file, JSON.stringify(kubeconfig), { mode: 0o600 });
      return file;
    },
  };
}
