import { NODE_NAMESPACE } from "../../../src/domain/healing/components.ts";
import { RESOURCES } from "../../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../../src/domain/rollout/workload-kinds.ts";
import { at } from "../cluster/shipped-manifests.ts";
import { CLASS_CRD, STATUS_CRD } from "../worker/sync-world.ts";
import type { Target } from "./cluster.ts";
import {
  accountSet,
  deleted,
  disowned,
  environmentSet,
  environmentTaken,
  imageSet,
  merged,
  type Operation,
  orphaned,
  patched,
  relabelled,
  remade,
  replaced,
  resourcesSet,
  scaled,
  selectorSet,
  strategicallyPatched,
  takenOver,
  unlabelled,
} from "./operations.ts";

export interface Damage {
  readonly target: Target;
  readonly operation: Operation;
}

const NAME = "app.kubernetes.io/name";
const PART = "app.kubernetes.io/part-of";
const DEFINITIONS = RESOURCES.customResourceDefinitions;

export const CLASSES: Target = { resource: DEFINITIONS, name: CLASS_CRD };
const POD_STATUSES: Target = { resource: DEFINITIONS, name: "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io" };
const STATUSES: Target = { resource: DEFINITIONS, name: STATUS_CRD };

/** The test inflicts all damage of one round at the same time. Each round damages a target at most once. */
export function damageRounds(namespace: string): readonly (readonly Damage[])[] {
  const own = (resource: Target["resource"], name: string): Target => ({ resource, namespace, name });
  const webhook = own(WORKLOADS.Deployment, "keyvault-injector-webhook");
  const sync = own(WORKLOADS.Deployment, "keyvault-injector-sync");
  const service = own(RESOURCES.services, "keyvault-injector-webhook");
  const account = own(RESOURCES.serviceAccounts, "keyvault-injector-webhook");
  const syncAccount = own(RESOURCES.serviceAccounts, "keyvault-injector-sync");
  const budget = own(RESOURCES.podDisruptionBudgets, "keyvault-injector-webhook");
  const syncBudget = own(RESOURCES.podDisruptionBudgets, "keyvault-injector-sync");
  const priority: Target = { resource: RESOURCES.priorityClasses, name: "keyvault-injector" };
  const mutating: Target = { resource: RESOURCES.mutatingWebhookConfigurations, name: "keyvault-injector" };
  const validating: Target = { resource: RESOURCES.validatingWebhookConfigurations, name: "keyvault-injector" };
  const csiDriver: Target = { resource: RESOURCES.csiDrivers, name: "secrets-store.csi.k8s.io" };
  const driver: Target = { resource: WORKLOADS.DaemonSet, namespace: NODE_NAMESPACE, name: "csi-secrets-store" };
  const provider: Target = { resource: WORKLOADS.DaemonSet, namespace: NODE_NAMESPACE, name: "csi-secrets-store-provider-azure" };
  const driverAccount: Target = { resource: RESOURCES.serviceAccounts, namespace: NODE_NAMESPACE, name: "secrets-store-csi-driver" };
  const providerAccount: Target = {
    resource: RESOURCES.serviceAccounts,
    namespace: NODE_NAMESPACE,
    name: "csi-secrets-store-provider-azure",
  };
  const round = (...damages: readonly (readonly [Target, Operation])[]): readonly Damage[] =>
    damages.map(([target, operation]) => ({ target, operation }));
  return [
    // All deletions at once, except the worker's own Deployment, whose deletion means uninstall.
    round(
      [webhook, deleted],
      [service, deleted],
      [account, deleted],
      [budget, deleted],
      [syncBudget, deleted],
      [priority, deleted],
      [mutating, deleted],
      [validating, deleted],
      [csiDriver, deleted],
      [driver, deleted],
      [provider, deleted],
      [driverAccount, deleted],
      [providerAccount, deleted],
    ),
    round([sync, deleted]),
    round([sync, orphaned], [CLASSES, deleted]),
    round([POD_STATUSES, deleted]),
    round([STATUSES, deleted]),
    round([CLASSES, deleted], [POD_STATUSES, deleted], [STATUSES, deleted]),
    round(
      [webhook, scaled(0)],
      [sync, imageSet("sync")],
      [service, selectorSet],
      [account, unlabelled(NAME)],
      [budget, merged({ spec: { maxUnavailable: "100%" } })],
      [priority, relabelled(NAME)],
      [mutating, patched({ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" })],
      [validating, patched({ op: "remove", path: "/webhooks/0/matchConditions" })],
      [csiDriver, merged({ spec: { requiresRepublish: false } })],
      [driver, strategicallyPatched({ spec: { template: { spec: { nodeSelector: { "kubernetes.io/os": "plan9" } } } } })],
      [provider, imageSet("provider-azure-installer")],
      [CLASSES, patched({ op: "replace", path: "/spec/versions/0/served", value: false })],
    ),
    round(
      [webhook, imageSet("webhook")],
      [sync, scaled(5)],
      [service, relabelled(NAME)],
      [account, merged({ automountServiceAccountToken: true })],
      [syncAccount, unlabelled(NAME)],
      [providerAccount, unlabelled(PART)],
      [budget, takenOver({ spec: { maxUnavailable: 2 } })],
      [priority, merged({ description: "somebody else's" })],
      [mutating, disowned],
      [validating, takenOver({ webhooks: [{ name: "workloads.keyvault-injector.dev", timeoutSeconds: 30 }] })],
      [csiDriver, relabelled(PART)],
      [driver, environmentSet("KUBE_NODE_NAME")],
      [provider, unlabelled(PART)],
      [CLASSES, patched({ op: "remove", path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/secretObjects" })],
    ),
    round(
      [webhook, environmentTaken("POD_NAME")],
      [sync, resourcesSet],
      [service, merged({ spec: { ports: [{ name: "admission", port: 443, targetPort: 1, protocol: "TCP" }] } })],
      [budget, unlabelled(NAME)],
      [
        mutating,
        replaced((object) => {
          const [first, ...rest] = at(object, "webhooks") as readonly object[]; // Our own configuration.
          return { ...object, webhooks: [{ ...first, namespaceSelector: {} }, ...rest] };
        }),
      ],
      [driver, accountSet],
      [STATUSES, patched({ op: "remove", path: "/spec/versions/0/subresources" })],
      [syncBudget, remade((manifest) => ({ ...manifest, spec: { ...(at(manifest, "spec") as object), maxUnavailable: 0 } }))],
    ),
  ];
}
