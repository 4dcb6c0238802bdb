import { IMAGE } from "../../../tools/image-files.ts";
import { VERSION } from "../../../tools/repository-files.ts";
import { bringInEmulator } from "../../e2e/support/install.ts";
import { startWorld, type World } from "../../e2e/support/world.ts";
import { type KubeAccess, kubeAccess } from "../../support/cluster/kube-access.ts";
import { releasedImage } from "./released-image.ts";

/** A node without an install, and the images for installs. */
export interface InstallWorld extends World {
  /** Address of the emulator's proxy for pods. */
  readonly proxyUrl: string;
  /** Access as an administrator. */
  readonly access: KubeAccess;
}

/** The next version. No newer code exists, so that it is this checkout's code with another version. */
export const NEXT_VERSION = VERSION.replace(/\d+$/, (patch) => `${Number(patch) + 1}`);

/** Name of our image in `manifests/gitops`. */
export const PUBLISHED_IMAGE = "registry.example.com/platform/keyvault-injector";

export async function startInstallWorld(progress: (line: string) => void): Promise<InstallWorld> {
  let proxyUrl = "";
  const world = await startWorld(progress, {
    image: { names: [`${IMAGE.name}:${NEXT_VERSION}`, `${PUBLISHED_IMAGE}:${VERSION}`, `${PUBLISHED_IMAGE}:${NEXT_VERSION}`] },
    install: async (node, emulator) => {
      proxyUrl = await bringInEmulator(node, emulator);
      await node.addImage(releasedImage());
    },
  });
  const access = kubeAccess(world.node.kubeconfigPath);
  const stop = async (): Promise<void> => {
    await access.config.close();
    await world.stop();
  };
  return { ...world, proxyUrl, access, stop };
}
