import { membersOf } from "../json-members.ts";
import { RESOURCES, type Resource } from "../kubernetes.ts";
import { WORKLOADS } from "../rollout/workload.ts";
import type { FieldSet } from "./owned-fields.ts";

const whole = (...names: readonly string[]): FieldSet => Object.fromEntries(names.map((name) => [`f:${name}`, {}]));

/**
 * What of a kind decides what it does: there, fields that somebody adds beside the installer's matter as much as changes of the installer's own.
 * Labels and annotations are everybody's; so are the image pull secrets of accounts, which platforms add.
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

/** `kubectl rollout restart` and others note there what they did; labels and annotations again. */
const METADATA_OF_TEMPLATE = "f:metadata";

/** Those of the fields that decide something. */
export function decisiveFields({ kind }: Pick<Resource, "kind">, fields: FieldSet): FieldSet {
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
