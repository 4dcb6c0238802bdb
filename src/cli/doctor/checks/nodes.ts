import { CSI_DRIVER } from "../../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES } from "../../../domain/kubernetes.ts";
import { shell } from "../../../domain/shell-words.ts";
import { DRIVER_SYNC_GUIDE } from "../../../domain/sync/take-over.ts";
import { counted } from "../../../domain/words.ts";
import { holdersOfRight, readRbac, serviceAccount } from "../../shared/rbac.ts";
import { MORE_RESOURCES } from "../../shared/resources.ts";
import { imagesOf, type WorkloadObject } from "../../shared/settings-in-force.ts";
import type { ViewResult } from "../../shared/viewer.ts";
import { type Check, type CheckName, type CheckResult, type DoctorContext, on } from "./check.ts";

/** Patterns for images: installers choose the names of workloads, and private registries keep the last part of an image's name. */
export const DRIVER_IMAGE = /secrets-store[^/]*\/driver|secrets-store-csi-driver|secrets-store\/driver/;
export const PROVIDER_IMAGE = /provider-azure/;

async function daemonSets({ viewer }: Pick<DoctorContext, "viewer">, image: RegExp): Promise<ViewResult<readonly WorkloadObject[]>> {
  const reading = await viewer.all<WorkloadObject>(MORE_RESOURCES.daemonSets);
  return reading.kind === "seen" ? { ...reading, value: reading.value.filter((each) => runs(each, image)) } : reading;
}

export function runs(workload: WorkloadObject, image: RegExp): boolean {
  return imagesOf(workload).some((each) => image.test(each));
}

export const checkDriver: Check = async (context) => {
  const registered = await context.viewer.object<KubeObject>(RESOURCES.csiDrivers, { name: CSI_DRIVER });
  const component = "manifests/components/csi-driver";
  const missing = on.driver.fail(`CSIDriver ${CSI_DRIVER} does not exist: no pod with a class starts`, `apply ${component}`);
  const unregistered = registered.kind === "unseen" ? on.driver.skipped(registered) : missing;
  const ready = readiness("driver", await daemonSets(context, DRIVER_IMAGE), component);
  return registered.kind === "seen" ? ready : [unregistered, ...ready];
};

export const checkProvider: Check = async (context) =>
  readiness("provider", await daemonSets(context, PROVIDER_IMAGE), "manifests/components/azure-provider");

function readiness(check: CheckName, reading: ViewResult<readonly WorkloadObject[]>, component: string): readonly CheckResult[] {
  const { fine, warn, fail, skipped } = on[check];
  if (reading.kind !== "seen") return [skipped(reading)];
  if (reading.value.length === 0) return [fail(`no DaemonSet runs the ${check}'s image`, `apply ${component}`)];
  return reading.value.map(({ metadata, status }) => {
    const [wanted, ready] = [status?.desiredNumberScheduled ?? 0, status?.numberReady ?? 0];
    const message = `DaemonSet ${metadata.namespace ?? ""}/${metadata.name}: ${ready} of ${wanted} are ready`;
    if (ready < wanted)
      return fail(
        message,
        shell`see kubectl describe daemonset ${metadata.name} -n ${metadata.namespace ?? ""}, and the events of its pods`,
      );
    return wanted === 0 ? warn(message, "it selects no nodes: pods with a class find no driver") : fine(message);
  });
}

/** Warns if the driver's own sync is on: two writers of the same Secrets fight. The driver's chart grants the permission on request. */
export async function checkDriverSync(context: Pick<DoctorContext, "viewer">): Promise<readonly CheckResult[]> {
  const { fine, warn, notThere, skipped } = on["driver-sync"];
  const reading = await daemonSets(context, DRIVER_IMAGE);
  if (reading.kind !== "seen") return [skipped(reading)];
  if (reading.value.length === 0) return [notThere("no DaemonSet runs the driver's image", "driver")];
  const rbac = await readRbac(context.viewer);
  if (rbac.kind !== "seen") return [skipped(rbac)];
  const writing = reading.value.flatMap(({ metadata: { namespace = "" }, spec }) => {
    const subject = serviceAccount(namespace, spec?.template?.spec?.serviceAccountName ?? "default");
    const holders = holdersOfRight({ verb: "create", group: "", resource: "secrets" }, namespace, rbac.value);
    return holders.filter((holder) => holder.subject === subject);
  });
  const [first] = writing;
  if (first === undefined) return [fine("the driver has no permission to write Secrets")];
  const message = `${first.subject} can write Secrets (${first.by}): the driver's own sync is on`;
  return [warn(message, `follow ${DRIVER_SYNC_GUIDE}`)];
}

interface CsiNode extends KubeObject {
  readonly spec?: { readonly drivers?: readonly { readonly name: string }[] };
}

const SHOWN = 10;

export const checkNodes: Check = async ({ viewer }) => {
  const nodes = await viewer.all<KubeObject>(MORE_RESOURCES.nodes);
  if (nodes.kind !== "seen") return [on.nodes.skipped(nodes)];
  const csiNodes = await viewer.all<CsiNode>(MORE_RESOURCES.csiNodes);
  if (csiNodes.kind !== "seen") return [on.nodes.skipped(csiNodes)];
  const served = new Set(
    csiNodes.value.filter(({ spec }) => spec?.drivers?.some(({ name }) => name === CSI_DRIVER)).map(({ metadata }) => metadata.name),
  );
  const without = nodes.value.map(({ metadata }) => metadata.name).filter((name) => !served.has(name));
  const [all, reached] = [nodes.value.length, nodes.value.length - without.length];
  const count = `${reached} of ${counted(all, "node")} ${all === 1 || reached === 1 ? "has" : "have"} the driver`;
  if (without.length === 0) return [nodes.value.length === 0 ? on.nodes.warn("there are no nodes", "add one") : on.nodes.fine(count)];
  const names = [...without.slice(0, SHOWN), ...(without.length > SHOWN ? ["…"] : [])].join(", ");
  const fix = "pods with a class do not start there: see the driver's DaemonSet, its tolerations and nodeSelector";
  return [on.nodes.warn(`${count}; without it: ${names}`, fix)];
};
