import type { ComponentCopy } from "../../../src/domain/healing/component-copy.ts";
import { componentsOf } from "../../../src/domain/healing/components.ts";
import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from "../cluster/control-plane.ts";
import { kubeAccess } from "../cluster/kube-access.ts";
import { freePort, type ProductProcess, productOn } from "../cluster/product.ts";
import { folderManifests, healingManifests, installDefinitions, type Manifest } from "../cluster/shipped-manifests.ts";
import { eventually } from "../time/eventually.ts";
import { listAll } from "../worker/sync-world.ts";
import { componentId, type DamagedCluster, isDamagedIn, type Target } from "./cluster.ts";

/** All shipped objects, installed by a real installer on a test control plane, with a worker. */
export interface ComponentWorld {
  readonly plane: ControlPlane;
  readonly cluster: DamagedCluster;
  /** Starts the worker instead of the running one. */
  worker(args: readonly string[]): Promise<ProductProcess>;
  /** Resolves when a copy of every component that the worker heals exists. */
  copiesAreThere(): Promise<void>;
  /** Whether the metrics report the component as damaged and not healed. */
  isReported(target: Target): Promise<boolean>;
  /** Whether the worker's copy of the component was installed by this manager. */
  hasCopyBy(target: Target, manager: string): Promise<boolean>;
  /** Writes an object that resembles a component's copy, like a user without the install's key. */
  plant(kind: string, target: Target, object: object): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

const APPLY = ["apply", "--server-side", "-f", "-"];

const COPIES = "/apis/apps/v1/namespaces/keyvault-injector/controllerrevisions?labelSelector=keyvault-injector.dev%2Fsnapshot%3Dcomponent";

interface StoredCopy extends KubeObject {
  readonly data: ComponentCopy;
}

function copiesOn(plane: ControlPlane): Promise<readonly StoredCopy[]> {
  return listAll(plane, COPIES);
}

export async function installComponents(options: ControlPlaneOptions = {}): Promise<ComponentWorld> {
  const plane = await startControlPlane(options);
  try {
    return await installOn(plane);
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

const listOf = (items: readonly Manifest[]): string => JSON.stringify({ apiVersion: "v1", kind: "List", items });

async function installOn(plane: ControlPlane): Promise<ComponentWorld> {
  const crds = await folderManifests("crds");
  const rest = await healingManifests("overlays/default", "components/csi-driver", "components/azure-provider");
  const apply = async (manifests: readonly Manifest[]): Promise<void> => {
    await plane.kubectl(APPLY, listOf(manifests));
  };
  const reinstall = async (manifests: readonly Manifest[]): Promise<void> => {
    await plane.kubectl([...APPLY, "--force-conflicts"], listOf(manifests));
  };
  const renew = async (manifests: readonly Manifest[]): Promise<void> => {
    await plane.kubectl(["delete", "--ignore-not-found", "-f", "-"], listOf(manifests));
    await apply(manifests);
  };
  await installDefinitions(plane);
  await apply(rest);
  const access = kubeAccess(plane.kubeconfigPath);
  const kubectl: DamagedCluster["kubectl"] = (args, input) => plane.kubectl(args, input);
  const cluster: DamagedCluster = { kubectl, kube: access.client, manifests: [...crds, ...rest], apply, reinstall, renew };
  const product = productOn(plane, { shipped: rest, admissionPort: await freePort() });
  let running: ProductProcess | undefined;
  return {
    plane,
    cluster,
    worker: async (args) => {
      await running?.stop(15_000);
      running = await product.start("sync", { args: ["--heal-node-side=true", ...args] });
      return running;
    },
    copiesAreThere: async () => {
      const ids = new Set(componentsOf(product.namespace).map(({ id }) => id));
      const installed = rest.flatMap(({ kind, metadata }) => {
        const id = `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
        return ids.has(id) ? [id] : [];
      });
      await eventually(async () => (await listAll(plane, COPIES)).length === installed.length + crds.length, {
        // A worker whose ServiceAccount was deleted cannot release the lease, so that the next worker waits for the whole lease, 15 s.
        within: 60_000,
        what: `copies of ${installed.length + crds.length} objects`,
      });
    },
    isReported: async (target) => isDamagedIn((await running?.metrics()) ?? "", target),
    hasCopyBy: async (target, manager) =>
      (await copiesOn(plane)).some(({ data }) => data.id === componentId(target) && data.owners.some((owner) => owner.manager === manager)),
    plant: async (kind, target, object) => {
      const real = (await copiesOn(plane)).find(({ data }) => data.id === componentId(target));
      const forged = {
        apiVersion: "apps/v1",
        kind: "ControllerRevision",
        metadata: {
          namespace: product.namespace,
          name: `forged-${kind.toLowerCase()}`,
          labels: real?.metadata.labels,
          annotations: real?.metadata.annotations,
        },
        revision: 1,
        data: { ...real?.data, object: { ...real?.data.object, ...object } },
      };
      await plane.kubectl(["create", "-f", "-"], JSON.stringify(forged));
    },
    log: () => running?.log() ?? "",
    stop: async () => {
      await product.stop();
      await access.config.close();
      await plane.stop();
    },
  };
}
