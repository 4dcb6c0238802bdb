import { WEBHOOK_CONFIGURATION } from "../../../domain/certificates/names.ts";
import { OWN_DEPLOYMENT, WEBHOOK_DEPLOYMENT, WEBHOOK_POLICIES } from "../../../domain/healing/components.ts";
import { isMarked } from "../../../domain/healing/uninstall-marker.ts";
import { CSI_DRIVER } from "../../../domain/injection/settings.ts";
import { type KubeObject, type Lease, type ObjectRef, RESOURCES } from "../../../domain/kubernetes.ts";
import { KubeError } from "../../../domain/ports/kube-error.ts";
import { type Shard, shardLease } from "../../../domain/shards.ts";
import { shell } from "../../../domain/shell-words.ts";
import { wordsOf } from "../../../domain/words.ts";
import { installPlaces, namespacesOf, readWorkerBindings, type WorkerBinding } from "../../shared/absence.ts";
import type { ActingClient } from "../../shared/command.ts";
import { injectionModeOf } from "../../shared/injection-mode.ts";
import { readNodeSide } from "../../shared/node-side.ts";
import { MORE_RESOURCES, OWN_LABEL } from "../../shared/resources.ts";
import {
  readWorkerSettings,
  settingProblems,
  settingsOf,
  type WorkloadObject,
  workerSettingsInForce,
} from "../../shared/settings-in-force.ts";
import { listed, type ViewResult, valueIn } from "../../shared/viewer.ts";
import { type Check, type CheckResult, type InstallContext, on } from "./check.ts";

interface SelfSubjectReview extends KubeObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

/** Returns the user name that the API server sees; throws a `KubeError` if the API server refuses the request. */
export async function whoAmI({ kube }: Pick<ActingClient, "kube">, signal: AbortSignal): Promise<string | undefined> {
  const body: SelfSubjectReview = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview", metadata: { name: "" } };
  const { status } = await kube.create<SelfSubjectReview>(MORE_RESOURCES.selfSubjectReviews, body, { fieldManager: "doctor" }, signal);
  return status?.userInfo?.username;
}

/** Reports the user name that the API server sees. If the API server does not answer at all, the command fails before any finding. */
export const checkApi: Check = async ({ cluster, signal }) => {
  try {
    return [on.api.fine(`the API server answers and identifies you as ${(await whoAmI(cluster, signal)) ?? "a user without a name"}`)];
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return [on.api.unanswered("ask who you are", error, "ask for the role system:basic-user, which all users have by default")];
  }
};

/** Checks that there is only one install: two workers would write the same Secrets, and two webhooks would share one configuration. */
export const checkInstances: Check = async ({ viewer, namespace }) => {
  const reading = await viewer.all<WorkloadObject>(MORE_RESOURCES.deployments, { labelSelector: OWN_LABEL });
  if (reading.kind !== "seen") return [on.instances.skipped(reading)];
  const found = namespacesOf(reading.value);
  const others = found.filter((name) => name !== namespace);
  const bindings = await readWorkerBindings(viewer);
  const bound = strayBindings(listed(bindings), namespace);
  const { fine, warn, fail, notThere } = on.instances;
  if (found.length === 0 && bound.length === 0) return [notThere("no Deployment of an instance exists", "deployments")];
  if (others.length === 0 && bound.length === 0) return [fine(`one instance, in namespace ${namespace}`)];
  if (found.length > 0 && !found.includes(namespace)) {
    const [other] = (await installPlaces(viewer)).filter((name) => name !== namespace);
    if (other === undefined) return [notThere(`no Deployment of an instance exists in ${namespace}`, "deployments"), ...bound];
    return [fail(`there is an instance in ${other}, but none in ${namespace}`, `name it with --install-namespace ${other}`)];
  }
  const seconds = others.map((name) => {
    // Tenants can create such a Deployment, but no ClusterRoleBinding.
    if (!mayBeInstall(name, bindings)) {
      return warn(
        `namespace ${name} has a Deployment with the label of an instance; ${UNBOUND}, so a worker there cannot write Secrets of other namespaces`,
        `remove the Deployment or its label: ${shell`kubectl get deployments -n ${name} -l ${OWN_LABEL}`}`,
      );
    }
    const message = `there is a second instance in namespace ${name}: both write the same Secrets`;
    return fail(message, `remove one of the two: ${namespace} or ${name}`);
  });
  return [...seconds, ...bound];
};

