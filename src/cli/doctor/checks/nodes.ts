import { CSI_DRIVER } from "../../../domain/injection/settings.ts";
import { type KubeObject, RESOURCES } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import { driverPace } from "../../../domain/refresh/driver-pace.ts";
import { shell } from "../../../domain/shell-words.ts";
import { DRIVER_SYNC_GUIDE } from "../../../domain/sync/take-over.ts";
import { counted } from "../../../domain/words.ts";
import { type CsiDriver, driverFacts, type NodePart, type NodeSide, readNodeSide } from "../../shared/node-side.ts";
import { holdersOfRight, readRbac, serviceAccount } from "../../shared/rbac.ts";
import { MORE_RESOURCES } from "../../shared/resources.ts";
import { type ViewResult, valueIn } from "../../shared/viewer.ts";
import { type Check, type CheckResult, type InstallContext, on } from "./check.ts";

/** Commands that install each part, from manifests or with the chart. */
const INSTALL: Readonly<Record<NodePart, string>> = {
  driver:
    "kubectl apply -k manifests/components/csi-driver (csi-driver-before-1.35 on Kubernetes 1.34 and earlier), or set the chart's value secrets-store-csi-driver.install=true",
  provider: "kubectl apply -k manifests/components/azure-provider, or set the chart's value linux.enabled=true",
};

export const checkDriver: Check = async (context) => {
  const registered = await context.viewer.object<CsiDriver>(RESOURCES.csiDrivers, { name: CSI_DRIVER });
  const missing = on.driver.fail(`CSIDriver ${CSI_DRIVER} does not exist: no pod with a class starts`, INSTALL.driver);
  const unregistered = registered.kind === "unseen" ? on.driver.skipped(registered) : missing;
  const reading = await readNodeSide(context.viewer, "driver", context.namespace);
  const found = [...readiness("driver", reading), ...differences(valueIn(reading), valueIn(registered))];
  return registered.kind === "seen" ? found : [unregistered, ...found];
};

/** Warns of drivers with different settings: `refresh` cannot tell then how soon files follow, and one of them may be another user's. */
function differences(drivers: NodeSide | undefined, registered: CsiDriver | undefined): readonly CheckResult[] {
  const facts = driverFacts(drivers?.found ?? [], registered);
  const pace = driverPace(facts);
  if (facts.length < 2 || pace.kind !== "unknown") return [];
  return [on.driver.warn(pace.why, "give them the same version and arguments; remove those that are not the cluster's driver")];
}

export const checkProvider: Check = async ({ viewer, namespace }) =>
  readiness("provider", await readNodeSide(viewer, "provider", namespace));

function readiness(part: NodePart, reading: ViewResult<NodeSide>): readonly CheckResult[] {
  const { fine, warn, fail, skipped } = on[part];
  if (reading.kind !== "seen") return [skipped(reading)];
  const { found, unlike } = reading.value;
  if (found.length === 0) return [fail(`no DaemonSet runs the ${part}'s image${exceptFor(unlike, part)}`, INSTALL[part])];
  return found.map((daemonSet) => {
    const { metadata, status } = daemonSet;
    const [wanted, ready] = [status?.desiredNumberScheduled ?? 0, status?.numberReady ?? 0];
    const message = `DaemonSet ${keyOf(daemonSet)}: ${ready} of ${wanted} are ready`;
    if (ready < wanted)
      return fail(
        message,
        shell`see kubectl describe daemonset ${metadata.name} -n ${metadata.namespace ?? ""}, and the events of its pods`,
      );
    return wanted === 0 ? warn(message, "it selects no nodes: pods with a class find no driver") : fine(message);
  });
}

function exceptFor(unlike: NodeSide["unlike"], part: NodePart): string {
  const [first] = unlike;
  if (first === undefined) return "";
  const more = unlike.length > 1 ? ` and ${unlike.length - 1} more` : "";
  return `, except for ${keyOf(first)}${more}, which ${more === "" ? "mounts" : "mount"} none of the folders that the ${part} needs`;
}

/** Warns if the driver's own sync is on: two writers of the same Secrets fight. The driver's chart grants the permission on request. */
export async function checkDriverSync({ viewer, namespace: install }: InstallContext): Promise<readonly CheckResult[]> {
  const { fine, warn, notThere, skipped } = on["driver-sync"];
  const reading = await readNodeSide(viewer, "driver", install);
  if (reading.kind !== "seen") return [skipped(reading)];
  const { found } = reading.value;
  if (found.length === 0) return [notThere("the cluster has no DaemonSet of the driver", "driver")];
  const rbac = await readRbac(viewer);
  if (rbac.kind !== "seen") return [skipped(rbac)];
  const writing = found.flatMap(({ metadata: { namespace = "" }, spec }) => {
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
