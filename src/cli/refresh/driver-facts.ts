import { CSI_DRIVER } from "../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { DriverFacts } from "../../domain/refresh/driver-pace.ts";
import { DRIVER_IMAGE, runs } from "../doctor/checks/nodes.ts";
import { MORE_RESOURCES } from "../shared/resources.ts";
import { imagesOf, type WorkloadObject } from "../shared/settings-in-force.ts";
import { type Viewer, valueIn } from "../shared/viewer.ts";

interface CsiDriver extends KubeObject {
  readonly spec?: { readonly requiresRepublish?: boolean };
}

/** Undefined where the user may not see DaemonSets. A cluster with several of the driver (Linux, Windows) is taken to have one version. */
export async function driverFacts(viewer: Viewer): Promise<DriverFacts | undefined> {
  const look = await viewer.all<WorkloadObject>(MORE_RESOURCES.daemonSets);
  if (look.kind !== "seen") return undefined;
  const [daemonSet] = look.value.filter((each) => runs(each, DRIVER_IMAGE));
  const registered = await viewer.object<CsiDriver>(RESOURCES.csiDrivers, { name: CSI_DRIVER });
  const requiresRepublish = registered.kind === "seen" ? valueIn(registered)?.spec?.requiresRepublish === true : undefined;
  if (daemonSet === undefined) return { images: [], args: [], requiresRepublish };
  const containers = (daemonSet.spec?.template?.spec?.containers ?? []).filter(({ image = "" }) => DRIVER_IMAGE.test(image));
  return {
    images: imagesOf(daemonSet).filter((image) => DRIVER_IMAGE.test(image)),
    args: containers.flatMap(({ args = [] }) => args),
    requiresRepublish,
  };
}
