/**
 * Kubernetes objects as they are in the API. The types name only the fields that this project reads. All other fields pass through
 * unchanged, because a decoded and re-encoded object loses the fields that a client library does not know.
 */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: "Apply" | "Update";
  readonly subresource?: string;
  readonly time?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Place of a kind in the API, enough to build its URL. `group` is `""` for the core group. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Reference to one object. Cluster-scoped kinds have no `namespace`. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

const resource =
  (namespaced: boolean) =>
  (apiVersion: string, kind: string, plural: string): Resource => {
    const [version = "", group = ""] = apiVersion.split("/").toReversed();
    return { group, version, plural, kind, namespaced };
  };
export const inNamespace = resource(true);
export const ofCluster = resource(false);

/** Returns the name of the kind's CRD, and of the kind in commands and messages. */
export function qualifiedPlural({ plural, group }: Pick<Resource, "plural" | "group">): string {
  return group === "" ? plural : `${plural}.${group}`;
}

export const ADMISSION = "admissionregistration.k8s.io/v1";
const RBAC = "rbac.authorization.k8s.io/v1";

export const RESOURCES = {
  secretProviderClassPodStatuses: inNamespace(
    "secrets-store.csi.x-k8s.io/v1",
    "SecretProviderClassPodStatus",
    "secretproviderclasspodstatuses",
  ),
  secrets: inNamespace("v1", "Secret", "secrets"),
  pods: inNamespace("v1", "Pod", "pods"),
  serviceAccounts: inNamespace("v1", "ServiceAccount", "serviceaccounts"),
  namespaces: ofCluster("v1", "Namespace", "namespaces"),
  events: inNamespace("v1", "Event", "events"),
  controllerRevisions: inNamespace("apps/v1", "ControllerRevision", "controllerrevisions"),
  podTemplates: inNamespace("v1", "PodTemplate", "podtemplates"),
  leases: inNamespace("coordination.k8s.io/v1", "Lease", "leases"),
  services: inNamespace("v1", "Service", "services"),
  podDisruptionBudgets: inNamespace("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  priorityClasses: ofCluster("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses"),
  csiDrivers: ofCluster("storage.k8s.io/v1", "CSIDriver", "csidrivers"),
  roles: inNamespace(RBAC, "Role", "roles"),
  roleBindings: inNamespace(RBAC, "RoleBinding", "rolebindings"),
  clusterRoles: ofCluster(RBAC, "ClusterRole", "clusterroles"),
  selfSubjectAccessReviews: ofCluster("authorization.k8s.io/v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews"),
  customResourceDefinitions: ofCluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions"),
  mutatingWebhookConfigurations: ofCluster(ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
  validatingWebhookConfigurations: ofCluster(ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
  validatingAdmissionPolicies: ofCluster(ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
  validatingAdmissionPolicyBindings: ofCluster(ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
  clusterRoleBindings: ofCluster(RBAC, "ClusterRoleBinding", "clusterrolebindings"),
  secretProviderClasses: inNamespace("secrets-store.csi.x-k8s.io/v1", "SecretProviderClass", "secretproviderclasses"),
  secretProviderClassSyncs: inNamespace("keyvault-injector.dev/v1alpha1", "SecretProviderClassSync", "secretproviderclasssyncs"),
} satisfies Record<string, Resource>;

export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** The class as the CSI driver's CRD defines it. The schema allows only strings as parameters. */
export interface SecretProviderClass extends KubeObject {
  readonly spec?: SecretProviderClassSpec;
}

export interface SecretProviderClassSpec {
  readonly provider?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly secretObjects?: readonly SecretObject[];
}

export interface SecretObject {
  readonly secretName?: string;
  readonly type?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly data?: readonly { readonly objectName?: string; readonly key?: string }[];
}

export interface Secret extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  /** Base64 values. */
  readonly data?: Readonly<Record<string, string>>;
}

/** The fields of a coordination.k8s.io Lease that the leader election reads and writes, and the commands show. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}
