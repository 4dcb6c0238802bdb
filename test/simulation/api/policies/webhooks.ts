import { readManifests } from "../../../support/cluster/shipped-manifests.ts";
import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import { annotations, gainsNoHold, includes, invalidUnless, NAMESPACE, objectsAt, type Policy, WORKER } from "./policy.ts";

const NAME = "keyvault-injector";
const INJECTION = "cert-manager.io/inject-ca-from";
const HOW_CALLED = ["failurePolicy", "sideEffects", "matchPolicy", "timeoutSeconds", "reinvocationPolicy", "admissionReviewVersions"];

/** Our webhooks by name, as shipped, for each kind of configuration. */
const SHIPPED: Readonly<Record<string, ReadonlyMap<string, JsonObject>>> = {
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": shippedIn("base/webhook-configuration.yaml"),
  "validatingwebhookconfigurations.admissionregistration.k8s.io": shippedIn("base/preflight-configuration.yaml"),
};

function shippedIn(file: string): ReadonlyMap<string, JsonObject> {
  const webhooks = readManifests(file).flatMap((manifest) => objectsAt({ webhooks: manifest["webhooks"] as Json }, "webhooks")); // Our YAML contains only JSON values.
  return new Map(webhooks.map((webhook) => [stringAt(webhook, "name") ?? "", webhook]));
}

/** The worker can write our webhooks only as shipped, or as they were before. */
export const WEBHOOKS: Policy = {
  name: "keyvault-injector-sync-webhooks",
  user: WORKER,
  resources: Object.keys(SHIPPED),
  rules: (request) => {
    const { operation, group, resource, name, object, oldObject } = request;
    const shipped = SHIPPED[`${resource}.${group}`] ?? new Map<string, JsonObject>();
    const shippedAs = (webhook: JsonObject): JsonObject => shipped.get(stringAt(webhook, "name") ?? "") ?? {};
    const before = objectsAt(oldObject, "webhooks");
    const changed = objectsAt(object, "webhooks").filter((webhook) => !includes(before, webhook));
    const unlessAsBefore = (fields: readonly string[], isShipped: (webhook: JsonObject, shipped: JsonObject) => boolean): boolean =>
      changed.every((webhook) => {
        const isAsBefore = (old: JsonObject): boolean =>
          old["name"] === webhook["name"] && fields.every((field) => isEqual(old[field], webhook[field]));
        return isShipped(webhook, shippedAs(webhook)) || before.some(isAsBefore);
      });
    return [
      invalidUnless(
        operation !== "DELETE" && name === NAME,
        "the sync worker can write only the webhook configurations named keyvault-injector, and cannot delete them",
      ),
      invalidUnless(
        changed.every((webhook) => shipped.has(stringAt(webhook, "name") ?? "")),
        "the sync worker cannot add webhooks with other names to keyvault-injector's configurations",
      ),
      invalidUnless(
        changed.every((webhook) => leadsToUs(webhook, shippedAs(webhook))),
        "the sync worker can direct keyvault-injector's webhooks only to their own Service and paths, not to a URL",
      ),
      invalidUnless(
        changed.every((webhook) => publishesNothing(webhook, before)),
        "the sync worker cannot publish a CA",
      ),
      invalidUnless(
        unlessAsBefore(["rules"], (webhook, shipped) => isEqual(listAt(webhook, "rules"), listAt(shipped, "rules"))),
        "the sync worker can register keyvault-injector's webhooks only for the requests listed in manifests/base",
      ),
      invalidUnless(
        unlessAsBefore(["namespaceSelector"], staysAway),
        "the sync worker cannot apply keyvault-injector's webhooks to kube-system or to the install's own namespace",
      ),
      invalidUnless(
        unlessAsBefore(["matchConditions"], keepsConditions),
        "the sync worker cannot remove the match conditions of keyvault-injector's webhooks",
      ),
      invalidUnless(
        unlessAsBefore(HOW_CALLED, isCalledAsShipped),
        "the sync worker can configure calls to keyvault-injector's webhooks only as in manifests/base, with failurePolicy Ignore",
      ),
      invalidUnless(namesOurCertificate(request), "the sync worker cannot name another certificate for cert-manager to publish"),
      { holds: gainsNoHold(request), message: "the sync worker cannot add finalizers or owners to a webhook configuration" },
    ];
  },
};

function serviceOf(webhook: JsonObject): JsonObject {
  return objectAt(objectAt(webhook, "clientConfig"), "service");
}

function leadsToUs(webhook: JsonObject, shipped: JsonObject): boolean {
  const { name, namespace, path = "", port = 443 } = serviceOf(webhook);
  const isOurs = name === "keyvault-injector-webhook" && namespace === NAMESPACE && port === 443;
  return isOurs && path === (serviceOf(shipped)["path"] ?? "none") && !("url" in objectAt(webhook, "clientConfig"));
}

/** Whether the CA is empty or unchanged: only the webhook or cert-manager publishes one. */
function publishesNothing(webhook: JsonObject, before: readonly JsonObject[]): boolean {
  const { caBundle = "" } = objectAt(webhook, "clientConfig");
  return caBundle === "" || before.some((old) => old["name"] === webhook["name"] && objectAt(old, "clientConfig")["caBundle"] === caBundle);
}

function staysAway(webhook: JsonObject): boolean {
  return objectsAt(objectAt(webhook, "namespaceSelector"), "matchExpressions").some(
    ({ key, operator, ...term }) =>
      key === "kubernetes.io/metadata.name" &&
      operator === "NotIn" &&
      ["kube-system", NAMESPACE].every((name) => includes(listAt(term, "values"), name)),
  );
}

function keepsConditions(webhook: JsonObject, shipped: JsonObject): boolean {
  const conditions = listAt(webhook, "matchConditions");
  return listAt(shipped, "matchConditions").every((condition) => includes(conditions, condition));
}

function isCalledAsShipped(webhook: JsonObject): boolean {
  const { failurePolicy, sideEffects, matchPolicy, timeoutSeconds = 30, reinvocationPolicy = "Never", admissionReviewVersions } = webhook;
  return (
    isEqual([failurePolicy ?? "", sideEffects ?? "", matchPolicy ?? ""], ["Ignore", "None", "Equivalent"]) &&
    Number(timeoutSeconds) <= 5 &&
    reinvocationPolicy === (webhook["name"] === "pods.keyvault-injector.dev" ? "IfNeeded" : "Never") &&
    isEqual(admissionReviewVersions, ["v1"])
  );
}

function namesOurCertificate({ object, oldObject }: AdmissionRequest): boolean {
  const before = annotations(oldObject);
  return Object.entries(annotations(object)).every(
    ([key, value]) =>
      !key.startsWith("cert-manager.io/") ||
      (key === INJECTION && value === `${NAMESPACE}/keyvault-injector-webhook`) ||
      isEqual(before[key], value),
  );
}
