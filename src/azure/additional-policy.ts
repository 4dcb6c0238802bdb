import type { SecretClientOptions } from "@azure/keyvault-secrets";

/** A step that we add between the SDK and the network. */
export type AdditionalPolicy = NonNullable<SecretClientOptions["additionalPolicies"]>[number];
