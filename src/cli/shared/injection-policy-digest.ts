/** Made by tools/render-manifests.ts: of the policy that this version ships. */
export const INJECTION_POLICY_DIGEST = "70ca2d753662e485aefc8f59a2fc9ed38ffc7385639de86d0f29927b4d184612";
