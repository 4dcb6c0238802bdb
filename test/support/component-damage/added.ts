import { NODE_NAMESPACE } from "../../../src/domain/healing/components.ts";
import { RESOURCES } from "../../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../../src/domain/rollout/workload-kinds.ts";
import type { Target } from "./cluster.ts";
import { merged, type Operation, patched, strategicallyPatched } from "./operations.ts";
import { CLASSES, type Damage } from "./table.ts";

/** A container that another user adds. */
const EXTRA = { name: "extra", image: "example.com/other:1" };
const ofPods = (spec: object): object => ({ spec: { template: { spec } } });
const added = (path: string, value: unknown): Operation => patched({ op: "add", path, value });

/** Fields that edits add to those of the installer, and that an apply leaves, as rounds of damage. */
export function addedRounds(namespace: string): readonly (readonly Damage[])[] {
  const own = (resource: Target["resource"], name: string): Target => ({ resource, namespace, name });
  const node = (name: string): Target => ({ resource: WORKLOADS.DaemonSet, namespace: NODE_NAMESPACE, name });
  const webhook = own(WORKLOADS.Deployment, "keyvault-injector-webhook");
  const sync = own(WORKLOADS.Deployment, "keyvault-injector-sync");
  const service = own(RESOURCES.services, "keyvault-injector-webhook");
  const mutating: Target = { resource: RESOURCES.mutatingWebhookConfigurations, name: "keyvault-injector" };
  const validating: Target = { resource: RESOURCES.validatingWebhookConfigurations, name: "keyvault-injector" };
  const priority: Target = { resource: RESOURCES.priorityClasses, name: "keyvault-injector" };
  const csiDriver: Target = { resource: RESOURCES.csiDrivers, name: "secrets-store.csi.k8s.io" };
  const [driver, provider] = [node("csi-secrets-store"), node("csi-secrets-store-provider-azure")];
  const never = { name: "never", expression: "false" };
  const round = (...damages: readonly (readonly [Target, Operation])[]): readonly Damage[] =>
    damages.map(([target, operation]) => ({ target, operation }));
  return [
    round(
      [mutating, added("/webhooks/0/objectSelector", { matchLabels: { nobody: "has-this" } })],
      [validating, added("/webhooks/1/matchConditions/-", never)],
      [webhook, strategicallyPatched(ofPods({ initContainers: [EXTRA] }))],
      [sync, merged(ofPods({ tolerations: [{ key: "somebody", operator: "Exists" }] }))],
      [service, merged({ spec: { publishNotReadyAddresses: true } })],
      [csiDriver, merged({ spec: { storageCapacity: true } })],
      [driver, strategicallyPatched(ofPods({ containers: [EXTRA] }))],
      [provider, merged(ofPods({ dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.1"] } }))],
      [priority, merged({ globalDefault: true })],
    ),
    round(
      [mutating, added("/webhooks/0/matchConditions/-", never)],
      [validating, added("/webhooks/0/objectSelector", { matchLabels: { nobody: "has-this" } })],
      [webhook, merged({ spec: { paused: true } })],
      [sync, strategicallyPatched(ofPods({ containers: [{ name: "sync", env: [{ name: "NODE_OPTIONS", value: "--inspect" }] }] }))],
      [service, strategicallyPatched({ spec: { ports: [{ name: "extra", port: 8443, targetPort: "admission" }] } })],
      [driver, merged({ spec: { minReadySeconds: 3_600 } })],
      [provider, merged(ofPods({ hostPID: true }))],
    ),
  ];
}

/** Damage that the worker only reports, with the operation that undoes it. */
export interface ReportedDamage extends Damage {
  readonly undo: Operation;
}

const binding: Target = { resource: RESOURCES.validatingAdmissionPolicyBindings, name: "keyvault-injector-sync-tokens" };
const policy: Target = { resource: RESOURCES.validatingAdmissionPolicies, name: "keyvault-injector-sync-secrets" };
const role: Target = { resource: RESOURCES.clusterRoles, name: "keyvault-injector-view" };
const elsewhere = { matchLabels: { nobody: "has-this" } };
const service = { namespace: "default", name: "elsewhere" };
const conversion = { strategy: "Webhook", webhook: { clientConfig: { service }, conversionReviewVersions: ["v1"] } };

/** Changes that narrow a policy, widen a role, or put a webhook between the API server and its objects. */
export const ADDED_TO_REPORTED: readonly ReportedDamage[] = [
  {
    target: policy,
    operation: added("/spec/matchConditions/-", { name: "never", expression: "false" }),
    undo: patched({ op: "remove", path: "/spec/matchConditions/1" }),
  },
  {
    target: binding,
    operation: merged({ spec: { matchResources: { namespaceSelector: elsewhere } } }),
    undo: merged({ spec: { matchResources: null } }),
  },
  {
    target: role,
    operation: merged({ aggregationRule: { clusterRoleSelectors: [elsewhere] } }),
    undo: merged({ aggregationRule: null }),
  },
  {
    target: CLASSES,
    operation: merged({ spec: { conversion } }),
    undo: merged({ spec: { conversion: { strategy: "None", webhook: null } } }),
  },
];
