import { IMAGE } from "../../../tools/image-files.ts";
import { VERSION } from "../../../tools/repository-files.ts";
import { bringInEmulator } from "../../e2e/support/install.ts";
import { startWorld, type World } from "../../e2e/support/world.ts";
import { type KubeAccess, kubeAccess } from "../../support/cluster/kube-access.ts";
import { releasedImage } from "./released-image.ts";

/** A node with nothing installed on it yet, and the images to install from. */
export interface InstallWorld extends World {
  /** Of the emulator's proxy as pods see it. */
  readonly proxyUrl: string;
  /** Of an administrator. */
  readonly access: KubeAccess;
}

/** The next version: there is no newer code than this checkout's, so it is the same under another name. */
export const NEXT_VERSION = VERSION.replace(/\d+$/, (patch) => `${Number(patch) + 1}`);

/** As `manifests/gitops` names our image. */
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
