import { readFileSync } from "node:fs";
import { driverPatches, type NodePatch, providerPatches, workerAccess, workerPolls } from "../../e2e/node-patches.ts";
import { CA_CONFIG_MAP } from "../../e2e/support/install.ts";
import type { Flux } from "../../support/cluster/flux.ts";
import { KUSTOMIZATIONS, PRODUCT, productPath, repositoryWith } from "../../support/cluster/flux-install.ts";
import { at, folderManifests, type Manifest } from "../../support/cluster/shipped-manifests.ts";
import { type InstallWorld, NEXT_VERSION, PUBLISHED_IMAGE } from "../support/install-world.ts";
import { POLL, type Way } from "./way.ts";

const NAMESPACE = "flux-system";

/** Kustomizations that apply an overlay in the cluster's own folder. */
const OVERLAYS = {
  "keyvault-injector": { over: "overlays/default", namespace: PRODUCT },
  "keyvault-injector-csi-driver": { over: "components/csi-driver", namespace: undefined },
  "keyvault-injector-azure-provider": { over: "components/azure-provider", namespace: "kube-system" },
} as const;

type OverlayName = keyof typeof OVERLAYS;

/** Installs with the files of `manifests/gitops/flux` and the real kustomize-controller. Every change is a commit. */
export function fluxWay({ node, emulator, proxyUrl }: InstallWorld, flux: Flux): Way {
  const access = { proxyUrl, caConfigMap: CA_CONFIG_MAP };
  const patchesOf = (name: OverlayName, poll: string): readonly NodePatch[] => {
    switch (name) {
      case "keyvault-injector":
        return [workerAccess(access), workerPolls(poll)];
      case "keyvault-injector-csi-driver":
        return driverPatches({ pollInterval: poll });
      case "keyvault-injector-azure-provider":
        return providerPatches(access);
    }
  };
  const commit = (poll: string): Promise<void> => {
    const names = Object.keys(OVERLAYS) as readonly OverlayName[]; // The keys of the constant above.
    const files = names.flatMap((name) => overlayFiles(name, { patches: patchesOf(name, poll), caFile: emulator.caFile }));
    return flux.publish(repositoryWith(Object.fromEntries(files)));
  };
  const reconcile = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const { status, message } = await flux.reconcile(name);
      if (status !== "True") throw new Error(`${name}: ${message}\n${flux.log().slice(-2_000)}`);
    }
  };
  const patch = (name: string, spec: unknown): Promise<string> =>
    node.kubectl(["patch", "kustomization", name, "-n", NAMESPACE, "--type=merge", `-p=${JSON.stringify({ spec })}`]);
  const remove = (name: string): Promise<string> => node.kubectl(["delete", "kustomization", name, "-n", NAMESPACE, "--timeout=180s"]);
  return {
    install: async () => {
      const shipped = await folderManifests("gitops/flux");
      const items = shipped.map(withOwnOverlay);
      await node.kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
      await commit(POLL.installed);
      await reconcile(KUSTOMIZATIONS);
    },
    change: async () => {
      await commit(POLL.changed);
      await reconcile(KUSTOMIZATIONS);
    },
    upgrade: async () => {
      await patch(PRODUCT, { images: [{ name: "keyvault-injector", newName: PUBLISHED_IMAGE, newTag: NEXT_VERSION }] });
      await reconcile([PRODUCT]);
    },
    uninstall: async () => {
      await patch(PRODUCT, { path: `./${productPath("gitops/removal")}` });
      await reconcile([PRODUCT]);
      await remove(PRODUCT);
      await remove("keyvault-injector-azure-provider");
      await remove("keyvault-injector-csi-driver");
      await remove("keyvault-injector-crds");
    },
  };
}

function isOverlayName(name: string): name is OverlayName {
  return Object.hasOwn(OVERLAYS, name);
}

/** Changes the path, the only line that a user with an overlay must change. */
function withOwnOverlay(manifest: Manifest): Manifest {
  const { name } = manifest.metadata;
  if (manifest.kind !== "Kustomization" || !isOverlayName(name)) return manifest;
  return { ...manifest, spec: { ...(at(manifest, "spec") as object), path: `./cluster/${name}` } }; // A shipped manifest.
}

interface OverlayContent {
  readonly patches: readonly NodePatch[];
  readonly caFile: string;
}

function overlayFiles(name: OverlayName, { patches, caFile }: OverlayContent): readonly (readonly [string, string])[] {
  const { over, namespace } = OVERLAYS[name];
  const folder = `cluster/${name}`;
  const certificate = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: CA_CONFIG_MAP, namespace } };
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [`../../${productPath(over)}`, ...(namespace === undefined ? [] : ["emulator.yaml"])],
    patches: patches.map(({ target, operations }) => ({ target, patch: JSON.stringify(operations) })),
  };
  const emulator = JSON.stringify({ ...certificate, data: { "ca.crt": readFileSync(caFile, "utf8") } });
  return [
    [`${folder}/kustomization.yaml`, JSON.stringify(kustomization)],
    ...(namespace === undefined ? [] : [[`${folder}/emulator.yaml`, emulator] as const]),
  ];
}
