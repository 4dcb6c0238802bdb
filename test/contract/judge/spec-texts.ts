/**
 * Every error text that the specification quotes. Each must come from a case, word for word from both sides, before anything is
 * normalised. Two can never come: `no identity mode is enabled`, since a service principal is the last resort, and `failed to parse key
 * for type pkcs1, pkcs8 or ec`, since the reader of PKCS#12 refuses such keys itself.
 */
export const SPEC_TEXTS: readonly string[] = [
  // Parameters, in the order of the checks.
  'failed to parse usePodIdentity flag, error: strconv.ParseBool: parsing "tru": invalid syntax',
  'failed to parse useVMManagedIdentity flag, error: strconv.ParseBool: parsing "tru": invalid syntax',
  'failed to parse useAzureTokenProxy flag, error: strconv.ParseBool: parsing "tru": invalid syntax',
  "only one identity mode can be enabled at a time: usePodIdentity, useVMManagedIdentity, or useAzureTokenProxy",
  "keyvaultName is not provided",
  "tenantId is not provided",
  'is not valid, error: autorest/azure: There is no cloud environment matching the name "',
  "cloudName AzureStackCloud is not valid, error: open absent.json: no such file or directory",
  "failed to build auth config for mode None: failed to get credentials, nodePublishSecretRef secret is not set",
  "failed to build auth config for mode None: could not find clientid in secrets",
  "failed to build auth config for mode None: could not find clientsecret in secrets",
  "failed to build auth config for mode AzureTokenProxy: clientID is required for identity binding",
  "objects is not set",
  "failed to yaml unmarshal objects, error: yaml: unmarshal errors:",
  "cannot unmarshal !!seq into types.StringArray",
  "cannot unmarshal !!map into string",
  "unmarshal failed for keyVaultObjects at index 0, error: yaml: unmarshal errors:",
  'mapping key "objectName" already defined at line 1',
  'failed to get vault: Invalid vault name: "ab", must be between 3 and 24 chars',
  'failed to get vault: Invalid vault name: "my_vault", must match [-a-zA-Z0-9]{3,24}',
  "failed to get keyvault client: ",
  // Objects.
  "failed to get objectType:secret, objectName:gone, objectVersion:: ",
  ", should be PEM or PFX",
  ": PFX format only supported for objectType: secret",
  ": objectEncoding only supported for objectType: secret",
  ", should be hex, base64 or utf-8",
  ": file name must not be empty",
  ": file name must be a relative path",
  ": file name must not contain '..'",
  ": Invalid vaultObjectTypes. Should be secret, key, or cert",
  // Contents.
  ": failed to get certificate. unknown content type 'text/plain'",
  ": no leaf found",
  ": constructing chain resulted in cycle",
  ": curve P-256K is not supported",
  ": failed to get key. key type 'oct' currently not supported",
  "secret value is nil",
  "secret id is nil",
  "key value is nil",
  "key id is nil",
  "certificate value is nil",
  "certificate id is nil",
  "illegal base64 data at input byte 4",
  "encoding/hex: odd length hex string",
  // Secret data.
  "secret name is empty",
  "secret type is empty",
  "data is empty",
  "object name in secretObjects.data",
  "key in secretObjects.data is empty",
  "file matching objectName gone not found in the pod",
  "key 'ca.crt' is not supported. Only 'tls.key' and 'tls.crt' are supported",
  "failed to get cert data from file web, err: pkcs12: error reading P12 data: asn1: syntax error: sequence truncated",
  "unknown private key type found while getting key. Only rsa and ecdsa are supported",
];

/** Those that only the provider gives, by the row of the compatibility page that says why. */
export const LISTED_TEXTS: readonly (readonly [text: string, row: string])[] = [
  ["pod name is not provided", "without-a-pod"],
  ["pod namespace is not provided", "without-a-pod"],
  ["failed to parse workload identity tokens, error: service account tokens not found", "without-a-pod"],
  ["failed to parse workload identity tokens, error: token for audience api://AzureADTokenExchange not found", "without-a-pod"],
  ["failed to parse workload identity tokens, error: failed to unmarshal service account tokens, error: ", "without-a-pod"],
  ["service account tokens are required for identity binding", "identity-modes"],
  ["proxy transport not available: ", "identity-modes"],
  ["pkcs12: unknown digest algorithm: 2.16.840.1.101.3.4.2.1", "modern-pfx"],
  ["encoding/hex: invalid byte: U+007A 'z'", "hex-error"],
];
