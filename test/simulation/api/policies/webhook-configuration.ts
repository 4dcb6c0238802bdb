import { isEqual, isObject, type JsonObject, listAt, objectAt } from "../json.ts";
import { metadata, type Policy, WEBHOOK } from "./policy.ts";

const METADATA = ["labels", "annotations", "ownerReferences", "finalizers"];

/** What the webhook may change in webhook configurations: the `caBundle` of its own. */
export const WEBHOOK_CONFIGURATION: Policy = {
  name: "keyvault-injector-webhook-configuration",
  user: WEBHOOK,
  resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].map((plural) => `${plural}.admissionregistration.k8s.io`),
  rules: ({ operation, object, oldObject }) => {
    if (operation !== "UPDATE") return [{ holds: false, message: "the webhook neither creates nor deletes webhook configurations" }];
    return [
      {
        holds: METADATA.every((name) => isEqual(metadata(object)[name], metadata(oldObject)[name])),
        message: "the webhook changes `caBundle` in its configuration and nothing else, not even its metadata",
      },
      {
        holds: isEqual(withoutBundles(object), withoutBundles(oldObject)),
        message: "the webhook changes `caBundle` in its configuration and nothing else",
      },
    ];
  },
};

function withoutBundles(configuration: JsonObject | undefined): readonly JsonObject[] {
  return listAt(configuration, "webhooks")
    .filter(isObject)
    .map((webhook) => {
      const { caBundle: _caBundle, ...client } = objectAt(webhook, "clientConfig");
      return { ...webhook, clientConfig: client };
    });
}
