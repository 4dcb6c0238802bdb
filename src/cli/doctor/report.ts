import { OWN_DEPLOYMENT, WEBHOOK_DEPLOYMENT } from "../../domain/healing/components.ts";
import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { crdDrift } from "../../domain/healing/crd-drift.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type NodePart, readNodeSide } from "../shared/node-side.ts";
import { MORE_RESOURCES, OWN_LABEL, type PolicyBinding } from "../shared/resources.ts";
import { imagesOf, type SettingsInForce, settingsOf, type WorkloadObject } from "../shared/settings-in-force.ts";
import { listed, type ViewResult, valueIn } from "../shared/viewer.ts";
import type { CheckResult, DoctorContext } from "./checks/check.ts";
import { wantedPolicies } from "./checks/install.ts";
import type { ReportedWalk } from "./class/walk.ts";
import type { MissingRule } from "./missing-permissions.ts";

/** Report of `doctor -o json`, which begins with `report`, `format`, and `version`. `docs/reference/doctor.md` describes it. */
export type InstallReport = InstallFacts & {
  readonly namespace: string;
  readonly findings: readonly CheckResult[];
  /** Walks of classes to their vaults. */
  readonly walks: readonly ReportedWalk[];
  /** Permissions that would allow every check. */
  readonly permissions: readonly MissingRule[];
};

export type InstallFacts = Awaited<ReturnType<typeof readInstalled>>;

/** Reads the objects of the install, without judging them. A list is empty if nothing exists, or if `unseen` gives a reason. */
export async function readInstalled({ viewer, namespace, crds: shipped }: DoctorContext) {
  const unseen = new Set<string>();
  const list = <T>(reading: ViewResult<readonly T[]>): readonly T[] => {
    if (reading.kind === "unseen") unseen.add(reading.why);
    return listed(reading);
  };
  const deployments = list(await viewer.all<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, labelSelector: OWN_LABEL }));
  const nodeSide = async (part: NodePart) => {
    const reading = await readNodeSide(viewer, part, namespace);
    if (reading.kind === "unseen") unseen.add(reading.why);
    return (valueIn(reading)?.found ?? []).map((each) => ofDaemonSet(part, each));
  };
  const bindings = list(await viewer.all<PolicyBinding>(RESOURCES.validatingAdmissionPolicyBindings));
  const policies = list(await viewer.all<KubeObject>(RESOURCES.validatingAdmissionPolicies));
  const statuses = list(await viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs));
  const crds: { readonly name: string; readonly state: string }[] = [];
  for (const ours of shipped) {
    const { name } = ours.metadata;
    const reading = await viewer.object<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name });
    if (reading.kind === "unseen") unseen.add(reading.why);
    else crds.push({ name, state: crdDrift(ours, valueIn(reading)).kind });
  }
  return {
    components: [...deployments.map(ofDeployment), ...(await nodeSide("driver")), ...(await nodeSide("provider"))],
    /** Settings in force, by component. */
    settings: { webhook: settingsIn(deployments, WEBHOOK_DEPLOYMENT), sync: settingsIn(deployments, OWN_DEPLOYMENT) },
    crds,
    policies: Object.keys(await wantedPolicies({ viewer, namespace })).map((name) => ({
      name,
      isPresent: policies.some(({ metadata }) => metadata.name === name),
      actions: bindings.filter(({ spec }) => spec?.policyName === name).flatMap(({ spec }) => spec?.validationActions ?? []),
    })),
    classes: statuses.map(ofStatus),
    unseen: [...unseen],
  };
}

/** Returns no settings for a Deployment that does not exist. */
function settingsIn(deployments: readonly WorkloadObject[], name: string): SettingsInForce {
  const workload = deployments.find(({ metadata }) => metadata.name === name);
  return workload === undefined ? {} : settingsOf(workload);
}

function ofDeployment(workload: WorkloadObject) {
  const { name, namespace = "", labels = {} } = workload.metadata;
  const part = labels["app.kubernetes.io/component"];
  return {
    component: part === "webhook" || part === "sync" ? part : "other",
    kind: "Deployment",
    namespace,
    name,
    images: imagesOf(workload),
    wanted: workload.spec?.replicas ?? 1,
    ready: workload.status?.readyReplicas ?? 0,
  };
}

function ofDaemonSet(component: NodePart, workload: WorkloadObject) {
  const { namespace = "", name } = workload.metadata;
  const { desiredNumberScheduled: wanted = 0, numberReady: ready = 0 } = workload.status ?? {};
  return { component, kind: "DaemonSet", namespace, name, images: imagesOf(workload), wanted, ready };
}

/** `reason` is `Unknown`, and no Secret is counted, if the worker has not written a status. */
function ofStatus({ metadata: { namespace = "", name }, status: stored }: SecretProviderClassSync) {
  const status = readStatus(stored);
  const { syncedSecrets = 0, desiredSecrets = 0, lastSuccessfulCheckTime } = status ?? {};
  const { reason = "Unknown", message = "" } = conditionOf(status, "Synced") ?? {};
  const secretsSynced = status === undefined ? "" : `${syncedSecrets}/${desiredSecrets}`;
  return { namespace, name, reason, message, syncedSecrets, desiredSecrets, secretsSynced, lastSuccessfulCheckTime };
}
