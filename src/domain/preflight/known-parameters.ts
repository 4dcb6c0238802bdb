/** The keys that Azure provider v1.8.2 reads. Case-sensitive; the provider ignores every other one without a word. */
export const KNOWN_PARAMETERS = [
  "keyvaultName",
  "tenantID",
  "tenantId",
  "objects",
  "cloudName",
  "cloudEnvFileName",
  "usePodIdentity",
  "useVMManagedIdentity",
  "userAssignedIdentityID",
  "clientID",
  "useAzureTokenProxy",
] as const;

/** Read by releases of years ago, and still in many classes: harmless, and no slip of the pen. */
export const FORMER_PARAMETERS: readonly string[] = [
  "resourceGroup",
  "subscriptionId",
  "useManagedIdentity",
  "keyvaultObjects",
  "vmmanagedidentityclientid",
  "usevmmanagedidentity",
];
