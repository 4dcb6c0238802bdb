import { isEqual, objectAt, textOf } from "../json.ts";
import { annotations, NAMESPACE, type Policy, WORKER } from "./policy.ts";

const GRANTS = "grants.keyvault-injector.dev/service-accounts";
const OWN_ACCOUNTS = ["keyvault-injector-sync", "keyvault-injector-webhook"];

/** Tokens that the worker can request. */
export const TOKENS: Policy = {
  name: "keyvault-injector-sync-tokens",
  user: WORKER,
  resources: ["serviceaccounts/token"],
  rules: ({ name, namespace, namespaceObject, object }) => {
    const { audiences, expirationSeconds } = objectAt(object, "spec");
    const granted = textOf(annotations(namespaceObject)[GRANTS] ?? "").split(",");
    return [
      {
        holds: isEqual(audiences, ["api://AzureADTokenExchange"]),
        message: "the sync worker can request tokens only for the one audience api://AzureADTokenExchange, which Entra exchanges",
      },
      {
        holds: Number(expirationSeconds ?? 3_600) <= 600,
        message: "the sync worker can request tokens only for 600 seconds, because it exchanges them immediately",
      },
      { holds: namespace !== "kube-system", message: "the sync worker cannot request tokens in kube-system" },
      {
        holds: namespace !== NAMESPACE || !OWN_ACCOUNTS.includes(name),
        message: "the sync worker cannot request tokens for keyvault-injector's own ServiceAccounts",
      },
      {
        holds: granted.some((account) => account.trim() === name),
        message: `Namespace ${namespace} does not grant ServiceAccount ${name} to the sync worker: someone with permission to update the Namespace must add it to the annotation ${GRANTS}, or run keyvault-injector grants --namespace ${namespace} --account ${name} --apply`,
      },
    ];
  },
};
