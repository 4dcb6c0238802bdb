/** Made by tools/render-manifests.ts: of the policy that this version ships. */
export const INJECTION_POLICY_DIGEST = "8c088b4c72cc9b71a076d9911b8ad64bf76fdb18e8dd0d943811b20a00c9f173";
