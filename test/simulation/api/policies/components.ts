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

/** What the worker may write into the Service, budgets, accounts, PriorityClass and CSIDriver of the install. */
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
      "the sync worker deletes no component, and writes no status",
    ),
    ...(request.operation === "DELETE" ? [] : (RULES[request.resource]?.(request) ?? [])),
    { holds: gainsNoHold(request), message: "the sync worker gives components neither finalizers nor owners" },
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
      "the sync worker has the webhook's Service lead to the webhook's pods on their own port, and to nothing else",
    ),
  ],
  serviceaccounts: ({ object, oldObject }) => [
    invalidUnless(
      listAt(object, "secrets").every((secret) => includes(listAt(oldObject, "secrets"), secret)) &&
        isOneOrAsBefore([object, oldObject], "automountServiceAccountToken", [undefined, false]),
      "the sync worker gives an account no Secret, and mounts its token nowhere",
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
      "the sync worker has the budgets of our own pods allow one of them to be away",
    ),
  ],
  priorityclasses: ({ object, oldObject }) => [
    invalidUnless(
      isEqual(object?.["value"], oldObject?.["value"] ?? PRIORITY) &&
        isOneOrAsBefore([object, oldObject], "globalDefault", [undefined, false]),
      "the sync worker makes our PriorityClass as it is shipped, and of no use to others",
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
      "the sync worker has the CSI driver get tokens for the audiences of the install, for volumes inside of pods",
    ),
    invalidUnless(
      ["restricted", label(oldObject, PROFILE) ?? "restricted"].includes(profile),
      "the sync worker says nothing else about who may use the CSI driver",
    ),
  ];
}

/** Whether the field has one of these values, or the one that it had. */
function isOneOrAsBefore(
  [now, before]: readonly [JsonObject | undefined, JsonObject | undefined],
  field: string,
  values: readonly (Json | undefined)[],
): boolean {
  return [...values, before?.[field]].some((value) => isEqual(now?.[field], value));
}

interface Shipment {
  /** Fields that are there, unless they were not before. */
  readonly needed: readonly string[];
  /** Fields that may say anything. */
  readonly free: readonly string[];
  /** Values of the others, where they are not as before. */
  readonly shipped: JsonObject;
}

function isShipped({ object, oldObject }: AdmissionRequest, { needed, free, shipped }: Shipment): boolean {
  const [spec, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
  const isThere = (field: string): boolean => field in spec || (oldObject !== undefined && !(field in before));
  const isRight = ([field, value]: readonly [string, Json]): boolean =>
    free.includes(field) || (field in before && isEqual(before[field], value)) || (field in shipped && isEqual(shipped[field], value));
  return needed.every(isThere) && Object.entries(spec).every(isRight);
}
