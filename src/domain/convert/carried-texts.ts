import { isReservedKey } from "../secret-objects/rules.ts";
import { isTextMap, textMapProblem } from "../text-map.ts";
import type { Texts } from "./class-draft.ts";
import { type ConversionRemark, errorOn, type FieldPath, fieldText, type PeerObject } from "./peer-object.ts";

/** Describes the manifest, so it must not be copied to objects that are made from the manifest. */
const OF_KUBECTL = "kubectl.kubernetes.io/last-applied-configuration";

/** Returns the labels or annotations that a peer writes on its Secret, as far as a class may write them. */
export function carriedTexts(
  on: PeerObject,
  path: FieldPath,
  value: unknown,
): { readonly texts: Texts; readonly remarks: readonly ConversionRemark[] } {
  if (value === undefined || value === null) return { texts: {}, remarks: [] };
  const field = fieldText(path);
  if (!isTextMap(value)) return { texts: {}, remarks: [errorOn(on, { path, message: textMapProblem(value, field) })] };
  const carried: [key: string, text: string][] = [];
  const remarks: ConversionRemark[] = [];
  for (const [key, text] of Object.entries(value).filter(([key]) => key !== OF_KUBECTL)) {
    const obstacle = obstacleTo(key, text, path.at(-1) === "labels");
    if (obstacle === undefined) carried.push([key, text]);
    else remarks.push({ on, path: [...path, key], severity: obstacle.severity, message: `${field}[${key}]${obstacle.message}` });
  }
  return { texts: Object.fromEntries(carried), remarks };
}

type Obstacle = Pick<ConversionRemark, "severity" | "message">;

const TEMPLATE: Obstacle = { severity: "error", message: " is a template; write the resulting text" };
const RESERVED: Obstacle = {
  severity: "warning",
  message: " is omitted: the tool that its domain names would treat the Secret as its own",
};

/** Labels with a meaning for Argo CD. */
const OF_ARGO: ReadonlyMap<string, Obstacle> = new Map([
  [
    "app.kubernetes.io/instance",
    {
      severity: "warning",
      message:
        " is omitted: Argo CD, if it tracks by label, would prune a Secret that has the label but no owner; also remove the label from the existing Secret",
    },
  ],
  [
    "argocd.argoproj.io/secret-type",
    {
      severity: "error",
      message: ": a class cannot set it, and without it Argo CD does not read the Secret; keep this object",
    },
  ],
]);

function obstacleTo(key: string, text: string, isLabel: boolean): Obstacle | undefined {
  const ofArgo = isLabel ? OF_ARGO.get(key) : undefined;
  if (ofArgo !== undefined) return ofArgo;
  if (isReservedKey(key)) return RESERVED;
  return text.includes("{{") ? TEMPLATE : undefined;
}
