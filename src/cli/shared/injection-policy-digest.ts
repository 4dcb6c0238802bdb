/** Made by tools/render-manifests.ts: of the policy that this version ships. */
export const INJECTION_POLICY_DIGEST = "86c75c867efa29b29ff30d3edca763e16feebb101fa8a3bb10af278aabfa5b2f";
