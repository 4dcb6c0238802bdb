import { CLASS_ANNOTATIONS } from "./annotations.ts";
import { isDnsSubdomain } from "./kubernetes-names.ts";
import { inPlaceOf, isPlaceholder } from "./placeholder.ts";
import { quoted } from "./quoted.ts";

/**
 * Returns the ServiceAccount that the author of a class names, even if no ServiceAccount can have that name; undefined if the class names
 * none.
 */
export function statedAccount(annotations: Readonly<Record<string, string>> = {}): string | undefined {
  return annotations[CLASS_ANNOTATIONS.serviceAccount];
}

/** Explains why no ServiceAccount can have the name that a class states. Returns undefined if one can. */
export function accountNameProblem(name: string): string | undefined {
  if (isDnsSubdomain(name)) return undefined;
  const subject = `annotation ${CLASS_ANNOTATIONS.serviceAccount}`;
  if (isPlaceholder(name)) return `${subject}: write the name of a ServiceAccount${inPlaceOf(name)}`;
  return `${subject}: ${quoted(name)} is not the name of a ServiceAccount; use lower-case letters, digits, - and ., starting and ending with a letter or digit, at most 253 characters`;
}
