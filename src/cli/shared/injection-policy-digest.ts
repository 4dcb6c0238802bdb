/** Made by tools/render-manifests.ts: of the policy that this version ships. */
export const INJECTION_POLICY_DIGEST = "bf37041173b0462d6d24d340f77789dc47be17ae0769a8d93d84bf018914fdd7";
