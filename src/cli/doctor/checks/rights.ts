import { OWNER_RESOURCES, type OwnerKind } from "../../../domain/gateways/owner-kinds.ts";
import { OWN_DEPLOYMENT } from "../../../domain/healing/components.ts";
import { RESOURCES } from "../../../domain/kubernetes.ts";
import { shardLease } from "../../../domain/shards.ts";
import { parseQueueSetting } from "../../../domain/vault-events/queue-setting.ts";
import { wordsOf } from "../../../domain/words.ts";
import { allowedModes } from "../../shared/class-context.ts";
import { hasRight, type Rbac, type Right, readRbac, serviceAccount } from "../../shared/rbac.ts";
import { type SettingsInForce, workerSettingsInForce } from "../../shared/settings-in-force.ts";
import { type CheckResult, type InstallContext, on, orFine } from "./check.ts";

const isBlind = (settings: SettingsInForce): boolean => settings["secret-access"] === "blind";

interface Need {
  readonly verbs: readonly string[];
  readonly right: Omit<Right, "verb">;
  /** Consequence if the permission is missing. */
  readonly without: string;
  /** Whether the worker uses the permission with these settings; absent: always. */
  readonly isUsed?: (settings: SettingsInForce) => boolean;
  /** Advice; absent: reapply the install. */
  readonly fix?: string;
}

const classes = { group: RESOURCES.secretProviderClasses.group, resource: RESOURCES.secretProviderClasses.plural };
const secrets = { group: "", resource: "secrets" };
const statuses = { group: RESOURCES.secretProviderClassSyncs.group, resource: RESOURCES.secretProviderClassSyncs.plural };

const GATEWAY_ADVICE = "apply the component gateway-tls, or remove --gateway-classes and --ingress-classes";

function isNamed(settings: SettingsInForce, kind: OwnerKind): boolean {
  return wordsOf(settings[kind === "Gateway" ? "gateway-classes" : "ingress-classes"]).length > 0;
}

/** Permissions that the worker needs: cluster-wide or in each namespace of `--namespaces`, and (OWN_NEEDS) in its own namespace. */
export const CLUSTER_NEEDS: readonly Need[] = [
  { verbs: ["get", "list", "watch"], right: classes, without: "the worker sees no class" },
  { verbs: ["create", "patch"], right: classes, without: "no class is restored", isUsed: ({ heal }) => wordsOf(heal).includes("classes") },
  { verbs: ["list", "watch"], right: { group: "", resource: "pods" }, without: "credentials that only pods name are not found" },
  { verbs: ["list", "watch", "create", "patch", "delete"], right: statuses, without: "no status is kept" },
  { verbs: ["create", "patch", "delete"], right: secrets, without: "no Secret is written", isUsed: (settings) => !isBlind(settings) },
  {
    verbs: ["list", "watch"],
    right: secrets,
    without: "the worker sees no edits of synced Secrets",
    isUsed: (settings) => !isBlind(settings),
  },
  { verbs: ["create", "update", "delete"], right: secrets, without: "no Secret is written", isUsed: isBlind },
  {
    verbs: ["create"],
    right: { group: "", resource: "serviceaccounts/token" },
    without: "no class with workload identity is synced",
    isUsed: (settings) => allowedModes(settings).length === 0 || allowedModes(settings).includes("workload-identity"),
  },
  {
    verbs: ["get", "list", "watch", "create", "delete"],
    right: { group: "apps", resource: "controllerrevisions" },
    without: "no snapshot of a class is kept",
  },
  {
    verbs: ["list", "watch"],
    right: { group: "secrets-store.csi.x-k8s.io", resource: "secretproviderclasspodstatuses" },
    without: "no workload is restarted because of what it only mounts",
    isUsed: (settings: SettingsInForce) => settings["restart-workloads"] !== "false",
  },
  ...["deployments", "statefulsets", "daemonsets"].map((resource) => ({
    verbs: ["list", "watch", "patch"],
    right: { group: "apps", resource },
    without: "no workload is restarted after a rotation",
    isUsed: (settings: SettingsInForce) => settings["restart-workloads"] !== "false",
  })),
  {
    verbs: ["list", "watch", "patch"],
    right: { group: "argoproj.io", resource: "rollouts" },
    without: "no workload is restarted after a rotation; apply the component argo-rollouts, or remove --restart-argo-rollouts",
    isUsed: (settings) => settings["restart-workloads"] !== "false" && settings["restart-argo-rollouts"] === "true",
  },
  {
    verbs: ["list", "watch"],
    right: { group: RESOURCES.podDisruptionBudgets.group, resource: RESOURCES.podDisruptionBudgets.plural },
    without: "no healthy workload is restarted; apply the component disruption-budgets, or remove --respect-disruption-budgets",
    isUsed: (settings) => settings["restart-workloads"] !== "false" && settings["respect-disruption-budgets"] === "true",
  },
  ...(["Gateway", "Ingress"] as const).map((kind) => ({
    verbs: ["get", "list", "watch", "patch"],
    right: { group: OWNER_RESOURCES[kind].group, resource: OWNER_RESOURCES[kind].plural },
    without: `no ${kind} gets a certificate; ${GATEWAY_ADVICE}`,
    isUsed: (settings: SettingsInForce) => isNamed(settings, kind),
  })),
  {
    verbs: ["list", "watch"],
    right: { group: "", resource: "serviceaccounts" },
    without: `no Gateway or Ingress gets a certificate; ${GATEWAY_ADVICE}`,
    isUsed: (settings) => isNamed(settings, "Gateway") || isNamed(settings, "Ingress"),
  },
  {
    verbs: ["delete"],
    right: classes,
    without: `classes made for a Gateway or Ingress are not deleted; ${GATEWAY_ADVICE}`,
    isUsed: (settings) => isNamed(settings, "Gateway") || isNamed(settings, "Ingress"),
  },
];

