import { clockShows } from "../../support/time/wall-clock.ts";
import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

const POD = "keyvault-injector-webhook-of-before";

/** A pod that no node runs. Only its creator and its creation time matter. */
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: POD, namespace: "keyvault-injector" },
  spec: {
    serviceAccountName: "keyvault-injector-webhook",
    securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: "RuntimeDefault" } },
    containers: [
      { name: "webhook", image: "webhook", securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } },
    ],
  },
};

/** Damages of the accounts that our pods use. */
export function tokenDamages(install: InstallEdits): readonly Damage[] {
  return [
    {
      what: "a ServiceAccount deleted and made anew under its pods",
      check: "tokens",
      state: "FAIL",
      message:
        /^ServiceAccount keyvault-injector-webhook was recreated at \S+: the API server rejects the tokens of keyvault-injector-webhook-of-before$/,
      damage: async () => {
        await install.apply(pod);
        const made = Date.now();
        await install.deleting("serviceaccount", "keyvault-injector-webhook", "-n", "keyvault-injector");
        // Kubernetes timestamps have a resolution of one second.
        await clockShows(made + 1_000);
        await install.putBack();
      },
      repair: () => install.kubectl("delete", "pod", POD, "-n", "keyvault-injector", "--force", "--grace-period=0"),
    },
  ];
}
