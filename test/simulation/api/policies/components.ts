import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type Json, type JsonObject, listAt, objectAt } from "../json.ts";
import { gainsNoHold, includes, invalidUnless, label, objectsAt, type Policy, type Rule, WORKER } from "./policy.ts";

const PROFILE = "security.openshift.io/csi-ephemeral-volume-profile";
const PRIORITY = 1_000_000_000;
const AUDIENCES = ["api://AzureADTokenExchange", "api://AKSIdentityBinding"];
const labelsOf = (component: string): JsonObject => ({
  "app.kubernetes.io/name": "keyvault-injector",
  "app.kubernetes.io/component": component,
});

/** Writes of the worker to the Service, PodDisruptionBudgets, ServiceAccounts, PriorityClass, and CSIDriver of the install. */
export const COMPONENTS: Policy = {
  name: "keyvault-injector-sync-components",
  user: WORKER,
  resources: [
    "services",
    "services/status",
    "serviceaccounts",
    "poddisruptionbudgets.policy",
    "poddisruptionbudgets.policy/status",
    "priorityclasses.scheduling.k8s.io",
    "csidrivers.storage.k8s.io",
  ],
  rules: (request) => [
    invalidUnless(
      request.operation !== "DELETE" && request.subresource === "",
      "the sync worker cannot delete a component or write its status",
    ),
    ...(request.operation === "DELETE" ? [] : (RULES[request.resource]?.(request) ?? [])),
    { holds: gainsNoHold(request), message: "the sync worker cannot add finalizers or owners to a component" },
  ],
};

const RULES: Readonly<Record<string, (request: AdmissionRequest) => readonly Rule[]>> = {
  services: (request) => [
    invalidUnless(
      isShipped(request, {
        needed: ["selector", "ports"],
        free: ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy", "sessionAffinity"],
        shipped: {
          type: "ClusterIP",
          selector: labelsOf("webhook"),
          ports: [{ name: "admission", port: 443, targetPort: "admission", protocol: "TCP" }],
        },
      }),
      "the sync worker can direct the webhook's Service only to the webhook's pods, on their own port",
    ),
  ],
  serviceaccounts: ({ object, oldObject }) => [
    invalidUnless(
      listAt(object, "secrets").every((secret) => includes(listAt(oldObject, "secrets"), secret)) &&
        isOneOrAsBefore([object, oldObject], "automountServiceAccountToken", [undefined, false]),
      "the sync worker cannot add Secrets to a ServiceAccount or set its automountServiceAccountToken to true",
    ),
  ],
  poddisruptionbudgets: (request) => [
    invalidUnless(
      isShipped(request, {
        needed: ["selector", "maxUnavailable"],
        free: [],
        shipped: {
          maxUnavailable: 1,
          unhealthyPodEvictionPolicy: "AlwaysAllow",
          selector: { matchLabels: labelsOf(request.name === "keyvault-injector-sync" ? "sync" : "webhook") },
        },
      }),
      "the sync worker can write PodDisruptionBudgets only for keyvault-injector's pods, with one pod allowed to be unavailable",
    ),
  ],
  priorityclasses: ({ object, oldObject }) => [
    invalidUnless(
      isEqual(object?.["value"], oldObject?.["value"] ?? PRIORITY) &&
        isOneOrAsBefore([object, oldObject], "globalDefault", [undefined, false]),
      "the sync worker can write keyvault-injector's PriorityClass only with its released value, and not as the cluster's default",
    ),
  ],
  csidrivers: driverRules,
};

function driverRules({ object, oldObject }: AdmissionRequest): readonly Rule[] {
  const [spec, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
  const isKnown = (request: JsonObject): boolean =>
    includes(AUDIENCES, request["audience"] ?? "") || includes(listAt(before, "tokenRequests"), request);
  const profile = label(object, PROFILE) ?? "restricted";
  return [
    invalidUnless(
      objectsAt(spec, "tokenRequests").every(isKnown) &&
        isOneOrAsBefore([spec, before], "attachRequired", [false]) &&
        isOneOrAsBefore([spec, before], "volumeLifecycleModes", [["Ephemeral"]]),
      "the sync worker can let the CSI driver receive tokens only for the audiences of the install, and only for ephemeral volumes",
    ),
    invalidUnless(
      ["restricted", label(oldObject, PROFILE) ?? "restricted"].includes(profile),
      "the sync worker cannot change who can use the CSI driver",
    ),
  ];
}

/** Whether the field has one of these values, or its previous value. */
function isOneOrAsBefore(
  [now, before]: readonly [JsonObject | undefined, JsonObject | undefined],
  field: string,
  values: readonly (Json | undefined)[],
): boolean {
  return [...values, before?.[field]].some((value) => isEqual(now?.[field], value));
}

interface Shipment {
  /** Fields that must exist, unless they did not exist before. */
  readonly needed: readonly string[];
  /** Fields that can have any value. */
  readonly free: readonly string[];
  /** Values of the other fields, unless they are as before. */
  readonly shipped: JsonObject;
}

function isShipped({ object, oldObject }: AdmissionRequest, { needed, free, shipped }: Shipment): boolean {
  const [spec, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
  const isThere = (field: string): boolean => field in spec || (oldObject !== undefined && !(field in before));
  const isRight = ([field, value]: readonly [string, Json]): boolean =>
    free.includes(field) || (field in before && isEqual(before[field], value)) || (field in shipped && isEqual(shipped[field], value));
  return needed.every(isThere) && Object.entries(spec).every(isRight);
}
