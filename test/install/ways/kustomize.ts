import { renderKustomization } from "../../../tools/render-manifests.ts";
import { driverPatches, type NodePatch, providerPatches, workerAccess, workerPolls } from "../../e2e/node-patches.ts";
import { CA_CONFIG_MAP, INJECTOR_NAMESPACE, injectorReady, nodeSideReady, shareEmulatorCa } from "../../e2e/support/install.ts";
import { type Overlay, writeOverlay } from "../../e2e/support/overlay.ts";
import { controlPlaneBinary } from "../../support/cluster/control-plane.ts";
import { type Manifest, nodeSideHealing, parseManifests } from "../../support/cluster/shipped-manifests.ts";
import type { InstallWorld } from "../support/install-world.ts";
import { prepareUninstall } from "../support/prepare-uninstall.ts";
import { RELEASE } from "../support/released-image.ts";
import { POLL, type Way } from "./way.ts";

/** Installs with `kubectl apply`, client-side, as on the page about installing. */
export interface Kustomize extends Way {
  /** Switches healing of components and of everything else on or off. On at first. */
  setHealing(isOn: boolean): Promise<void>;
  /** All objects as they were last applied. */
  manifests(): Promise<readonly Manifest[]>;
}

const NO_HEALING: NodePatch = {
  target: { kind: "Deployment", name: "keyvault-injector-sync" },
  why: "The control of what healing does.",
  operations: [{ op: "add", path: "/spec/template/spec/containers/0/args/-", value: "--heal=" }],
};

const RELEASED = `releases/${RELEASE.version}`;

/** Upgrades from the previous release to this checkout, with healing of driver and provider. */
export function kustomize(world: InstallWorld): Kustomize {
  const { node, emulator, proxyUrl } = world;
  const access = { proxyUrl, caConfigMap: CA_CONFIG_MAP };
  let poll: string = POLL.installed;
  let heals = true;
  const apply = (overlay: Overlay): Promise<string> => node.kubectl(["apply", "--kustomize", writeOverlay(node, overlay)]);
  const remove = (overlay: Overlay): Promise<string> =>
    node.kubectl(["delete", "--kustomize", writeOverlay(node, overlay), "--ignore-not-found", "--timeout=120s"]);
  const workerPatches = (): readonly NodePatch[] => [workerAccess(access), workerPolls(poll), ...(heals ? [] : [NO_HEALING])];
  const product = (): Overlay => ({
    ...nodeSideHealing("overlays/default"),
    patches: workerPatches(),
    transformers: ["installed-pods"],
  });
  const released = (): Overlay => ({ resources: [`${RELEASED}/keyvault-injector.yaml`], patches: workerPatches() });
  const nodeSide = (): readonly Overlay[] => [
    {
      ...nodeSideHealing("components/csi-driver"),
      patches: driverPatches({ pollInterval: poll }),
      transformers: ["installed-pods/csi-driver"],
    },
    { ...nodeSideHealing("components/azure-provider"), patches: providerPatches(access), transformers: ["installed-pods/azure-provider"] },
  ];
  const definitions = async (resource: string): Promise<void> => {
    await apply({ resources: [resource] });
    await node.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
  };
  const applyNodeSide = async (): Promise<void> => {
    for (const overlay of nodeSide()) await apply(overlay);
    await nodeSideReady(node, "120s");
  };
  const applyProduct = async (): Promise<void> => {
    await apply(product());
    await injectorReady(node);
  };
  return {
    setHealing: async (isOn) => {
      heals = isOn;
      await applyProduct();
    },
    manifests: async () => {
      const overlays = [{ resources: ["crds"] }, product(), ...nodeSide()].map((overlay) => writeOverlay(node, overlay));
      const texts = await Promise.all(overlays.map((folder) => renderKustomization(controlPlaneBinary("kubectl"), folder)));
      return texts.flatMap(parseManifests);
    },
    install: async () => {
      await definitions(`${RELEASED}/crds.yaml`);
      // First, because the worker's pod waits for the emulator's CA in it.
      await node.kubectl(["create", "namespace", INJECTOR_NAMESPACE, "--save-config"]);
      for (const namespace of ["kube-system", INJECTOR_NAMESPACE]) await shareEmulatorCa(node, emulator, namespace);
      await apply(released());
      await injectorReady(node);
      await applyNodeSide();
    },
    change: async () => {
      poll = POLL.changed;
      await applyProduct();
      await applyNodeSide();
    },
    upgrade: async () => {
      await definitions("crds");
      await applyProduct();
    },
    uninstall: async () => {
      await prepareUninstall(world);
      await remove(product());
      for (const overlay of nodeSide().toReversed()) await remove(overlay);
    },
  };
}
