import { CLASS_ANNOTATIONS } from "./annotations.ts";
import { isDnsSubdomain } from "./kubernetes-names.ts";
import { inPlaceOf, isPlaceholder } from "./placeholder.ts";
import { quoted } from "./quoted.ts";

/** The ServiceAccount that the author of a class names, which may be a name that none can have; undefined where no one is named. */
export function statedAccount(annotations: Readonly<Record<string, string>> = {}): string | undefined {
  return annotations[CLASS_ANNOTATIONS.serviceAccount];
}

/** Why no ServiceAccount can have the name that a class states; undefined where one can. */
export function accountNameProblem(name: string): string | undefined {
  if (isDnsSubdomain(name)) return undefined;
  const subject = `annotation ${CLASS_ANNOTATIONS.serviceAccount}`;
  if (isPlaceholder(name)) return `${subject}: write the name of a ServiceAccount${inPlaceOf(name)}`;
  return `${subject}: ${quoted(name)} is not the name of a ServiceAccount; use lower-case letters, digits, - and ., starting and ending with a letter or digit, at most 253 characters`;
}
