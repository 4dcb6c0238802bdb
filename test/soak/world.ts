import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import type { Additions } from "../../tools/build.ts";
import { INJECTOR_NAMESPACE } from "../e2e/support/install.ts";
import { startWorld, type World } from "../e2e/support/world.ts";
import { Cell } from "../faults/cell.ts";
import { kubeAccess } from "../support/cluster/kube-access.ts";
import { classOf, opaque } from "../support/worker/sync-world.ts";

export const NAMESPACE = "soak";
export const MANAGER = { fieldManager: "soak" };
const CREDENTIALS = "secrets-store-creds";

/** A real node with everything installed, a vault with 50 objects, and one class for every five of them. */
export interface SoakWorld extends World {
  readonly kube: KubeClient;
  readonly cell: Cell;
  readonly signal: AbortSignal;
  /** Writes the currently valid credentials. */
  writeCredentials(): Promise<void>;
  /** Returns a class with some of the vault's objects, each synced to its own Secret. */
  classWith(name: string, objects: readonly string[]): SecretProviderClass;
  /** Returns the names of our pods that are not being deleted. `component` is `webhook` or `sync`. */
  ourPods(component: string): Promise<readonly string[]>;
  /** Returns the worker's pod that holds the Lease. */
  leader(): Promise<string>;
}

export interface SoakOptions {
  /** The control: whether our processes leak. */
  readonly leaks: boolean;
  readonly progress: (line: string) => void;
}

const here = (file: string): string => path.join(import.meta.dirname, file);

/** Replaces the certificate lifetimes with a compressed clock, and adds the leak if requested. The rest of the program is as released. */
function additions({ leaks }: SoakOptions): Additions {
  const lifetimes = {
    name: "compressed-lifetimes",
    setup: (build: Parameters<NonNullable<Additions["plugins"]>[number]["setup"]>[0]) => {
      build.onResolve({ filter: /\/lifetimes\.ts$/ }, () => ({ path: here("certificate-lifetimes.ts") }));
    },
  };
  return { plugins: [lifetimes], inject: leaks ? [here("planted-leak.ts")] : [] };
}

export async function startSoakWorld(options: SoakOptions): Promise<SoakWorld> {
  const dist = path.join(mkdtempSync(path.join(process.env["KEYVAULT_INJECTOR_STATE"] ?? tmpdir(), "soak-")), "dist");
  const world = await startWorld(options.progress, { image: { changed: { dist, additions: additions(options) } } });
  const access = kubeAccess(world.node.kubeconfigPath);
  const stop = async (): Promise<void> => {
    await access.config.close();
    await world.stop();
  };
  try {
    const { signal } = new AbortController();
    const cell = new Cell(world.emulator, { namespace: NAMESPACE, mayList: true });
    await cell.fill();
    const kube = access.client;
    const soak: SoakWorld = {
      ...world,
      kube,
      cell,
      signal,
      stop,
      writeCredentials: async () => {
        const body = {
          apiVersion: "v1",
          kind: "Secret",
          metadata: { namespace: NAMESPACE, name: CREDENTIALS, labels: { "secrets-store.csi.k8s.io/used": "true" } },
          stringData: cell.credentials,
        };
        await kube.apply(RESOURCES.secrets, body, { ...MANAGER, force: true }, signal);
      },
      classWith: (name, objects) => {
        const secretObjects = objects.map((object) => opaque(`${name}-${object}`, object));
        return classOf(cell, { namespace: NAMESPACE, name, objects, secretObjects });
      },
      ourPods: async (component) => {
        const ours = { namespace: INJECTOR_NAMESPACE, labelSelector: `app.kubernetes.io/component=${component}` };
        const pods = await kube.list(RESOURCES.pods, ours, signal);
        return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name);
      },
      leader: async () => {
        const lease = [
          "get",
          "lease",
          "keyvault-injector-sync",
          `--namespace=${INJECTOR_NAMESPACE}`,
          "--output=jsonpath={.spec.holderIdentity}",
        ];
        // The lease holder consists of the pod's name and a random id.
        return (await world.node.kubectl(lease)).split("_")[0] ?? "";
      },
    };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
    await kube.create(RESOURCES.namespaces, namespace, MANAGER, signal);
    await soak.writeCredentials();
    for (const provider of cell.classes()) await kube.create(RESOURCES.secretProviderClasses, provider, MANAGER, signal);
    return soak;
  } catch (error) {
    await stop();
    throw error;
  }
}
