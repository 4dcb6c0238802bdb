import { NODE_NAMESPACE } from "../../domain/healing/components.ts";
import type { KubeObject } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import type { DriverFacts } from "../../domain/refresh/driver-pace.ts";
import { MORE_RESOURCES } from "./resources.ts";
import { imagesOf, type WorkloadObject } from "./settings-in-force.ts";
import type { Viewer, ViewResult } from "./viewer.ts";

export type NodePart = "driver" | "provider";

interface Marks {
  /** Installers choose the names of workloads, and private registries keep the last part of an image's name. */
  readonly image: RegExp;
  /** Folders of the node. Each platform chooses the folder of its kubelet. */
  readonly folder: RegExp;
}

const MARKS: Readonly<Record<NodePart, Marks>> = {
  driver: {
    image: /secrets-store[^/]*\/driver|secrets-store-csi-driver|secrets-store\/driver/,
    folder: /[\\/](?:plugins[\\/][^\\/]+|pods)[\\/]?$/,
  },
  provider: { image: /provider-azure/, folder: /providers[\\/]?$/ },
};

/** DaemonSets that run an image of the CSI driver or of the Azure provider. */
export interface NodeSide {
  /** Those that count as the cluster's. Several, for example, for Linux and Windows. */
  readonly found: readonly WorkloadObject[];
  /** If none counts: those that only run the image. */
  readonly unlike: readonly WorkloadObject[];
}

/**
 * Finds the cluster's driver or provider. Tenants can create DaemonSets that run an image of any name. Therefore, if one is in `kube-system`
 * or in the namespace of the install, where tenants cannot write, only those there count. Otherwise, those count that mount the folders of
 * the node that the driver or the provider needs. Tenants could still create such a DaemonSet, so callers name each that they go by.
 */
export async function readNodeSide(viewer: Viewer, part: NodePart, install: string): Promise<ViewResult<NodeSide>> {
  const reading = await viewer.all<WorkloadObject>(MORE_RESOURCES.daemonSets);
  if (reading.kind !== "seen") return reading;
  const { image, folder } = MARKS[part];
  const running = reading.value.filter((each) => imagesOf(each).some((its) => image.test(its)));
  const protectedOnes = running.filter(({ metadata }) => [NODE_NAMESPACE, install].includes(metadata.namespace ?? ""));
  const found = protectedOnes.length > 0 ? protectedOnes : running.filter((each) => foldersOf(each).some((path) => folder.test(path)));
  return { kind: "seen", value: { found, unlike: found.length > 0 ? [] : running } };
}

function foldersOf({ spec }: WorkloadObject): readonly string[] {
  return (spec?.template?.spec?.volumes ?? []).flatMap(({ hostPath }) => hostPath?.path ?? []);
}

export interface CsiDriver extends KubeObject {
  readonly spec?: { readonly requiresRepublish?: boolean };
}

/**
 * Returns the facts of the drivers that run on nodes; of all, if none does. Installers bring the driver for Windows even to clusters without
 * Windows nodes. `registered`: the CSIDriver, if the user can see it.
 */
export function driverFacts(drivers: readonly WorkloadObject[], registered: CsiDriver | undefined): readonly DriverFacts[] {
  const requiresRepublish = registered === undefined ? undefined : registered.spec?.requiresRepublish === true;
  const onNodes = drivers.filter(({ status }) => (status?.desiredNumberScheduled ?? 0) > 0);
  return (onNodes.length > 0 ? onNodes : drivers).map((driver) => {
    const isDriver = ({ image = "" }): boolean => MARKS.driver.image.test(image);
    const containers = (driver.spec?.template?.spec?.containers ?? []).filter(isDriver);
    return {
      daemonSet: keyOf(driver),
      images: containers.map(({ image = "" }) => image),
      args: containers.flatMap(({ args = [] }) => args),
      requiresRepublish,
    };
  });
}
