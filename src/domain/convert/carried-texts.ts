import { isReservedKey } from "../secret-objects/rules.ts";
import { isTextMap, textMapProblem } from "../text-map.ts";
import type { Texts } from "./class-draft.ts";
import { errorOn, type FieldPath, fieldText, type PeerObject, type Remark, warningOn } from "./peer-object.ts";

/** Of the manifest, and never of what is made from it. */
const OF_KUBECTL = "kubectl.kubernetes.io/last-applied-configuration";

/** Labels or annotations that a peer writes on its Secret, as a class may write them. */
export function carriedTexts(
  on: PeerObject,
  path: FieldPath,
  value: unknown,
): { readonly texts: Texts; readonly remarks: readonly Remark[] } {
  if (value === undefined || value === null) return { texts: {}, remarks: [] };
  const field = fieldText(path);
  if (!isTextMap(value)) return { texts: {}, remarks: [errorOn(on, { path, message: textMapProblem(value, field) })] };
  const own = Object.entries(value).filter(([key]) => key !== OF_KUBECTL);
  const templated = own.filter(([, text]) => isTemplate(text));
  const reserved = own.filter(([key]) => isReservedKey(key));
  return {
    texts: Object.fromEntries(own.filter(([key, text]) => !isReservedKey(key) && !isTemplate(text))),
    remarks: [
      ...templated.map(([key]) =>
        errorOn(on, { path: [...path, key], message: `${field}[${key}] is a template; write the text that the Secret is to have` }),
      ),
      ...reserved.map(([key]) =>
        warningOn(on, {
          path: [...path, key],
          message: `${field}[${key}] is left out: the tool that its domain names would take the Secret for its own`,
        }),
      ),
    ],
  };
}

function isTemplate(text: string): boolean {
  return text.includes("{{");
}
