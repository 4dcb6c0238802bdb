import path from "node:path";
import type { ComponentCopy } from "../../../src/domain/healing/component-copy.ts";
import { componentsOf } from "../../../src/domain/healing/components.ts";
import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { renderKustomization } from "../../../tools/render-manifests.ts";
import { type ControlPlane, controlPlaneBinary, startControlPlane } from "../control-plane.ts";
import { eventually } from "../eventually.ts";
import { kubeAccess } from "../kube-access.ts";
import { freePort, type Product, type ProductProcess, productOn } from "../product.ts";
import { MANIFESTS, type Manifest, parseManifests, renderOverlay } from "../shipped-manifests.ts";
import { listAll } from "../sync-world.ts";
import type { DamagedCluster, Target } from "./cluster.ts";

/** Everything that is shipped, installed by a real installer on a test control plane, and the worker beside it. */
export interface ComponentWorld {
  readonly plane: ControlPlane;
  readonly cluster: DamagedCluster;
  readonly product: Product;
  /** Starts the worker, in place of the one that runs. */
  worker(args: readonly string[]): Promise<ProductProcess>;
  /** Resolves when the worker has a copy of every component that it heals. */
  copiesAreThere(): Promise<void>;
  /** Whether the metrics say that it is damaged and not healed. */
  isReported(target: Target): Promise<boolean>;
  /** Whether the worker's copy of it is what this manager installed. */
  hasCopyBy(target: Target, manager: string): Promise<boolean>;
  /** Writes what looks like a copy of a component, as somebody without the install's key would. */
  plant(kind: string, target: Target, object: object): Promise<void>;
  log(): string;
  stop(): Promise<void>;
}

/** How `kubectl apply` is called by an installer. */
export const SERVER_SIDE = ["apply", "--server-side", "-f", "-"];
export const CLIENT_SIDE = ["apply", "-f", "-"];

const COPIES = "/apis/apps/v1/namespaces/keyvault-injector/controllerrevisions?labelSelector=keyvault-injector.dev%2Fsnapshot%3Dcomponent";

interface StoredCopy extends KubeObject {
  readonly data: ComponentCopy;
}

function copiesOn(plane: ControlPlane): Promise<readonly StoredCopy[]> {
  return listAll(plane, COPIES);
}

function idOf({ resource, namespace, name }: Target): string {
  return `${resource.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

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
  const reinstall = async (manifests: readonly Manifest[]): Promise<void> => {
    const forced = installer.includes("--server-side") ? ["--force-conflicts"] : [];
    await plane.kubectl([...installer, ...forced], JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests }));
  };
  const renew = async (manifests: readonly Manifest[]): Promise<void> => {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
    await plane.kubectl(["delete", "--ignore-not-found", "-f", "-"], list);
    await plane.kubectl(installer, list);
  };
  await apply(crds);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=20s"]);
  await apply(rest);
  const access = kubeAccess(plane.kubeconfigPath);
  const kubectl: DamagedCluster["kubectl"] = (args, input) => plane.kubectl(args, input);
  const cluster: DamagedCluster = { kubectl, kube: access.client, manifests: [...crds, ...rest], apply, reinstall, renew };
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
    isReported: async (target) => {
      const line = `component_damaged{component="${idOf(target)}"`;
      return ((await running?.metrics()) ?? "").split("\n").some((text) => text.includes(line) && text.endsWith(" 1"));
    },
    hasCopyBy: async (target, manager) =>
      (await copiesOn(plane)).some(({ data }) => data.id === idOf(target) && data.owners.some((owner) => owner.manager === manager)),
    plant: async (kind, target, object) => {
      const real = (await copiesOn(plane)).find(({ data }) => data.id === idOf(target));
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
