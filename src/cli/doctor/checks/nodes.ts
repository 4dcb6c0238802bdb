import { CSI_DRIVER } from "../../../domain/injection/settings.ts";
import type { KubeObject } from "../../../domain/kubernetes.ts";
import { holdersOf, readRbac, serviceAccount } from "../../shared/rbac.ts";
import { MORE_RESOURCES } from "../../shared/resources.ts";
import { type Check, type CheckName, type CheckResult, type DoctorContext, fail, fine, notThere, skipped, warn } from "./check.ts";

interface DaemonSet extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: { readonly serviceAccountName?: string; readonly containers?: readonly { readonly image?: string }[] };
    };
  };
  readonly status?: { readonly desiredNumberScheduled?: number; readonly numberReady?: number };
}

/** By their images, whatever the installer called them; private registries keep the last part. */
export const DRIVER_IMAGE = /secrets-store[^/]*\/driver|secrets-store-csi-driver|secrets-store\/driver/;
export const PROVIDER_IMAGE = /provider-azure/;

async function daemonSets({ viewer }: DoctorContext, image: RegExp) {
  const look = await viewer.all<DaemonSet>(MORE_RESOURCES.daemonSets);
  if (look.kind !== "seen") return look;
  const found = look.value.filter(({ spec }) =>
    (spec?.template?.spec?.containers ?? []).some((container) => image.test(container.image ?? "")),
  );
  return { kind: "seen" as const, value: found };
}

export const checkDriver: Check = async (context) => {
  const registered = await context.viewer.object<KubeObject>(MORE_RESOURCES.csiDrivers, { name: CSI_DRIVER });
  const look = await daemonSets(context, DRIVER_IMAGE);
  const results: CheckResult[] = [];
  if (registered.kind === "unseen") results.push(skipped("driver", registered));
  else if (registered.kind !== "seen")
    results.push(
      fail("driver", `there is no CSIDriver ${CSI_DRIVER}: no pod with a class starts`, "apply manifests/components/csi-driver"),
    );
  return [
    ...results,
    ...(look.kind === "seen" ? readiness("driver", look.value, "manifests/components/csi-driver") : [skipped("driver", look)]),
  ];
};

export const checkProvider: Check = async (context) => {
  const look = await daemonSets(context, PROVIDER_IMAGE);
  return look.kind === "seen" ? readiness("provider", look.value, "manifests/components/azure-provider") : [skipped("provider", look)];
};

function readiness(check: CheckName, found: readonly DaemonSet[], component: string): readonly CheckResult[] {
  if (found.length === 0) return [fail(check, `no DaemonSet runs the ${check}'s image`, `apply ${component}`)];
  return found.map(({ metadata, status }) => {
    const [wanted, ready] = [status?.desiredNumberScheduled ?? 0, status?.numberReady ?? 0];
    const message = `DaemonSet ${metadata.namespace ?? ""}/${metadata.name}: ${ready} of ${wanted} are ready`;
    if (ready < wanted) return fail(check, message, "see kubectl describe of its pods");
    return wanted === 0 ? warn(check, message, "no node is selected: pods with a class find no driver") : fine(check, message);
  });
}

/** Two writers of the same Secrets fight. The driver writes only with a right that its own chart grants on request. */
export const checkDriverSync: Check = async (context) => {
  const look = await daemonSets(context, DRIVER_IMAGE);
  if (look.kind !== "seen") return [skipped("driver-sync", look)];
  if (look.value.length === 0) return [notThere("driver-sync", "no DaemonSet runs the driver's image", "driver")];
  const rbac = await readRbac(context.viewer);
  if (rbac.kind !== "seen") return [skipped("driver-sync", rbac)];
  const writing = look.value.flatMap(({ metadata: { namespace = "" }, spec }) => {
    const subject = serviceAccount(namespace, spec?.template?.spec?.serviceAccountName ?? "default");
    const holders = holdersOf({ verb: "create", group: "", resource: "secrets" }, namespace, rbac.value);
    return holders.filter((holder) => holder.subject === subject);
  });
  const [first] = writing;
  if (first === undefined) return [fine("driver-sync", "the driver has no right to write Secrets")];
  return [
    warn(
      "driver-sync",
      `${first.subject} may write Secrets (${first.by}): the driver's own sync is on`,
      "turn syncSecret off in the driver's installation and delete that binding",
    ),
  ];
};

interface CsiNode extends KubeObject {
  readonly spec?: { readonly drivers?: readonly { readonly name: string }[] };
}

const SHOWN = 10;

export const checkNodes: Check = async ({ viewer }) => {
  const nodes = await viewer.all<KubeObject>(MORE_RESOURCES.nodes);
  if (nodes.kind !== "seen") return [skipped("nodes", nodes)];
  const csiNodes = await viewer.all<CsiNode>(MORE_RESOURCES.csiNodes);
  if (csiNodes.kind !== "seen") return [skipped("nodes", csiNodes)];
  const served = new Set(
    csiNodes.value.filter(({ spec }) => spec?.drivers?.some(({ name }) => name === CSI_DRIVER)).map(({ metadata }) => metadata.name),
  );
  const without = nodes.value.map(({ metadata }) => metadata.name).filter((name) => !served.has(name));
  const count = `${nodes.value.length - without.length} of ${nodes.value.length} nodes have the driver`;
  if (without.length === 0) return [nodes.value.length === 0 ? warn("nodes", "there are no nodes", "add one") : fine("nodes", count)];
  const names = [...without.slice(0, SHOWN), ...(without.length > SHOWN ? ["…"] : [])].join(", ");
  return [
    warn(
      "nodes",
      `${count}; without it: ${names}`,
      "pods with a class do not start there: see the driver's DaemonSet, its tolerations and nodeSelector",
    ),
  ];
};
