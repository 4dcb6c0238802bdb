import { memberOf, membersOf } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import { type KubeObject, type ManagedFieldsEntry, RESOURCES, type Resource } from "../kubernetes.ts";
import { WORKLOADS } from "../rollout/workload-kinds.ts";
import { difference, intersection, isEmptySet, memberNamed, presentFields } from "./field-sets.ts";
import { isInstaller } from "./installers.ts";
import { comparedFields, type FieldSet, union } from "./owned-fields.ts";

/** The state that the installer applied. */
interface Installed {
  readonly object: KubeObject;
  readonly owners: readonly ManagedFieldsEntry[];
}

/** Fields of a live object that its installer did not set, and that affect how the object works. */
export interface Additions {
  readonly fields: FieldSet;
  /** Managers that own some of the fields, the last writer first. */
  readonly by: readonly string[];
}

const WEBHOOK_CONFIGURATIONS: readonly string[] = [
  RESOURCES.mutatingWebhookConfigurations.kind,
  RESOURCES.validatingWebhookConfigurations.kind,
];

/**
 * Default values that the API server fills in, except empty ones, by field name. A manager that sets a field and then resets it to the
 * default still owns it. A default that is missing here costs one repair that changes nothing.
 */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  conversion: { strategy: "None" },
  dnsPolicy: "ClusterFirst",
  failurePolicy: "Fail",
  globalDefault: false,
  hostIPC: false,
  hostNetwork: false,
  hostPID: false,
  matchPolicy: "Equivalent",
  minReadySeconds: 0,
  paused: false,
  preemptionPolicy: "PreemptLowerPriority",
  preserveUnknownFields: false,
  progressDeadlineSeconds: 600,
  publishNotReadyAddresses: false,
  reinvocationPolicy: "Never",
  restartPolicy: "Always",
  revisionHistoryLimit: 10,
  schedulerName: "default-scheduler",
  scope: "*",
  sessionAffinity: "None",
  storageCapacity: false,
  terminationGracePeriodSeconds: 30,
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  timeoutSeconds: 10,
};

/** The API server allocates these. Without a record of owners, they look as if someone had added them. */
const ALLOCATED: FieldSet = { "f:spec": { "f:clusterIP": {}, "f:clusterIPs": {}, "f:ipFamilies": {}, "f:ipFamilyPolicy": {} } };

/**
 * Returns the added fields. For most kinds, these are fields owned by managers that are not installers. Defaults, and fields that the
 * cluster's admission plugins add, have no owner and do not count. Webhook configurations pass no admission webhook and have few defaults,
 * so for them every field counts that the installer did not set. The same applies if the record of owners was wiped.
 */
export function additionsTo(resource: Pick<Resource, "kind">, { object, owners }: Installed, live: KubeObject): Additions {
  const others = (live.metadata.managedFields ?? []).filter((entry) => !isInstaller(entry) && entry.subresource !== "status");
  const isWiped = !(live.metadata.managedFields ?? []).some(isInstaller);
  const owned = comparedFields(others);
  const set = isWiped
    ? difference(extraFields(live, object), ALLOCATED)
    : union(owned, isWebhookConfiguration(resource) ? extraFields(live, object) : {});
  const decisive = decisiveFields(resource, difference(comparedFields([{ fieldsV1: set }]), comparedFields(owners)));
  const fields = withoutScale(withoutDefaults(presentFields(decisive, live), live), live);
  return { fields, by: holdersOf(fields, others) };
}

/** Returns the managers that own some of the fields, the last writer first. */
export function holdersOf(fields: FieldSet, entries: readonly ManagedFieldsEntry[]): readonly string[] {
  return entries
    .filter(({ fieldsV1 = {} }) => !isEmptySet(intersection(fields, fieldsV1)))
    .sort((a, b) => (b.time ?? "").localeCompare(a.time ?? ""))
    .map(({ manager }) => manager ?? "");
}

/** If the installer leaves the number of replicas to others, they can choose any number except zero. */
function withoutScale(fields: FieldSet, live: KubeObject): FieldSet {
  if (memberOf(live, "spec")["replicas"] === 0) return fields;
  return difference(fields, { "f:spec": { "f:replicas": {} } });
}

function isWebhookConfiguration({ kind }: Pick<Resource, "kind">): boolean {
  return WEBHOOK_CONFIGURATIONS.includes(kind);
}

