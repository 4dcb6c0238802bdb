import { isEqual, isList, isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import type { Cause } from "../refusal.ts";
import { duplicate, forbiddenField, IMMUTABLE, invalidValue, required, unsupported } from "./cause.ts";
import { selectorCauses } from "./metadata.ts";
import { isSubdomain } from "./names.ts";

/** Validation of kinds with only one or two rules. */

export function leaseCauses(lease: JsonObject): readonly Cause[] {
  const spec = objectAt(lease, "spec");
  const seconds = spec["leaseDurationSeconds"];
  const transitions = spec["leaseTransitions"];
  return [
    ...(typeof seconds === "number" && seconds <= 0 ? [invalidValue("spec.leaseDurationSeconds", seconds, "must be greater than 0")] : []),
    ...(typeof transitions === "number" && transitions < 0
      ? [invalidValue("spec.leaseTransitions", transitions, "must be greater than or equal to 0")]
      : []),
  ];
}

/** Validates only the namespaces of an event, like the API server for core/v1. */
export function eventCauses(event: JsonObject): readonly Cause[] {
  const namespace = stringAt(objectAt(event, "metadata"), "namespace") ?? "";
  const of = stringAt(objectAt(event, "involvedObject"), "namespace") ?? "";
  const isFitting = of === "" ? namespace === "" || namespace === "default" : namespace === of;
  return [
    ...(isFitting ? [] : [invalidValue("involvedObject.namespace", of, "does not match event.namespace")]),
    ...isSubdomain(namespace).map((why) => invalidValue("namespace", namespace, why)),
  ];
}

export function revisionCauses(revision: JsonObject): readonly Cause[] {
  const number = revision["revision"];
  return typeof number === "number" && number < 0 ? [invalidValue("revision", number, "must be greater than or equal to 0")] : [];
}

export function revisionDataCauses(revision: JsonObject): readonly Cause[] {
  const data = revision["data"] ?? null;
  if (data === null) return [required("data", "data is mandatory")];
  return isObject(data) ? [] : [required("data", "data must be a valid JSON object")];
}

export function revisionChangeCauses(revision: JsonObject, old: JsonObject): readonly Cause[] {
  return isEqual(revision["data"], old["data"]) ? [] : [invalidValue("data", revision["data"], IMMUTABLE)];
}

export function budgetCauses(budget: JsonObject): readonly Cause[] {
  const spec = objectAt(budget, "spec");
  const isBoth = spec["minAvailable"] !== undefined && spec["maxUnavailable"] !== undefined;
  return [
    ...(isBoth ? [invalidValue("spec", spec, "minAvailable and maxUnavailable cannot be both set")] : []),
    ...selectorCauses(objectAt(spec, "selector"), "spec.selector"),
  ];
}

/** Validates only the names of the ports. */
export function serviceCauses(service: JsonObject): readonly Cause[] {
  const ports = listAt(objectAt(service, "spec"), "ports").filter(isObject);
  const names = ports.map((port) => stringAt(port, "name") ?? "");
  return names.flatMap((name, index): readonly Cause[] => {
    const field = `spec.ports[${index}].name`;
    if (name === "") return ports.length > 1 ? [required(field)] : [];
    return names.indexOf(name) < index ? [duplicate(field, name)] : [];
  });
}

export function bindingCauses(binding: JsonObject, kinds: readonly string[]): readonly Cause[] {
  const role = objectAt(binding, "roleRef");
  const name = stringAt(role, "name") ?? "";
  const kind = stringAt(role, "kind") ?? "";
  return [...(kinds.includes(kind) ? [] : [unsupported("roleRef.kind", kind, kinds)]), ...(name === "" ? [required("roleRef.name")] : [])];
}

export function bindingChangeCauses(binding: JsonObject, old: JsonObject): readonly Cause[] {
  return isEqual(binding["roleRef"], old["roleRef"]) ? [] : [invalidValue("roleRef", binding["roleRef"], "cannot change roleRef")];
}

export function priorityChangeCauses(priority: JsonObject, old: JsonObject): readonly Cause[] {
  return ["value", "preemptionPolicy"].flatMap((name) =>
    isEqual(priority[name], old[name])
      ? []
      : [name === "value" ? forbiddenField("value", "may not be changed in an update.") : invalidValue(name, priority[name], IMMUTABLE)],
  );
}

export function driverCauses(driver: JsonObject): readonly Cause[] {
  const spec = objectAt(driver, "spec");
  const { serviceAccountTokenInSecrets: inSecrets } = spec;
  if (inSecrets === undefined || listAt(spec, "tokenRequests").length > 0) return [];
  const why = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
  return [invalidValue("spec.serviceAccountTokenInSecrets", inSecrets, why)];
}

export function driverChangeCauses(driver: JsonObject, old: JsonObject): readonly Cause[] {
  const [spec, before] = [objectAt(driver, "spec"), objectAt(old, "spec")];
  return ["attachRequired", "volumeLifecycleModes"].flatMap((name) => {
    // The API server's own spelling.
    const field = name === "attachRequired" ? "spec.attachedRequired" : `spec.${name}`;
    return isEqual(spec[name], before[name]) ? [] : [invalidValue(field, spec[name], IMMUTABLE)];
  });
}

export function webhookCauses(configuration: JsonObject): readonly Cause[] {
  return listAt(configuration, "webhooks").flatMap((webhook, index) =>
    isObject(webhook) ? oneWebhookCauses(webhook, `webhooks[${index}]`) : [],
  );
}

function oneWebhookCauses(webhook: JsonObject, field: string): readonly Cause[] {
  const name = stringAt(webhook, "name") ?? "";
  const versions = webhook["admissionReviewVersions"];
  const client = objectAt(webhook, "clientConfig");
  const effects: Json = webhook["sideEffects"] ?? null;
  const hasOne = (client["url"] === undefined) !== (client["service"] === undefined);
  return [
    ...qualifiedWebhookName(name, `${field}.name`),
    ...(isList(versions) && versions.length > 0 ? [] : [required(`${field}.admissionReviewVersions`, "must specify one of v1, v1beta1")]),
    ...(effects === null ? [required(`${field}.sideEffects`, "must specify one of None, NoneOnDryRun")] : []),
    ...(hasOne ? [] : [required(`${field}.clientConfig`, "exactly one of url or service is required")]),
  ];
}

function qualifiedWebhookName(name: string, field: string): readonly Cause[] {
  if (name === "") return [required(field)];
  const wrong = isSubdomain(name);
  if (wrong.length > 0) return [invalidValue(field, name, wrong.join(","))];
  return name.split(".").length < 3 ? [invalidValue(field, name, "should be a domain with at least three segments separated by dots")] : [];
}