export const OWN_NEEDS: readonly Need[] = [
  {
    verbs: ["get", "create", "patch"],
    right: { group: "coordination.k8s.io", resource: "leases", name: OWN_DEPLOYMENT },
    without: "no worker leads",
  },
  {
    verbs: ["get"],
    right: { group: "", resource: "secrets", name: "keyvault-injector-sync-key" },
    without: "every start fetches every class",
  },
];

export async function checkRights(context: InstallContext): Promise<readonly CheckResult[]> {
  const { viewer, namespace } = context;
  const settings = await workerSettingsInForce(viewer, namespace);
  const reading = await readRbac(viewer);
  if (reading.kind !== "seen") return [on.rights.skipped(reading)];
  const subject = serviceAccount(namespace, OWN_DEPLOYMENT);
  const own: Place = { subject, namespace, rbac: reading.value, fix: FIX[isBlind(settings) ? "blind" : "watch"] };
  const used = [...CLUSTER_NEEDS, ...credentialsNeeds(settings)].filter(({ isUsed = () => true }) => isUsed(settings));
  const asked = [
    ...placesOf(settings, own).flatMap((place) => used.map((need) => ({ need, place }))),
    ...[...OWN_NEEDS, ...shardNeeds(settings), ...queueNeeds(settings, namespace)].map((need) => ({ need, place: own })),
  ];
  const gaps = asked.map((each) => ({ ...each, verbs: missingOf(each.need, each.place) })).filter(({ verbs }) => verbs.length > 0);
  const isBare = gaps.length === asked.length && gaps.every(({ need, verbs }) => verbs.length === need.verbs.length);
  if (isBare) return [on.rights.fail(`${subject} has none of the permissions that the worker needs`, own.fix)];
  const missing = gaps.map(gapResult);
  return orFine(missing, on.rights.fine(`${subject} has the permissions that it needs`));
}

/** Returns the permissions for all shards but the first, whose Lease the Role always names. */
function shardNeeds(settings: SettingsInForce): readonly Need[] {
  const further = Array.from({ length: Number(settings.shards) - 1 }, (_, index) => index + 1);
  if (further.length === 0) return [];
  const list = {
    verbs: ["list"],
    right: { group: "coordination.k8s.io", resource: "leases" },
    without: "no worker leads; apply the manifests of this version",
  };
  const leases = further.map((shard) => ({
    verbs: ["get", "create", "patch"],
    right: { group: "coordination.k8s.io", resource: "leases", name: shardLease(OWN_DEPLOYMENT, shard) },
    without: `no worker leads shard ${shard}; apply the manifests of this version`,
  }));
  return [list, ...leases];
}

