/**
 * Versions of the data plane, oldest first: those of https://learn.microsoft.com/rest/api/keyvault and of the official SDKs. Clouds differ
 * in the versions that they know. National clouds have lagged for months (https://github.com/Azure/azure-sdk-for-net/issues/14789,
 * https://github.com/Azure/azure-sdk-for-js/issues/21152). Azure Stack Hub ends at 7.1
 * (https://github.com/Azure/azure-sdk-for-python/issues/28595).
 */
export const API_VERSIONS: readonly string[] = [
  "2015-06-01",
  "2016-10-01",
  "7.0",
  "7.1",
  "7.2",
  "7.3",
  "7.4",
  "7.5",
  "7.6",
  "2025-07-01",
  "2026-04-01",
];