const UNBOUND = "no ClusterRoleBinding of the worker names that namespace";

/** Whether a Deployment in the namespace can be an install's: a binding names the namespace, or the user may not read bindings. */
function mayBeInstall(namespace: string, bindings: ViewResult<readonly WorkerBinding[]>): boolean {
  return bindings.kind !== "seen" || bindings.value.some((bound) => bound.namespace === namespace);
}

/** Reports a ClusterRoleBinding of another install. Cluster-wide names are shared, so a second install takes them from the first. */
function strayBindings(bindings: readonly WorkerBinding[], namespace: string): readonly CheckResult[] {
  const elsewhere = bindings.filter((binding) => binding.namespace !== namespace);
  return elsewhere.map((other) =>
    on.instances.fail(
      `ClusterRoleBinding ${other.binding} binds the worker of namespace ${other.namespace}, not of ${namespace}`,
      `apply the manifests of namespace ${namespace} again, or name ${other.namespace} with --install-namespace`,
    ),
  );
}

/**
 * Reports a missing install once, instead of each missing part. CRDs do not prove an install: other installs bring those of the driver, and
 * the project's own remain after an uninstall.
 */
export async function checkInstalled(context: InstallContext): Promise<readonly CheckResult[]> {
  const { viewer } = context;
  const configuration = await viewer.object<KubeObject>(RESOURCES.mutatingWebhookConfigurations, { name: WEBHOOK_CONFIGURATION });
  const deployments = await viewer.all<KubeObject>(MORE_RESOURCES.deployments, { labelSelector: OWN_LABEL });
  const policies = await viewer.all<KubeObject>(RESOURCES.validatingAdmissionPolicies);
  const labelled = namespacesOf(listed(deployments));
  const bindings = await readWorkerBindings(viewer);
  const isThere =
    configuration.kind === "seen" ||
    labelled.some((namespace) => mayBeInstall(namespace, bindings)) ||
    listed(policies).some(({ metadata }) => Object.hasOwn(POLICIES, metadata.name));
  if (isThere && (await isBeingRemoved(context)))
    return [on.install.warn(MARKED, "finish the uninstall, or run keyvault-injector uninstall --undo")];
  if (isThere) return [on.install.fine("keyvault-injector is installed in this cluster")];
  const unseen = [configuration, deployments, policies].find((reading) => reading.kind === "unseen");
  if (unseen !== undefined) return [on.install.skipped(unseen)];
  return [on.install.fail(notInstalled(labelled), await installAdvice(context))];
}

/** `labelled`: namespaces with a Deployment that has the label of an install. */
function notInstalled([labelled]: readonly string[]): string {
  const message = "keyvault-injector is not installed in this cluster";
  if (labelled === undefined) return message;
  return `${message}; namespace ${labelled} has a Deployment with the label of an install, but ${UNBOUND}`;
}

const MARKED = "marked for removal by uninstall --prepare: the worker heals nothing, and no policy rejects pods without their volume";

/** Whether `uninstall --prepare` has marked the install for removal. Missing parts are then intended, so no one should restore them. */
export async function isBeingRemoved({ viewer, namespace }: InstallContext): Promise<boolean> {
  const install = await viewer.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  const worker = await viewer.object<KubeObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
  return install.kind === "seen" && isMarked(install.value, valueIn(worker));
}

/** Whether the check `install` found an install, or could not determine it. */
export function isInstalled(findings: readonly CheckResult[]): boolean {
  return !findings.some(({ check, state }) => check === "install" && state === "FAIL");
}

