import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { isOfDriverSync } from "../../domain/sync/take-over.ts";
import { listed, type Viewer, type ViewResult } from "./viewer.ts";

export interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs?: readonly string[];
}

export interface Role extends KubeObject {
  readonly rules?: readonly Rule[] | null;
}

export interface RbacSubject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface Binding extends KubeObject {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly RbacSubject[] | null;
}

/** All RBAC objects of a cluster that affect one namespace. */
export interface Rbac {
  readonly roles: readonly Role[];
  readonly clusterRoles: readonly Role[];
  readonly roleBindings: readonly Binding[];
  readonly clusterRoleBindings: readonly Binding[];
}

export interface Right {
  readonly verb: string;
  /** `""` for the core group. */
  readonly group: string;
  readonly resource: string;
  /** Undefined: the collection, which a rule with names does not cover. */
  readonly name?: string;
}

/** Subject that has a permission, and the binding that grants it. */
export interface Holder {
  /** `ServiceAccount ns/name`, `User name` or `Group name`. */
  readonly subject: string;
  readonly by: string;
}

/** Returns the subjects that have the permission in a namespace by RBAC. Omits other authorizers and the group `system:masters`. */
export function holdersOfRight(right: Right, namespace: string, rbac: Rbac): readonly Holder[] {
  const holders = bindingsFor(namespace, rbac)
    .filter((binding) => rulesOf(binding, rbac).some((rule) => covers(rule, right)))
    .flatMap((binding) =>
      (binding.subjects ?? []).map((subject) => ({
        subject: subjectText(subject, binding.metadata.namespace),
        by: bindingText(binding),
      })),
    );
  return holders.sort((a, b) => (`${a.subject} ${a.by}` < `${b.subject} ${b.by}` ? -1 : 1));
}

export function hasRight(subject: string, right: Right, { namespace, rbac }: { readonly namespace: string; readonly rbac: Rbac }): boolean {
  return holdersOfRight(right, namespace, rbac).some((holder) => holder.subject === subject);
}

export function serviceAccount(namespace: string, name: string): string {
  return `ServiceAccount ${namespace}/${name}`;
}

function bindingsFor(namespace: string, rbac: Rbac): readonly Binding[] {
  return [...rbac.clusterRoleBindings, ...rbac.roleBindings.filter(({ metadata }) => metadata.namespace === namespace)];
}

function rulesOf({ roleRef, metadata }: Binding, { roles, clusterRoles }: Rbac): readonly Rule[] {
  const role =
    roleRef.kind === "ClusterRole"
      ? clusterRoles.find((candidate) => candidate.metadata.name === roleRef.name)
      : roles.find((candidate) => candidate.metadata.name === roleRef.name && candidate.metadata.namespace === metadata.namespace);
  return role?.rules ?? [];
}

function covers({ apiGroups = [], resources = [], resourceNames = [], verbs = [] }: Rule, right: Right): boolean {
  const has = (list: readonly string[], wanted: string): boolean => list.includes("*") || list.includes(wanted);
  const isNamed = resourceNames.length === 0 || (right.name !== undefined && resourceNames.includes(right.name));
  return isNamed && has(verbs, right.verb) && has(apiGroups, right.group) && has(resources, right.resource);
}

function subjectText({ kind, name, namespace }: RbacSubject, bindingNamespace: string | undefined): string {
  return kind === "ServiceAccount" ? serviceAccount(namespace ?? bindingNamespace ?? "", name) : `${kind} ${name}`;
}

function bindingText({ metadata }: Binding): string {
  return metadata.namespace === undefined ? `ClusterRoleBinding ${metadata.name}` : `RoleBinding ${metadata.namespace}/${metadata.name}`;
}

/**
 * Reads the RBAC objects of one namespace, or of the whole cluster. Returns `unseen` if the user may not read one of the kinds: a part of
 * RBAC would give a false answer.
 */
export async function readRbac(viewer: Viewer, namespace?: string): Promise<ViewResult<Rbac>> {
  const within = namespace === undefined ? {} : { namespace };
  const [roles, roleBindings, clusterRoles, clusterRoleBindings] = await Promise.all([
    viewer.all<Role>(RESOURCES.roles, within),
    viewer.all<Binding>(RESOURCES.roleBindings, within),
    viewer.all<Role>(RESOURCES.clusterRoles),
    viewer.all<Binding>(RESOURCES.clusterRoleBindings),
  ]);
  for (const reading of [roles, roleBindings, clusterRoles, clusterRoleBindings]) if (reading.kind === "unseen") return reading;
  return {
    kind: "seen",
    value: {
      roles: listed(roles),
      roleBindings: listed(roleBindings),
      clusterRoles: listed(clusterRoles),
      clusterRoleBindings: listed(clusterRoleBindings),
    },
  };
}

/**
 * Returns the name of the ClusterRoleBinding that lets the CSI driver's own sync write Secrets; undefined if there is none, or the user may
 * not list bindings.
 */
export async function driverSyncBinding(viewer: Viewer): Promise<string | undefined> {
  return listed(await viewer.all<KubeObject>(RESOURCES.clusterRoleBindings)).find(isOfDriverSync)?.metadata.name;
}
