import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { crdDrift } from "../../domain/healing/crd-drift.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { MORE_RESOURCES, OWN_LABEL } from "../shared/resources.ts";
import { imagesOf, type SettingsInForce, settingsOf, type WorkloadObject } from "../shared/settings-in-force.ts";
import { type Look, listed } from "../shared/viewer.ts";
import type { CheckResult, DoctorContext } from "./checks/check.ts";
import { POLICIES } from "./checks/install.ts";
import { DRIVER_IMAGE, PROVIDER_IMAGE } from "./checks/nodes.ts";
import type { ReportedWalk } from "./class/walk.ts";

/** Raised when a field is renamed, removed, or means something else. Fields may be added at any time. */
export const REPORT_FORMAT = 1;

/** `doctor -o json`. `docs/reference/doctor.md` describes it. Lists are empty where nothing is there, or nothing may be seen. */
export interface InstallReport {
  readonly report: "install";
  readonly format: typeof REPORT_FORMAT;
  /** Of this program. */
  readonly version: string;
  readonly namespace: string;
  readonly components: readonly Component[];
  /** What the processes run with, by component. */
  readonly settings: { readonly webhook: SettingsInForce; readonly sync: SettingsInForce };
  readonly crds: readonly { readonly name: string; readonly state: string }[];
  readonly policies: readonly { readonly name: string; readonly isPresent: boolean; readonly actions: readonly string[] }[];
  readonly classes: readonly ReportedClass[];
  readonly findings: readonly CheckResult[];
  /** Classes that were walked to their vault. */
  readonly walks: readonly ReportedWalk[];
  /** Why a list is shorter than it could be. */
  readonly unseen: readonly string[];
}

export interface Component {
  readonly component: "webhook" | "sync" | "driver" | "provider" | "other";
  readonly kind: "Deployment" | "DaemonSet";
  readonly namespace: string;
  readonly name: string;
  readonly images: readonly string[];
  /** Replicas, or nodes. */
  readonly wanted: number;
  readonly ready: number;
}

export interface ReportedClass {
  readonly namespace: string;
  readonly name: string;
  /** Of the status; `Unknown` where the worker has said nothing. */
  readonly reason: string;
  readonly message: string;
  /** How many Secrets are as they should be, of those that the class names; 0 where the worker has said nothing. */
  readonly syncedSecrets: number;
  readonly desiredSecrets: number;
  /** Both in one text, `1/2`; empty where the worker has said nothing. */
  readonly secretsSynced: string;
  readonly lastSuccessfulCheckTime: string | undefined;
}

export type InstallFacts = Pick<InstallReport, "components" | "settings" | "crds" | "policies" | "classes" | "unseen">;

/** What is there, beside the findings on it. */
export async function readInstall(context: DoctorContext): Promise<InstallFacts> {
  const { viewer, namespace } = context;
  const unseen = new Set<string>();
  const list = <T>(look: Look<readonly T[]>): readonly T[] => {
    if (look.kind === "unseen") unseen.add(look.why);
    return listed(look);
  };
  const deployments = list(await viewer.all<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, labelSelector: OWN_LABEL }));
  const daemonSets = list(await viewer.all<WorkloadObject>(MORE_RESOURCES.daemonSets));
  const bindings = list(await viewer.all<Binding>(MORE_RESOURCES.policyBindings));
  const policies = list(await viewer.all<KubeObject>(MORE_RESOURCES.policies));
  const statuses = list(await viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs));
  const named = (name: string): WorkloadObject | undefined => deployments.find(({ metadata }) => metadata.name === name);
  return {
    components: [...deployments.map(ofDeployment), ...daemonSets.flatMap(ofDaemonSet)],
    settings: { webhook: settingsIn(named("keyvault-injector-webhook")), sync: settingsIn(named("keyvault-injector-sync")) },
    crds: await crdStates(context, unseen),
    policies: Object.keys(POLICIES).map((name) => ({
      name,
      isPresent: policies.some(({ metadata }) => metadata.name === name),
      actions: bindings.filter(({ spec }) => spec?.policyName === name).flatMap(({ spec }) => spec?.validationActions ?? []),
    })),
    classes: statuses.map(ofStatus),
    unseen: [...unseen],
  };
}

interface Binding extends KubeObject {
  readonly spec?: { readonly policyName?: string; readonly validationActions?: readonly string[] };
}

/** Nothing is in force of what does not run. */
function settingsIn(workload: WorkloadObject | undefined): SettingsInForce {
  return workload === undefined ? {} : settingsOf(workload);
}

function ofDeployment(workload: WorkloadObject): Component {
  const { name, labels = {} } = workload.metadata;
  const part = labels["app.kubernetes.io/component"];
  return {
    component: part === "webhook" || part === "sync" ? part : "other",
    kind: "Deployment",
    namespace: workload.metadata.namespace ?? "",
    name,
    images: imagesOf(workload),
    wanted: workload.spec?.replicas ?? 1,
    ready: workload.status?.readyReplicas ?? 0,
  };
}

function ofDaemonSet(workload: WorkloadObject): readonly Component[] {
  const images = imagesOf(workload);
  const component = images.some((image) => DRIVER_IMAGE.test(image))
    ? "driver"
    : images.some((image) => PROVIDER_IMAGE.test(image))
      ? "provider"
      : undefined;
  if (component === undefined) return [];
  const { namespace = "", name } = workload.metadata;
  const [wanted, ready] = [workload.status?.desiredNumberScheduled ?? 0, workload.status?.numberReady ?? 0];
  return [{ component, kind: "DaemonSet", namespace, name, images, wanted, ready }];
}

async function crdStates({ viewer, crds }: DoctorContext, unseen: Set<string>): Promise<InstallReport["crds"]> {
  const states: InstallReport["crds"][number][] = [];
  for (const ours of crds) {
    const { name } = ours.metadata;
    const look = await viewer.object<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name });
    if (look.kind === "unseen") unseen.add(look.why);
    else states.push({ name, state: crdDrift(ours, look.kind === "seen" ? look.value : undefined).kind });
  }
  return states;
}

function ofStatus({ metadata, status: stored }: SecretProviderClassSync): ReportedClass {
  const status = readStatus(stored);
  const { syncedSecrets = 0, desiredSecrets = 0 } = status ?? {};
  const synced = conditionOf(status, "Synced");
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    reason: synced?.reason ?? "Unknown",
    message: synced?.message ?? "",
    syncedSecrets,
    desiredSecrets,
    secretsSynced: status === undefined ? "" : `${syncedSecrets}/${desiredSecrets}`,
    lastSuccessfulCheckTime: status?.lastSuccessfulCheckTime,
  };
}