/** The worker can get only the credentials Secrets that its role names. */
function credentialsNeed(name: string, without: string, fix: string): Need {
  return { verbs: ["get"], right: { ...secrets, name }, without, fix };
}

function credentialsNeeds(settings: SettingsInForce): readonly Need[] {
  const modes = allowedModes(settings);
  if (modes.length > 0 && !modes.includes("service-principal")) return [];
  return wordsOf(settings["credentials-secret-names"]).map((name) =>
    credentialsNeed(name, "no class that uses it is synced", nameCredentials(name)),
  );
}

function queueNeeds(settings: SettingsInForce, namespace: string): readonly Need[] {
  const names = wordsOf(settings["event-queues"]).flatMap((item) => {
    const setting = parseQueueSetting(item);
    return setting.ok && setting.value.identity.kind === "servicePrincipal" ? [setting.value.identity.secretName] : [];
  });
  return [...new Set(names)].map((name) =>
    credentialsNeed(name, "no event queue that uses it is read", secretAdvice(name, namespace, settings)),
  );
}

/** Returns how to let the worker read a Secret in its own namespace. With `--namespaces`, its role may not be bound there. */
export function secretAdvice(name: string, namespace: string, settings: SettingsInForce): string {
  if (!wordsOf(settings["credentials-secret-names"]).includes(name) || wordsOf(settings.namespaces).length === 0)
    return nameCredentials(name);
  return `bind the ClusterRole ${OWN_DEPLOYMENT} in namespace ${namespace} as well, as manifests/components/namespaces/binding.yaml does`;
}

function nameCredentials(name: string): string {
  return `add ${name} to --credentials-secret-names, and to resourceNames of the rule for get on Secrets in the ClusterRole ${OWN_DEPLOYMENT} (the chart's value credentialsSecretNames does both)`;
}

/** Whether the worker can read a Secret in its own namespace; undefined if the user may not read the RBAC objects. */
export async function mayGetSecret({ viewer, namespace }: InstallContext, name: string): Promise<boolean | undefined> {
  const reading = await readRbac(viewer);
  if (reading.kind !== "seen") return undefined;
  return hasRight(serviceAccount(namespace, OWN_DEPLOYMENT), { verb: "get", ...secrets, name }, { namespace, rbac: reading.value });
}

/** Returns the whole cluster, in which RoleBindings do not count, or each served namespace, in which they do. */
function placesOf(settings: SettingsInForce, own: Place): readonly Place[] {
  const namespaces = wordsOf(settings.namespaces);
  if (namespaces.length === 0) return [{ ...own, rbac: { ...own.rbac, roles: [], roleBindings: [] } }];
  return namespaces.map((namespace) => ({ ...own, namespace, isServed: true }));
}

/** Advice by overlay, because each has other permissions: `default` would give a blind worker all Secrets. */
const FIX: Readonly<Record<"watch" | "blind", string>> = {
  watch: "apply the install again, with the same overlay or chart",
  blind: "apply manifests/overlays/blind again, or the chart with secretAccess: blind",
};

interface Place {
  readonly subject: string;
  readonly namespace: string;
  readonly rbac: Rbac;
  readonly fix: string;
  /** Whether `--namespaces` names the namespace. */
  readonly isServed?: boolean;
}

/** Returns the verbs that the worker lacks in the place. */
function missingOf({ verbs, right }: Need, { subject, ...place }: Place): readonly string[] {
  return verbs.filter((verb) => !hasRight(subject, { verb, ...right }, place));
}

interface Gap {
  readonly need: Need;
  readonly place: Place;
  readonly verbs: readonly string[];
}

function gapResult({ need: { right, without, fix: own }, place: { fix: again, isServed = false, ...place }, verbs }: Gap): CheckResult {
  const what = `${right.resource}${right.name === undefined ? "" : ` ${right.name}`}`;
  if (!isServed || own !== undefined)
    return on.rights.fail(
      `the worker lacks permission to ${verbs.join(", ")} ${what}${isServed ? ` in ${place.namespace}` : ""}: ${without}`,
      own ?? again,
    );
  const fix = `apply manifests/components/namespaces/binding.yaml for namespace ${place.namespace} (the chart does so for its value namespaces), or remove it from --namespaces`;
  return on.rights.fail(`the worker lacks permission to ${verbs.join(", ")} ${what} in ${place.namespace}: ${without}`, fix);
}
