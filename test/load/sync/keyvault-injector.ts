import path from "node:path";
import type { ProductBuild } from "../../support/cluster/built-product.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { shippedArguments, shippedNodeFlags, shippedVariables } from "../../support/cluster/one-machine.ts";
import { freePort, installProduct } from "../../support/cluster/product.ts";
import { folderManifests } from "../../support/cluster/shipped-manifests.ts";
import { classOf, opaque } from "../../support/worker/sync-world.ts";
import { isReady, type Launched, launch } from "../launch.ts";
import type { StartOptions, SyncContestant, Wish } from "./contestant.ts";
import { type BenchObject, OBJECTS_PER_CLASS } from "./vaults.ts";

const NAMESPACE = "keyvault-injector";
const ACCOUNT = "keyvault-injector-sync";
const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1";

export interface OursOptions {
  readonly build: ProductBuild;
  /** Number of leaders, with one process each. The default is 1. */
  readonly shards?: number;
  /** Folder for a CPU profile of each process. */
  readonly profiles: string | undefined;
}

/** Our worker as it is shipped: compiled, with the shipped arguments, under its own ServiceAccount and rights. */
export function keyvaultInjector({ build, profiles, shards = 1 }: OursOptions): SyncContestant {
  const ours = { build, profiles };
  return {
    name: shards === 1 ? build.name : `${build.name}, ${shards} shards`,
    user: `system:serviceaccount:${NAMESPACE}:${ACCOUNT}`,
    install: async (plane) => {
      await installProduct(plane, { manifests: build.manifests });
    },
    wishes: (objects) => inClasses(objects).map(({ namespace, name, members }) => classWish(namespace, name, members)),
    start: (plane, options) => (shards === 1 ? start(plane, { ...ours, ...options }) : startShards(plane, { ...ours, ...options }, shards)),
  };
}

export interface BenchClass {
  readonly namespace: string;
  readonly name: string;
  readonly members: readonly BenchObject[];
}

/** Groups the objects into classes: five consecutive objects form one class. */
export function inClasses(objects: readonly BenchObject[]): readonly BenchClass[] {
  return Array.from({ length: Math.ceil(objects.length / OBJECTS_PER_CLASS) }, (_, index) => {
    const members = objects.slice(index * OBJECTS_PER_CLASS, (index + 1) * OBJECTS_PER_CLASS);
    return { namespace: members[0]?.vault.name ?? "", name: `class-${index}`, members };
  });
}

function classWish(namespace: string, name: string, members: readonly BenchObject[]): Wish {
  const names = members.map((member) => member.name);
  const vault = { vault: namespace, tenantId: members[0]?.vault.tenantId ?? "" };
  const body = classOf(vault, { namespace, name, objects: names, secretObjects: names.map((object) => opaque(object, object)) });
  return { path: `${CLASSES}/namespaces/${namespace}/secretproviderclasses`, body };
}

async function startShards(plane: ControlPlane, options: OursOptions & StartOptions, shards: number): Promise<Launched> {
  const flags = [...(options.flags ?? []), `--shards=${shards}`, "--heal=crds,classes"];
  const [first, ...others] = await Promise.all(Array.from({ length: shards }, () => start(plane, { ...options, flags })));
  if (first === undefined) throw new Error("no shard");
  const all = [first, ...others];
  return {
    ...first,
    pids: all.map(({ pid }) => pid),
    ended: Promise.any(all.map(({ ended }) => ended)),
    stop: async () => Math.max(...(await Promise.all(all.map((each) => each.stop())))),
  };
}

async function start(
  plane: ControlPlane,
  { build, profiles, environment, intervalSeconds, flags = [] }: OursOptions & StartOptions,
): Promise<Launched> {
  const healthPort = await freePort();
  const shipped = await folderManifests(path.join(build.manifests, "overlays/default"));
  const kubeconfig = await plane.kubeconfigFor({ namespace: NAMESPACE, name: ACCOUNT });
  const profiling =
    profiles === undefined
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${profiles}`, "--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${profiles}`];
  const own = ["--bind-address=127.0.0.1", `--health-port=${healthPort}`, `--rotation-poll-interval=${intervalSeconds}s`];
  return launch(plane, {
    name: ACCOUNT,
    command: process.execPath,
    args: [...shippedNodeFlags(shipped, ACCOUNT), ...profiling, build.main, ...shippedArguments(shipped, ACCOUNT), ...own, ...flags],
    environment: {
      ...shippedVariables(shipped, ACCOUNT),
      ...environment,
      KUBECONFIG: kubeconfig,
      POD_NAMESPACE: NAMESPACE,
      POD_NAME: `bench-${healthPort}`,
    },
    isUp: () => isReady(healthPort, "/readyz"),
  });
}
