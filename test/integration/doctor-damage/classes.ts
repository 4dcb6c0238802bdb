import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

export function classDamages(install: InstallEdits): readonly Damage[] {
  return [
    {
      what: "a class that fails",
      check: "classes",
      state: "WARN",
      message: /^probes\/failing is Forbidden: not granted$/,
      damage: async () => {
        await install.apply({
          apiVersion: "keyvault-injector.dev/v1alpha1",
          kind: "SecretProviderClassSync",
          metadata: { name: "failing", namespace: install.probe },
        });
        const condition = {
          type: "Synced",
          status: "False",
          reason: "Forbidden",
          message: "not granted",
          observedGeneration: 1,
          lastTransitionTime: "2026-01-01T00:00:00Z",
        };
        const status = { observedGeneration: 1, conditions: [condition], secretsSynced: "0/1", secrets: [] };
        await install.kubectl(
          "patch",
          "spcsync",
          "failing",
          "-n",
          install.probe,
          "--subresource=status",
          "--type=merge",
          "-p",
          JSON.stringify({ status }),
        );
      },
      repair: () => install.kubectl("delete", "spcsync", "failing", "-n", install.probe),
    },
  ];
}
