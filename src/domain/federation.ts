/** The audience of tokens that Entra exchanges; fixed by Microsoft Entra's workload identity federation. */
export const FEDERATION_AUDIENCE = "api://AzureADTokenExchange";
