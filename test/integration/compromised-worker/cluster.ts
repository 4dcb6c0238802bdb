import { APPLY_PATCH, MERGE_PATCH } from "../../support/cluster/api-request.ts";
import { type Attempt, isDone } from "./attempt.ts";

const OWN = "keyvault-injector";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const REGISTRATION = "/apis/admissionregistration.k8s.io/v1";
const APPS = "/apis/apps/v1/namespaces";
const EVERYTHING = [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }];
const WORKER = { kind: "ServiceAccount", namespace: OWN, name: "keyvault-injector-sync" };

const POD = { containers: [{ name: "thief", image: "registry.example/thief:1" }] };
const TEMPLATE = { metadata: { labels: { app: "thief" } }, spec: POD };

const attempt = (what: string, call: Attempt["call"]): Attempt => ({ what, call, succeeded: isDone });
const merge = (what: string, path: string, body: unknown): Attempt =>
  attempt(what, { method: "PATCH", path, contentType: MERGE_PATCH, body });
const remove = (what: string, path: string): Attempt => attempt(what, { method: "DELETE", path });
const post = (what: string, path: string, body: unknown): Attempt => attempt(what, { method: "POST", path, body });

/** Attempts on the worker's own limits: policies, their bindings and parameters, and its rights. */
export function attemptsOnLimits(policies: readonly string[]): readonly Attempt[] {
  return [
    ...policies.flatMap((name): readonly Attempt[] => [
      remove(`the end of policy ${name}`, `${REGISTRATION}/validatingadmissionpolicies/${name}`),
      merge(`a policy ${name} that fails open`, `${REGISTRATION}/validatingadmissionpolicies/${name}`, {
        spec: { failurePolicy: "Ignore" },
      }),
      remove(`the end of binding ${name}`, `${REGISTRATION}/validatingadmissionpolicybindings/${name}`),
      merge(`a binding ${name} that warns`, `${REGISTRATION}/validatingadmissionpolicybindings/${name}`, {
        spec: { validationActions: ["Warn"] },
      }),
    ]),
    ...[OWN, "kube-system"].map((namespace) =>
      post(`a PodTemplate in ${namespace}`, `/api/v1/namespaces/${namespace}/podtemplates`, {
        apiVersion: "v1",
        kind: "PodTemplate",
        metadata: { name: "csi-secrets-store-windows", labels: { "app.kubernetes.io/name": OWN } },
        template: TEMPLATE,
      }),
    ),
    ...["keyvault-injector-sync", "keyvault-injector-webhook"].flatMap((name): readonly Attempt[] => [
      merge(`another image in PodTemplate ${name}`, `/api/v1/namespaces/${OWN}/podtemplates/${name}`, { template: TEMPLATE }),
      remove(`the end of PodTemplate ${name}`, `/api/v1/namespaces/${OWN}/podtemplates/${name}`),
    ]),
    merge("every right for its role", `${RBAC}/clusterroles/keyvault-injector-sync`, { rules: EVERYTHING }),
    post("a binding to cluster-admin", `${RBAC}/clusterrolebindings`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "thief" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [WORKER],
    }),
    post("a role in kube-system", `${RBAC}/namespaces/kube-system/roles`, {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { name: "thief" },
      rules: EVERYTHING,
    }),
  ];
}

/** Attempts to run code in a workload, the thief's own or someone else's. */
export function attemptsOnWorkloads(namespace: string): readonly Attempt[] {
  const kinds = { deployments: "Deployment", statefulsets: "StatefulSet", daemonsets: "DaemonSet" };
  const workload = (kind: string): object => ({
    apiVersion: "apps/v1",
    kind,
    metadata: { name: "thief" },
    spec: { selector: { matchLabels: { app: "thief" } }, template: TEMPLATE, ...(kind === "StatefulSet" ? { serviceName: "thief" } : {}) },
  });
  const revision = (metadata: object): object => ({
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: { name: "thief", ...metadata },
    revision: 9,
    data: { spec: { template: TEMPLATE } },
  });
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "0", controller: true };
  return [
    post("a pod", `/api/v1/namespaces/${namespace}/pods`, { apiVersion: "v1", kind: "Pod", metadata: { name: "thief" }, spec: POD }),
    post("a pod on the node side", "/api/v1/namespaces/kube-system/pods", {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "thief" },
      spec: POD,
    }),
    ...Object.entries(kinds).flatMap(([plural, kind]): readonly Attempt[] => [
      post(`a ${kind}`, `${APPS}/${namespace}/${plural}`, workload(kind)),
      attempt(`a ${kind}, applied`, {
        method: "PATCH",
        path: `${APPS}/${namespace}/${plural}/thief?fieldManager=x&force=true`,
        contentType: APPLY_PATCH,
        body: workload(kind),
      }),
    ]),
    merge("another image in somebody's Deployment", `${APPS}/${namespace}/deployments/web`, {
      spec: { template: { spec: { containers: [{ name: "web", image: "registry.example/thief:1" }] } } },
    }),
    merge("another account in somebody's Deployment", `${APPS}/${namespace}/deployments/web`, {
      spec: { template: { spec: { serviceAccountName: "app" } } },
    }),
    merge("a Secret in somebody's Deployment", `${APPS}/${namespace}/deployments/web`, {
      spec: { template: { spec: { volumes: [{ name: "stolen", secret: { secretName: "plain" } }] } } },
    }),
    merge("no replica of somebody's Deployment", `${APPS}/${namespace}/deployments/web/scale`, { spec: { replicas: 0 } }),
    merge("the consent of somebody's Deployment", `${APPS}/${namespace}/deployments/web`, {
      spec: { template: { metadata: { annotations: { "keyvault-injector.dev/restart-on-rotation": "true" } } } },
    }),
    post("a revision for a StatefulSet", `${APPS}/${namespace}/controllerrevisions`, revision({ labels: { app: "web" } })),
    post("a revision with an owner", `${APPS}/${namespace}/controllerrevisions`, revision({ ownerReferences: [owner] })),
    post(
      "a component's copy elsewhere",
      `${APPS}/${namespace}/controllerrevisions`,
      revision({ labels: { "keyvault-injector.dev/snapshot": "component" } }),
    ),
    post("a webhook of its own", `${REGISTRATION}/mutatingwebhookconfigurations`, {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "thief" },
      webhooks: [],
    }),
    post("a definition of its own", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "thieves.example.com" },
      spec: {
        group: "example.com",
        names: { kind: "Thief", plural: "thieves" },
        scope: "Namespaced",
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    }),
  ];
}
