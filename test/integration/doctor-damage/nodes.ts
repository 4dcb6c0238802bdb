import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

export function nodeDamages(install: InstallEdits): readonly Damage[] {
  return [
    {
      what: "no CSI driver",
      check: "driver",
      state: "FAIL",
      message: /^CSIDriver \S+ does not exist/,
      damage: () => install.deleting("csidriver", "secrets-store.csi.k8s.io"),
      repair: () => install.putBack(),
    },
    {
      what: "a driver that is not ready",
      check: "driver",
      state: "FAIL",
      message: /csi-secrets-store: 0 of 1 are ready$/,
      damage: () => install.readyNodes("csi-secrets-store", 0),
      repair: () => install.readyNodes("csi-secrets-store", 1),
    },
    {
      what: "no provider",
      check: "provider",
      state: "FAIL",
      message: /^no DaemonSet runs the provider's image$/,
      damage: () => install.deleting("daemonset", "csi-secrets-store-provider-azure", "-n", "kube-system"),
      repair: async () => {
        await install.putBack();
        await install.readyNodes("csi-secrets-store-provider-azure", 1);
      },
    },
    {
      what: "a driver that may write Secrets",
      check: "driver-sync",
      state: "WARN",
      message: /secrets-store-csi-driver can write Secrets \(ClusterRoleBinding syncing\)/,
      damage: () =>
        install.kubectl(
          "create",
          "clusterrolebinding",
          "syncing",
          "--clusterrole=keyvault-injector-sync",
          "--serviceaccount=kube-system:secrets-store-csi-driver",
        ),
      repair: () => install.kubectl("delete", "clusterrolebinding", "syncing"),
    },
    {
      what: "a node without the driver",
      check: "nodes",
      state: "WARN",
      message: /^0 of 1 node has the driver; without it: node-1$/,
      damage: () => install.kubectl("delete", "csinode", "node-1"),
      repair: () => install.driverOn([{ name: "secrets-store.csi.k8s.io", nodeID: "node-1", topologyKeys: null }]),
    },
  ];
}
