import { isReservedKey } from "../secret-objects/rules.ts";
import { isTextMap, textMapProblem } from "../text-map.ts";
import type { Texts } from "./class-draft.ts";
import { errorOn, type FieldPath, fieldText, type PeerObject, type Remark } from "./peer-object.ts";

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
  const carried: [key: string, text: string][] = [];
  const remarks: Remark[] = [];
  for (const [key, text] of Object.entries(value).filter(([key]) => key !== OF_KUBECTL)) {
    const obstacle = obstacleTo(key, text, path.at(-1) === "labels");
    if (obstacle === undefined) carried.push([key, text]);
    else remarks.push({ on, path: [...path, key], severity: obstacle.severity, message: `${field}[${key}]${obstacle.message}` });
  }
  return { texts: Object.fromEntries(carried), remarks };
}

type Obstacle = Pick<Remark, "severity" | "message">;

const TEMPLATE: Obstacle = { severity: "error", message: " is a template; write the text that the Secret is to have" };
const RESERVED: Obstacle = {
  severity: "warning",
  message: " is left out: the tool that its domain names would take the Secret for its own",
};

/** As labels they have a meaning for Argo CD. */
const OF_ARGO: ReadonlyMap<string, Obstacle> = new Map([
  [
    "app.kubernetes.io/instance",
    {
      severity: "warning",
      message:
        " is left out: Argo CD, where it tracks by label, would prune a Secret that has it and no owner; take it off the Secret that exists as well",
    },
  ],
  [
    "argocd.argoproj.io/secret-type",
    {
      severity: "error",
      message: ": a class may not set it, and without it Argo CD does not read the Secret; keep this object for it",
    },
  ],
]);

function obstacleTo(key: string, text: string, isLabel: boolean): Obstacle | undefined {
  const ofArgo = isLabel ? OF_ARGO.get(key) : undefined;
  if (ofArgo !== undefined) return ofArgo;
  if (isReservedKey(key)) return RESERVED;
  return text.includes("{{") ? TEMPLATE : undefined;
}
