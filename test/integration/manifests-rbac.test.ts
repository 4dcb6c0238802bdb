import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type AccessTarget, accessReview } from "../support/cluster/access-review.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { installShipped } from "../support/cluster/shipped-manifests.ts";

const refusal = controlPlaneRefusal();

const VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

const SPC = "secrets-store.csi.x-k8s.io";
const OWN = "keyvault-injector";

/**
 * Targets to check for each verb. Without a name, the target is the collection, and a POST to it. Namespace `app` represents all other
 * namespaces.
 */
const TARGETS: readonly AccessTarget[] = [
  { group: "", resource: "secrets", namespace: "app" },
  { group: "", resource: "secrets", namespace: "app", name: "any" },
  { group: "", resource: "secrets", namespace: "app", name: "secrets-store-creds" },
  { group: "", resource: "secrets", namespace: "app", name: "keyvault-injector-ca" },
  { group: "", resource: "secrets", namespace: OWN },
  { group: "", resource: "secrets", namespace: OWN, name: "any" },
  { group: "", resource: "secrets", namespace: OWN, name: "keyvault-injector-ca" },
  { group: "", resource: "secrets", namespace: OWN, name: "keyvault-injector-sync-key" },
  { group: "", resource: "pods", namespace: "app" },
  { group: "", resource: "pods", subresource: "exec", namespace: "app", name: "any" },
  { group: "", resource: "events", namespace: "app" },
  { group: "", resource: "configmaps", namespace: "app" },
  { group: "", resource: "namespaces" },
  { group: "", resource: "namespaces", name: "kube-system" },
  { group: "", resource: "namespaces", name: "any" },
  { group: "", resource: "serviceaccounts", subresource: "token", namespace: "app", name: "any" },
  { group: "apps", resource: "deployments", namespace: "app", name: "any" },
  { group: "apps", resource: "deployments", namespace: OWN, name: "any" },
  { group: "apps", resource: "deployments", subresource: "scale", namespace: "app", name: "any" },
  { group: "apps", resource: "statefulsets", namespace: "app", name: "any" },
  { group: "apps", resource: "daemonsets", namespace: "app", name: "any" },
  { group: "apps", resource: "replicasets", namespace: "app", name: "any" },
  { group: "apps", resource: "controllerrevisions", namespace: "app", name: "any" },
  { group: "coordination.k8s.io", resource: "leases", namespace: OWN },
  { group: "coordination.k8s.io", resource: "leases", namespace: OWN, name: "keyvault-injector-sync" },
  { group: "coordination.k8s.io", resource: "leases", namespace: OWN, name: "any" },
  { group: "coordination.k8s.io", resource: "leases", namespace: "app", name: "keyvault-injector-sync" },
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions" },
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions", name: `secretproviderclasses.${SPC}` },
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions", name: `secretproviderclasspodstatuses.${SPC}` },
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions", name: "secretproviderclasssyncs.keyvault-injector.dev" },
  { group: "apiextensions.k8s.io", resource: "customresourcedefinitions", name: "any" },
  { group: "admissionregistration.k8s.io", resource: "mutatingwebhookconfigurations" },
  { group: "admissionregistration.k8s.io", resource: "mutatingwebhookconfigurations", name: "keyvault-injector" },
  { group: "admissionregistration.k8s.io", resource: "mutatingwebhookconfigurations", name: "any" },
  { group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations", name: "keyvault-injector" },
  { group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations", name: "any" },
  { group: "admissionregistration.k8s.io", resource: "validatingadmissionpolicybindings", name: "keyvault-injector-sync-secrets" },
  { group: "admissionregistration.k8s.io", resource: "validatingwebhookconfigurations" },
  { group: "rbac.authorization.k8s.io", resource: "clusterroles", name: "keyvault-injector-sync" },
  { group: "rbac.authorization.k8s.io", resource: "clusterroles", name: "any" },
  { group: "rbac.authorization.k8s.io", resource: "clusterrolebindings", name: "keyvault-injector-sync" },
  { group: "rbac.authorization.k8s.io", resource: "roles", namespace: OWN, name: "keyvault-injector-sync" },
  { group: "rbac.authorization.k8s.io", resource: "roles", namespace: OWN, name: "any" },
  { group: "rbac.authorization.k8s.io", resource: "rolebindings", namespace: OWN, name: "keyvault-injector-components" },
  { group: "rbac.authorization.k8s.io", resource: "rolebindings", namespace: "app", name: "keyvault-injector-components" },
  { group: "scheduling.k8s.io", resource: "priorityclasses" },
  { group: "scheduling.k8s.io", resource: "priorityclasses", name: "keyvault-injector" },
  { group: "scheduling.k8s.io", resource: "priorityclasses", name: "any" },
  { group: "storage.k8s.io", resource: "csidrivers", name: "secrets-store.csi.k8s.io" },
  { group: "", resource: "services", namespace: OWN, name: "keyvault-injector-webhook" },
  { group: "", resource: "services", namespace: OWN, name: "any" },
  { group: "", resource: "serviceaccounts", namespace: OWN, name: "keyvault-injector-webhook" },
  { group: "", resource: "serviceaccounts", namespace: "kube-system", name: "secrets-store-csi-driver" },
  { group: "policy", resource: "poddisruptionbudgets", namespace: OWN, name: "keyvault-injector-webhook" },
  { group: "apps", resource: "deployments", namespace: OWN },
  { group: "apps", resource: "deployments", namespace: OWN, name: "keyvault-injector-webhook" },
  { group: "apps", resource: "daemonsets", namespace: "kube-system", name: "csi-secrets-store" },
  { group: SPC, resource: "secretproviderclasses", namespace: "app", name: "any" },
  { group: SPC, resource: "secretproviderclasspodstatuses", namespace: "app", name: "any" },
  { group: "keyvault-injector.dev", resource: "secretproviderclasssyncs", namespace: "app", name: "any" },
  { group: "keyvault-injector.dev", resource: "secretproviderclasssyncs", subresource: "status", namespace: "app", name: "any" },
];

function describeTarget({ resource, subresource, namespace, name }: AccessTarget): string {
  const kind = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${kind} ${namespace ?? "-"} ${name ?? "*"}`;
}

const grant = (verbs: string, ...targets: readonly string[]): readonly string[] =>
  targets.flatMap((target) => verbs.split(" ").map((verb) => `${verb} ${target}`));

const GRANTED: Readonly<Record<string, readonly string[]>> = {
  webhook: [
    ...grant("get list watch create patch", `secrets ${OWN} keyvault-injector-ca`),
    ...grant("get list watch", "secretproviderclasses app any"),
    ...grant("get list watch", "namespaces - *", "namespaces - kube-system", "namespaces - any"),
    ...grant(
      "get list watch patch",
      "mutatingwebhookconfigurations - keyvault-injector",
      "validatingwebhookconfigurations - keyvault-injector",
    ),
  ],
  sync: [
    // To read where the only instance is installed.
    ...grant("get", "mutatingwebhookconfigurations - keyvault-injector"),
    // Component healing, each object by its name. The worker heals the node side only if its manifests are installed.
    ...grant(
      "list watch create patch",
      "mutatingwebhookconfigurations - keyvault-injector",
      "validatingwebhookconfigurations - keyvault-injector",
      "priorityclasses - keyvault-injector",
      `services ${OWN} keyvault-injector-webhook`,
      `serviceaccounts ${OWN} keyvault-injector-webhook`,
      `poddisruptionbudgets ${OWN} keyvault-injector-webhook`,
      `deployments ${OWN} keyvault-injector-webhook`,
    ),
    ...grant(
      "list watch",
      "clusterroles - keyvault-injector-sync",
      `roles ${OWN} keyvault-injector-sync`,
      `rolebindings ${OWN} keyvault-injector-components`,
      "clusterrolebindings - keyvault-injector-sync",
    ),
    ...grant("list watch create patch delete", "secrets app *", "secrets app any", "secrets app keyvault-injector-ca"),
    ...grant("get list watch create patch delete", "secrets app secrets-store-creds"),
    ...grant("list watch create patch delete", `secrets ${OWN} *`, `secrets ${OWN} any`, `secrets ${OWN} keyvault-injector-ca`),
    ...grant("get list watch create patch delete", `secrets ${OWN} keyvault-injector-sync-key`),
    ...grant("list watch", "pods app *"),
    ...grant("list watch", "secretproviderclasspodstatuses app any"),
    ...grant("create", "serviceaccounts/token app any"),
    ...grant("create patch", "events app *"),
    ...grant("get list watch", "namespaces - kube-system"),
    ...grant("list watch", "namespaces - *", "namespaces - any"),
    // RBAC cannot restrict these two verbs by name.
    ...grant("list watch", "validatingadmissionpolicybindings - keyvault-injector-sync-secrets"),
    ...grant("list watch patch", "deployments app any", `deployments ${OWN} any`, "statefulsets app any", "daemonsets app any"),
    ...grant("list watch patch", `deployments ${OWN} *`, "daemonsets kube-system csi-secrets-store"),
    ...grant("get list watch create delete", "controllerrevisions app any"),
    ...grant("get list create patch", `leases ${OWN} keyvault-injector-sync`),
    ...grant("list", `leases ${OWN} *`, `leases ${OWN} any`),
    ...grant(
      "get list watch create patch",
      `customresourcedefinitions - secretproviderclasses.${SPC}`,
      `customresourcedefinitions - secretproviderclasspodstatuses.${SPC}`,
      "customresourcedefinitions - secretproviderclasssyncs.keyvault-injector.dev",
      "secretproviderclasses app any",
    ),
    ...grant("list watch create patch delete", "secretproviderclasssyncs app any"),
    ...grant("patch", "secretproviderclasssyncs/status app any"),
  ],
};

describe("the shipped roles", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    await installShipped(plane);
  });
  after(async () => {
    await plane?.stop();
  });

  for (const [component, expected] of Object.entries(GRANTED)) {
    test(`give the ${component} process the rights listed here and no others`, async () => {
      const identity = {
        user: `system:serviceaccount:${OWN}:keyvault-injector-${component}`,
        groups: ["system:serviceaccounts", `system:serviceaccounts:${OWN}`],
      };
      const allowed: string[] = [];
      for (const target of TARGETS) {
        for (const verb of VERBS) {
          if (await accessReview(plane, { ...identity, verb, ...target })) allowed.push(`${verb} ${describeTarget(target)}`);
        }
      }
      assert.deepEqual(allowed.sort(), [...expected].sort());
    });
  }
});
