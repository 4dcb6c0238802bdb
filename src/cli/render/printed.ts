import type { JsonObject } from "../../domain/json-object.ts";
import { type ManifestDocument, shownFile } from "../manifest/documents.ts";
import { replacedItems, withItems } from "../manifest/items.ts";
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
  const name = `${shownFile(file)} document ${document.number}`;
  const items = replacedItems(document, objects);
  if (items !== undefined) {
    const [before, after] = (["before", "after"] as const).map((side) =>
      listPieces(
        document.object,
        items.map((item) => item[side]),
      ),
    );
    return unifiedDiff(before ?? [], after ?? [], { name, hasColour });
  }
  const [after] = objects;
  return after === undefined ? "" : unifiedDiff(toYaml(document.object), toYaml(after), { name, hasColour });
}

/** The YAML of a List in as many pieces, whatever becomes of its items: each item and each other field is one. */
function listPieces(list: JsonObject, items: readonly unknown[]): readonly string[] {
  return Object.entries(list).flatMap(([key, value]) => {
    if (key !== "items") return [toYaml({ [key]: value })];
    const isEmpty = items.every((item) => item === undefined);
    return [isEmpty ? "items: []\n" : "items:\n", ...items.map((item) => (item === undefined ? "" : toYaml([item])))];
  });
}
