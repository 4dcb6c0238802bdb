/** Digest of the injection policy that this version ships. tools/render-manifests.ts generates this file. */
export const INJECTION_POLICY_DIGEST = "d349214f5e12a1ee8e35a01c2a46ae302cce9b830f082ffda286840b6ab8fc6a";
