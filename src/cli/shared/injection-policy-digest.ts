/** Made by tools/render-manifests.ts: of the policy that this version ships. */
export const INJECTION_POLICY_DIGEST = "93e4ecd23bbdea2976b5f44e95120bb3d55c4b864622962765f42c687f955101";
