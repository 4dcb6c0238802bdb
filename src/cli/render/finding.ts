import { type Place, showPlace } from "../manifest/documents.ts";
import type { ManifestItem } from "../manifest/items.ts";
import type { ManifestFiles } from "../manifest/read-files.ts";

/** One thing that is wrong, or that is told, about an object of the files. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly place: Place;
  /** `Deployment/web`; undefined where the document is no object. */
  readonly object: string | undefined;
  /** One word of a closed set, where there is one. */
  readonly reason: string | undefined;
  readonly message: string;
}

export function objectText({ kind, name }: ManifestItem): string {
  return `${kind}/${name}`;
}

/** What is wrong with the text of the files, whatever their objects are. */
export function fileFindings({ problems, warnings }: Pick<ManifestFiles, "problems" | "warnings">): readonly Finding[] {
  const noObject = { object: undefined, reason: undefined };
  return [
    ...problems.map((problem): Finding => ({ ...problem, ...noObject, severity: "error" })),
    ...warnings.map((warning): Finding => ({ ...warning, ...noObject, severity: "warning" })),
  ];
}

/** `web.yaml:12: Deployment/web: error: … (VolumeNameTaken)` */
export function showFinding({ severity, place, object, reason, message }: Finding): string {
  const start = [showPlace(place), object, severity].filter((part) => part !== undefined).join(": ");
  return `${start}: ${message.replaceAll(/\s+/g, " ")}${reason === undefined ? "" : ` (${reason})`}`;
}