function withoutDefaults(fields: FieldSet, value: unknown): FieldSet {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, member]) => {
      const live = memberNamed(value, name);
      const fallback = DEFAULTS[name.slice("f:".length)];
      if (fallback !== undefined && JSON.stringify(live) === JSON.stringify(fallback)) return [];
      const inner = membersOf(member);
      if (isEmptySet(inner) || "." in inner) return [[name, inner]];
      const left = withoutDefaults(inner, live);
      return isEmptySet(left) ? [] : [[name, left]];
    }),
  );
}

/** Returns members and named list items that the live value has and the wanted one does not have. Ignores items without a name. */
function extraFields(live: object, wanted: object): FieldSet {
  const members = Object.entries(live).flatMap(([name, value]): readonly (readonly [string, FieldSet])[] => {
    const other = (wanted as JsonObject)[name]; // Any object can be read by member name.
    const inner = other === undefined ? undefined : extraIn(value, other);
    if (inner === undefined) return [[`f:${name}`, {}]];
    return isEmptySet(inner) ? [] : [[`f:${name}`, inner]];
  });
  return Object.fromEntries(members);
}

function extraIn(live: unknown, wanted: unknown): FieldSet {
  if (isJsonObject(live) && isJsonObject(wanted)) return extraFields(live, wanted);
  if (!Array.isArray(live) || !Array.isArray(wanted)) return {};
  const items = live.filter(isJsonObject).flatMap((item): readonly (readonly [string, FieldSet])[] => {
    const key = keyOf(item);
    if (key === undefined) return [];
    const other = wanted.filter(isJsonObject).find((candidate) => keyOf(candidate) === key);
    const inner = other === undefined ? { ".": {} } : extraFields(item, other);
    return isEmptySet(inner) ? [] : [[key, inner]];
  });
  return Object.fromEntries(items);
}

function keyOf({ name }: JsonObject): string | undefined {
  return typeof name === "string" ? `k:${JSON.stringify({ name })}` : undefined;
}

const whole = (...names: readonly string[]): FieldSet => Object.fromEntries(names.map((name) => [`f:${name}`, {}]));

/**
 * Fields that determine how an object of a kind works. In these, an addition by someone else matters as much as a change of the installer's
 * own fields. Labels and annotations are open to everyone, and so are the image pull secrets of accounts, which platforms add.
 */
const DECISIVE: readonly (readonly [Resource, FieldSet])[] = [
  [RESOURCES.mutatingWebhookConfigurations, whole("webhooks")],
  [RESOURCES.validatingWebhookConfigurations, whole("webhooks")],
  [WORKLOADS.Deployment, whole("spec")],
  [WORKLOADS.DaemonSet, whole("spec")],
  [RESOURCES.services, whole("spec")],
  [RESOURCES.podDisruptionBudgets, whole("spec")],
  [RESOURCES.priorityClasses, whole("value", "globalDefault", "preemptionPolicy")],
  [RESOURCES.serviceAccounts, whole("automountServiceAccountToken")],
  [RESOURCES.csiDrivers, whole("spec")],
  [RESOURCES.clusterRoles, whole("rules", "aggregationRule")],
  [RESOURCES.roles, whole("rules")],
  [RESOURCES.clusterRoleBindings, whole("roleRef", "subjects")],
  [RESOURCES.roleBindings, whole("roleRef", "subjects")],
  [RESOURCES.validatingAdmissionPolicies, whole("spec")],
  [RESOURCES.validatingAdmissionPolicyBindings, whole("spec")],
  [RESOURCES.customResourceDefinitions, whole("spec")],
  [RESOURCES.namespaces, {}],
];

/** `kubectl rollout restart` and other tools record here what they did, and labels and annotations are open to everyone. */
const METADATA_OF_TEMPLATE = "f:metadata";

/** Returns the fields that determine how the object works. */
function decisiveFields({ kind }: Pick<Resource, "kind">, fields: FieldSet): FieldSet {
  const roots = DECISIVE.find(([resource]) => resource.kind === kind)?.[1] ?? {};
  return Object.fromEntries(
    Object.keys(roots).flatMap((name) => (name in fields ? [[name, withoutTemplateMetadata(membersOf(fields[name]))] as const] : [])),
  );
}

function withoutTemplateMetadata(spec: FieldSet): FieldSet {
  const template = membersOf(spec["f:template"]);
  if (!(METADATA_OF_TEMPLATE in template)) return spec;
  const { [METADATA_OF_TEMPLATE]: _metadata, ...rest } = template;
  const { "f:template": _template, ...others } = spec;
  return Object.keys(rest).some((name) => name !== ".") ? { ...others, "f:template": rest } : others;
}
