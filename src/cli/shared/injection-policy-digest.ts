/** Made by tools/render-manifests.ts: of the policy that this version ships. */
export const INJECTION_POLICY_DIGEST = "6b273eb534ba3e7ceee58a39998e05b7426a944cea21d33f724bdae5ee9bc7df";
