import type { JsonObject } from "../../domain/json-object.ts";
import type { ManifestDocument } from "../manifest/documents.ts";
import { withItems } from "../manifest/items.ts";
import { toJson } from "../manifest/json.ts";
import { toYaml } from "../manifest/yaml.ts";
import { unifiedDiff } from "./diff.ts";

/** A document, and what has become of its objects, in the order of `itemsOf`. */
export interface Printed {
  readonly document: ManifestDocument;
  readonly objects: readonly (JsonObject | undefined)[];
}

export const FORMATS = ["yaml", "json", "diff"] as const;
export type Format = (typeof FORMATS)[number];

export const WRITERS: Readonly<Record<Format, (printed: readonly Printed[], hasColour: boolean) => string>> = {
  yaml: (printed) => storedObjects(printed).map(toYaml).join("---\n"),
  json: (printed) => toJson({ apiVersion: "v1", kind: "List", items: storedObjects(printed) }),
  diff: (printed, hasColour) => printed.map((each) => diffOf(each, hasColour)).join(""),
};

function storedObjects(printed: readonly Printed[]): readonly JsonObject[] {
  return printed.map(({ document, objects }) => withItems(document, objects)).filter((object) => object !== undefined);
}

function diffOf({ document, objects }: Printed, hasColour: boolean): string {
  const { file } = document.place;
  const name = `${file === "-" ? "standard input" : file} document ${document.number}`;
  const after = withItems(document, objects);
  return after === undefined ? "" : unifiedDiff(toYaml(document.object), toYaml(after), { name, hasColour });
}
