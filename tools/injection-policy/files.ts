/** Writes the policies as source files for kustomize. */
import { Document, isScalar, Scalar, visit } from "yaml";
import { policyDigest } from "../../src/cli/shared/policy-digest.ts";
import { readRepositoryFile } from "../repository-files.ts";
import { HAS_OWN_SECRETS, IS_DONE } from "./done.ts";
import { injectionPolicy } from "./policies.ts";

const FOLDER = "manifests/components/injection-policy";

export interface GeneratedFile {
  /** Relative to the checkout. */
  readonly file: string;
  readonly text: string;
}

const DIGEST_FILE = "src/cli/shared/injection-policy-digest.ts";

export function injectionFiles(version: string): readonly GeneratedFile[] {
  const [policy, ...others] = injectionPolicy(version);
  const digest = policyDigest(policy.spec);
  return [
    finalCheck(),
    { file: `${FOLDER}/inject.yaml`, text: HEADING + [policy, ...others].map(textOf).join("---\n") },
    {
      file: DIGEST_FILE,
      text: `/** Digest of the injection policy that this version ships. tools/render-manifests.ts generates this file. */\nexport const INJECTION_POLICY_DIGEST = "${digest}";\n`,
    },
  ];
}

const FINAL_CHECK = "manifests/policies/pod-volume.yaml";

const CONDITION = /(?<=- name: not-done\n {6}expression: \|-\n {8}).*/;

/**
 * Writes the same condition into the final check, the rest of which is written by hand. Throws if the file has no place for the condition.
 */
function finalCheck(): GeneratedFile {
  const written = readRepositoryFile(FINAL_CHECK);
  if (!CONDITION.test(written)) throw new Error(`${FINAL_CHECK} has no condition not-done whose expression is a block`);
  return { file: FINAL_CHECK, text: written.replace(CONDITION, () => `!(${HAS_OWN_SECRETS} && ${IS_DONE})`) };
}

const HEADING = "# Made by tools/render-manifests.ts from tools/injection-policy: what the webhook does, in the API server itself.\n";

/** Writes expressions as YAML blocks, which need no escapes. */
function textOf(object: object): string {
  const document = new Document(object, { aliasDuplicateObjects: false });
  visit(document, {
    Pair(_, { key, value }) {
      const isExpression = isScalar(key) && ["expression", "messageExpression"].includes(String(key.value));
      if (isExpression && isScalar(value) && String(value.value).includes('"')) value.type = Scalar.BLOCK_LITERAL;
    },
  });
  return document.toString({ lineWidth: 0 });
}
