import { readManifests } from "../../../support/cluster/shipped-manifests.ts";
import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import { annotations, gainsNoHold, includes, invalidUnless, NAMESPACE, objectsAt, type Policy, WORKER } from "./policy.ts";

const NAME = "keyvault-injector";
const INJECTION = "cert-manager.io/inject-ca-from";
const HOW_CALLED = ["failurePolicy", "sideEffects", "matchPolicy", "timeoutSeconds", "reinvocationPolicy", "admissionReviewVersions"];

/** Our webhooks by name, as they are shipped. */
const SHIPPED: ReadonlyMap<string, JsonObject> = new Map(
  ["base/webhook-configuration.yaml", "base/preflight-configuration.yaml"]
    .flatMap(readManifests)
    .flatMap(({ webhooks }) => objectsAt({ webhooks: webhooks as Json }, "webhooks")) // Read from YAML of ours.
    .map((webhook) => [stringAt(webhook, "name") ?? "", webhook]),
);

/** What the worker may write into webhook configurations: ours as they are shipped, and what somebody else wrote before. */
export const WEBHOOKS: Policy = {
  name: "keyvault-injector-sync-webhooks",
  user: WORKER,
  resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].map((plural) => `${plural}.admissionregistration.k8s.io`),
  rules: (request) => {
    const { operation, name, object, oldObject } = request;
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
        "the sync worker writes the webhook configurations keyvault-injector, and deletes none",
      ),
      invalidUnless(
        changed.every((webhook) => SHIPPED.has(stringAt(webhook, "name") ?? "")),
        "the sync worker adds no webhook of another name to our configurations",
      ),
      invalidUnless(
        changed.every((webhook) => leadsToUs(webhook)),
        "the sync worker has our webhooks call our own Service under their own paths, and no URL",
      ),
      invalidUnless(
        changed.every((webhook) => publishesNothing(webhook, before)),
        "the sync worker publishes no CA",
      ),
      invalidUnless(
        unlessAsBefore(["rules"], (webhook, shipped) => isEqual(listAt(webhook, "rules"), listAt(shipped, "rules"))),
        "the sync worker has our webhooks called about what manifests/base says, and nothing else",
      ),
      invalidUnless(
        unlessAsBefore(["namespaceSelector"], staysAway),
        "the sync worker keeps our webhooks away from kube-system and from the install's own namespace",
      ),
      invalidUnless(unlessAsBefore(["matchConditions"], keepsConditions), "the sync worker keeps the match conditions of our webhooks"),
      invalidUnless(
        unlessAsBefore(HOW_CALLED, isCalledAsShipped),
        "the sync worker has our webhooks called as manifests/base says, failing open",
      ),
      invalidUnless(namesOurCertificate(request), "the sync worker names no other certificate for cert-manager to publish"),
      { holds: gainsNoHold(request), message: "the sync worker gives webhook configurations neither finalizers nor owners" },
    ];
  },
};

function shippedAs(webhook: JsonObject): JsonObject {
  return SHIPPED.get(stringAt(webhook, "name") ?? "") ?? {};
}

function serviceOf(webhook: JsonObject): JsonObject {
  return objectAt(objectAt(webhook, "clientConfig"), "service");
}

function leadsToUs(webhook: JsonObject): boolean {
  const { name, namespace, path = "", port = 443 } = serviceOf(webhook);
  const isOurs = name === "keyvault-injector-webhook" && namespace === NAMESPACE && port === 443;
  return isOurs && path === (serviceOf(shippedAs(webhook))["path"] ?? "none") && !("url" in objectAt(webhook, "clientConfig"));
}

/** Whose certificate the API server trusts is the webhook's to publish, or cert-manager's. */
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
