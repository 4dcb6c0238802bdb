import { SNAPSHOT_LABEL } from "../../../src/domain/annotations.ts";
import { copyOf } from "../../../src/domain/healing/component-copy.ts";
import { componentsOf } from "../../../src/domain/healing/components.ts";
import { COMPONENT_COPY_LABEL } from "../../../src/sync/healing/component-copies.ts";
import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

const SERVICE = ["service", "keyvault-injector-webhook", "-n", "keyvault-injector"];
const COPY = "keyvault-injector-component-of-a-test";

/** Writes the copy that the worker keeps if it heals components. */
async function keepCopy(install: InstallEdits): Promise<void> {
  const component = componentsOf("keyvault-injector").find(({ id }) => id === "Service keyvault-injector/keyvault-injector-webhook");
  const live = JSON.parse(await install.kubectl("get", ...SERVICE, "-o", "json", "--show-managed-fields"));
  if (component === undefined) throw new Error("there is no such component");
  await install.apply({
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: { name: COPY, namespace: "keyvault-injector", labels: { [SNAPSHOT_LABEL]: COMPONENT_COPY_LABEL } },
    revision: 1,
    data: copyOf(component, live),
  });
}

/** Damages of parts of the install that no other check covers. */
export function componentDamages(install: InstallEdits): readonly Damage[] {
  const publish = (isPublished: boolean | null): Promise<string> =>
    install.kubectl("patch", ...SERVICE, "--type=merge", "-p", JSON.stringify({ spec: { publishNotReadyAddresses: isPublished } }));
  return [
    {
      what: "a field added to the Service",
      check: "components",
      state: "WARN",
      message: /^Service keyvault-injector\/keyvault-injector-webhook was edited: spec\.publishNotReadyAddresses, last by kubectl-patch$/,
      damage: async () => {
        await keepCopy(install);
        await publish(true);
      },
      repair: () => publish(null),
    },
  ];
}
