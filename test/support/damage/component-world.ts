import path from "node:path";
import { componentsOf } from "../../../src/domain/healing/components.ts";
import { renderKustomization } from "../../../tools/render-manifests.ts";
import { type ControlPlane, controlPlaneBinary, startControlPlane } from "../control-plane.ts";
import { eventually } from "../eventually.ts";
import { kubeAccess } from "../kube-access.ts";
import { freePort, type Product, type ProductProcess, productOn } from "../product.ts";
import { MANIFESTS, type Manifest, parseManifests, renderOverlay } from "../shipped-manifests.ts";
import { listAll } from "../sync-world.ts";
import type { DamagedCluster } from "./cluster.ts";

/** Everything that is shipped, installed by a real installer on a test control plane, and the worker beside it. */
export interface ComponentWorld {
  readonly plane: ControlPlane;
  readonly cluster: DamagedCluster;
  readonly product: Product;
  /** Starts the worker, in place of the one that runs. */
  worker(args: readonly string[]): Promise<ProductProcess>;
  /** Resolves when the worker has a copy of every component that it heals. */
  copiesAreThere(): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** How `kubectl apply` is called by an installer. */
export const SERVER_SIDE = ["apply", "--server-side", "-f", "-"];
export const CLIENT_SIDE = ["apply", "-f", "-"];

const COPIES = "/apis/apps/v1/namespaces/keyvault-injector/controllerrevisions?labelSelector=keyvault-injector.dev%2Fsnapshot%3Dcomponent";

export async function shippedParts(): Promise<{ readonly crds: readonly Manifest[]; readonly rest: readonly Manifest[] }> {
  const render = async (folder: string): Promise<readonly Manifest[]> =>
    parseManifests(await renderKustomization(controlPlaneBinary("kubectl"), path.join(MANIFESTS, folder)));
  const [crds, driver, provider] = await Promise.all(["crds", "components/csi-driver", "components/azure-provider"].map(render));
  const overlay = parseManifests(await renderOverlay("default"));
  return { crds: crds ?? [], rest: [...overlay, ...(driver ?? []), ...(provider ?? [])] };
}

export async function installComponents(installer: readonly string[] = SERVER_SIDE): Promise<ComponentWorld> {
  const plane = await startControlPlane();
  try {
    return await installOn(plane, installer);
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

async function installOn(plane: ControlPlane, installer: readonly string[]): Promise<ComponentWorld> {
  const { crds, rest } = await shippedParts();
  const apply = async (manifests: readonly Manifest[]): Promise<void> => {
    await plane.kubectl(installer, JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }));
  };
  await apply(crds);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
  await apply(rest);
  const access = kubeAccess(plane.kubeconfigPath);
  const kubectl: DamagedCluster["kubectl"] = (args, input) => plane.kubectl(args, input);
  const cluster: DamagedCluster = { kubectl, kube: access.client, manifests: [...crds, ...rest], apply };
  const product = productOn(plane, { shipped: rest, admissionPort: await freePort() });
  let running: ProductProcess | undefined;
  return {
    plane,
    cluster,
    product,
    worker: async (args) => {
      await running?.stop(15_000);
      running = await product.start("sync", { args });
      return running;
    },
    copiesAreThere: async () => {
      const ids = new Set(componentsOf(product.namespace).map(({ id }) => id));
      const installed = rest.flatMap(({ kind, metadata }) => {
        const id = `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
        return ids.has(id) ? [id] : [];
      });
      await eventually(async () => (await listAll(plane, COPIES)).length === installed.length + crds.length, {
        what: `copies of ${installed.length + crds.length} objects`,
      });
    },
    log: () => running?.log() ?? "",
    stop: async () => {
      await product.stop();
      await access.config.close();
      await plane.stop();
    },
  };
}
