import { isEqual, objectAt } from "../json.ts";
import { type Policy, WORKER } from "./policy.ts";

/** Which tokens the worker may ask for. */
export const TOKENS: Policy = {
  name: "keyvault-injector-sync-tokens",
  user: WORKER,
  resources: ["serviceaccounts/token"],
  rules: ({ object }) => {
    const { audiences, expirationSeconds } = objectAt(object, "spec");
    return [
      {
        holds: isEqual(audiences, ["api://AzureADTokenExchange"]),
        message: "the sync worker asks for tokens with the one audience api://AzureADTokenExchange, which Entra exchanges",
      },
      {
        holds: Number(expirationSeconds ?? 3_600) <= 600,
        message: "the sync worker asks for tokens of 600 seconds, which it exchanges at once",
      },
    ];
  },
};