async function installAdvice({ viewer, namespace }: InstallContext): Promise<string> {
  const driver = await viewer.object<KubeObject>(RESOURCES.csiDrivers, { name: CSI_DRIVER });
  const provider = valueIn(await readNodeSide(viewer, "provider", namespace));
  const command = [
    shell`helm install akvsecretsprovider manifests/helm/keyvault-injector --namespace ${namespace} --create-namespace`,
    "--set image.repository=REGISTRY/keyvault-injector",
    // Omits parts that the cluster already has.
    ...(driver.kind === "seen" ? ["--set secrets-store-csi-driver.install=false"] : []),
    ...((provider?.found ?? []).length > 0 ? ["--set linux.enabled=false"] : []),
  ];
  const plan =
    driver.kind === "seen"
      ? "; before that, run keyvault-injector doctor plan to see what the worker would do with the existing classes"
      : "";
  return `${command.join(" ")} (from a checkout; https://keyvault-injector.dev/docs/how-to/install.md explains how to build the image, and how to install with kubectl)${plan}`;
}

/** Shipped policies, with the weakest action that each binding needs. Without them, a part of the install could do more than its job. */
export const POLICIES: Readonly<Record<string, "Deny" | "Warn">> = {
  "keyvault-injector-namespace-consents": "Deny",
  "keyvault-injector-one-instance": "Deny",
  "keyvault-injector-pod-volume": "Deny",
  "keyvault-injector-sync-classes": "Deny",
  "keyvault-injector-sync-components": "Deny",
  "keyvault-injector-sync-definitions": "Deny",
  "keyvault-injector-sync-gateways": "Deny",
  "keyvault-injector-sync-pods": "Deny",
  "keyvault-injector-sync-secrets": "Deny",
  "keyvault-injector-sync-snapshots": "Deny",
  "keyvault-injector-sync-tokens": "Deny",
  "keyvault-injector-sync-webhooks": "Deny",
  "keyvault-injector-sync-workloads": "Deny",
  "keyvault-injector-webhook-configuration": "Deny",
  "keyvault-injector-webhook-secrets": "Deny",
  "keyvault-injector-class-identities": "Deny",
  "keyvault-injector-class-authors": "Warn",
};

/** Policies of the component gateway-tls. */
export const GATEWAY_POLICIES: typeof POLICIES = {
  "keyvault-injector-gateway-identities": "Deny",
  "keyvault-injector-gateway-authors": "Warn",
};

/** Returns the policies that the install needs. If the user may not read the worker's settings, the defaults count, which need no more. */
export async function wantedPolicies({ viewer, namespace }: InstallContext): Promise<typeof POLICIES> {
  const settings = await workerSettingsInForce(viewer, namespace);
  const hasGateways = GATEWAY_SETTINGS.some((setting) => wordsOf(settings[setting]).length > 0);
  const { kind } = await injectionModeOf(viewer);
  const isWanted = ([name]: readonly [string, unknown]): boolean => kind !== "policy" || !WEBHOOK_POLICIES.includes(name);
  return {
    ...Object.fromEntries(Object.entries(POLICIES).filter(isWanted)),
    ...(kind === "policy" ? { "keyvault-injector-sync-no-webhook": "Deny" as const } : {}),
    ...(hasGateways ? GATEWAY_POLICIES : {}),
  };
}

const GATEWAY_SETTINGS = ["gateway-classes", "ingress-classes"] as const;

export const checkDeployments: Check = async ({ viewer, namespace }) => {
  const results: CheckResult[] = [];
  const { kind } = await injectionModeOf(viewer);
  for (const name of kind === "policy" ? [OWN_DEPLOYMENT] : [WEBHOOK_DEPLOYMENT, OWN_DEPLOYMENT]) {
    const reading = await viewer.object<WorkloadObject>(MORE_RESOURCES.deployments, { namespace, name });
    const refused = settingProblems(valueIn(reading)).map((problem) =>
      on.deployments.fail(`${name} does not start with its settings: ${problem}`, CORRECT_SETTING),
    );
    results.push(...refused, deploymentResult({ namespace, name }, reading));
    if (name === OWN_DEPLOYMENT && reading.kind === "seen") results.push(...tooFewForShards(reading.value));
  }
  return results;
};

