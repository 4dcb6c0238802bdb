import { installDefinitions } from "../../support/cluster/shipped-manifests.ts";
import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

export function crdDamages(install: InstallEdits): readonly Damage[] {
  return [
    {
      what: "a CRD deleted",
      check: "crds",
      state: "FAIL",
      message: /^secretproviderclasspodstatuses\S+ is missing$/,
      damage: () => install.kubectl("delete", "crd", "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io"),
      repair: () => installDefinitions(install.plane, "--force-conflicts"),
    },
    {
      what: "a CRD without a field",
      check: "crds",
      state: "FAIL",
      message: /^secretproviderclasses\S+: version v1 lacks the fields/,
      damage: () =>
        install.kubectl(
          "patch",
          "crd",
          "secretproviderclasses.secrets-store.csi.x-k8s.io",
          "--type=json",
          "-p",
          JSON.stringify([{ op: "remove", path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/secretObjects" }]),
        ),
      repair: () => installDefinitions(install.plane, "--force-conflicts"),
    },
  ];
}