/** Reports a worker with fewer replicas than shards: each pod leads only one shard. */
function tooFewForShards(worker: WorkloadObject): readonly CheckResult[] {
  const [replicas, shards] = [worker.spec?.replicas ?? 1, Number(settingsOf(worker).shards)];
  if (shards === 1 || !(replicas < shards)) return [];
  const message = `${OWN_DEPLOYMENT} has ${replicas} replicas for ${shards} shards: the namespaces of ${shards - replicas} shards have no worker`;
  return [on.deployments.fail(message, `set ${shards + 1} replicas, one of them on standby, or fewer shards`)];
}

const CORRECT_SETTING =
  "correct the Deployment's argument or the chart's value; an argument that this command does not know may belong to another version";

function deploymentResult({ namespace, name }: Required<ObjectRef>, reading: ViewResult<WorkloadObject>): CheckResult {
  const { fine, warn, fail, skipped } = on.deployments;
  if (reading.kind === "unseen") return skipped(reading);
  if (reading.kind !== "seen")
    return fail(`${namespace}/${name} is missing`, "apply the manifests, or name the install's namespace with --install-namespace");
  const [wanted, ready] = [reading.value.spec?.replicas ?? 1, reading.value.status?.readyReplicas ?? 0];
  if (wanted === 0) {
    const restore = shell`kubectl scale deployment ${name} -n ${namespace} --replicas=${SHIPPED_REPLICAS}`;
    return fail(`${name} is scaled to zero replicas`, `restore the replicas: ${restore}`);
  }
  const message = `${name}: ${ready} of ${wanted} replicas are ready`;
  if (ready >= wanted) return fine(message);
  const pods = ["-n", namespace, "-l", `app.kubernetes.io/component=${name === OWN_DEPLOYMENT ? "sync" : "webhook"}`];
  const advice = shell`see kubectl describe pods ${pods}`;
  return ready === 0 ? fail(message, `${advice}, and ${shell`kubectl logs ${pods}`}`) : warn(message, advice);
}

const SHIPPED_REPLICAS = 2;

/** Checks the Lease of each shard that the worker's settings specify. */
export const checkLease: Check = async ({ viewer, namespace, clock }) => {
  const settings = await readWorkerSettings(viewer, namespace);
  const count = settings.kind === "seen" ? Number(settings.value.shards) : 1;
  const shards = Array.from({ length: count }, (_, index): Shard => ({ index, count }));
  const readings = shards.map(async (shard) => {
    const reading = await viewer.object<Lease>(RESOURCES.leases, { namespace, name: shardLease(OWN_DEPLOYMENT, shard.index) });
    return reading.kind === "unseen" ? on.lease.skipped(reading) : judgeLease(valueIn(reading)?.spec, clock.now(), shard);
  });
  return Promise.all(readings);
};

/** Returns whether a worker leads the shard. `now`: Unix milliseconds. */
export function judgeLease(spec: Lease["spec"], now: number, shard: Shard): CheckResult {
  const holder = spec?.holderIdentity ?? "";
  const [of, what] = shard.count === 1 ? ["", "nothing"] : [`shard ${shard.index} of ${shard.count}: `, "nothing in its namespaces"];
  if (holder === "") return on.lease.fail(`${of}no worker holds the lease: ${what} is synced`, "start the worker; see its log");
  const age = Math.round((now - Date.parse(spec?.renewTime ?? "")) / 1_000);
  const duration = spec?.leaseDurationSeconds ?? 0;
  if (!(age <= duration))
    return on.lease.fail(`${of}${holder} has not renewed it for ${age} s, of ${duration} s`, "see the worker's pods and their logs");
  return on.lease.fine(`${of}held by ${holder}, renewed ${Math.max(0, age)} s ago`);
}
