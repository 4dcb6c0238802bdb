/** The `objects` parameter: YAML text with a list of strings, each of which is YAML text again. */
import { failed, ok, type Result } from "../result.ts";
import { trimSpace } from "./go-text.ts";
import { type Structure, YamlDecoder } from "./yaml-decoder.ts";
import { parseYaml } from "./yaml-tree.ts";

/** One entry as written: trimmed text, nothing checked. */
export interface RawObject {
  readonly objectName: string;
  readonly objectAlias: string;
  readonly objectVersion: string;
  readonly objectVersionHistory: number;
  readonly objectType: string;
  readonly objectFormat: string;
  readonly objectEncoding: string;
  readonly filePermission: string;
}

type TextField = Exclude<keyof RawObject, "objectVersionHistory">;

const TEXT_FIELDS: readonly TextField[] = [
  "objectName",
  "objectAlias",
  "objectVersion",
  "objectType",
  "objectFormat",
  "objectEncoding",
  "filePermission",
];

/** Keys that an entry may have; others are ignored. */
export const OBJECT_KEYS: readonly (keyof RawObject)[] = [...TEXT_FIELDS, "objectVersionHistory"];

/**
 * More than `kubectl apply` can bring, since the annotation that it keeps takes as much for the whole class. Worker and webhook have
 * one thread and little memory each: at this length the worst text takes a quarter of a second and 60 MB, at the API server's own limit
 * six times that. The bound holds for the entries together as well, because aliases can make them longer than the text that they come
 * from.
 */
export const MAX_OBJECTS_LENGTH = 262_144;

/** Step 10 of the provider's checks: the list of entries. */
export function parseObjectsArray(text: string): Result<readonly string[], string> {
  if (text.length > MAX_OBJECTS_LENGTH) return failed(`yaml: objects is longer than ${MAX_OBJECTS_LENGTH} characters`);
  const tree = parseYaml(text);
  if (!tree.ok) return tree;
  const decoder = new YamlDecoder();
  let entries: readonly string[] = [];
  const structure: Structure = {
    name: "types.StringArray",
    fields: new Map([
      [
        "array",
        (node, using) => {
          entries = using.textList(node) ?? [];
        },
      ],
    ]),
  };
  decoder.structure(tree.value, structure);
  const total = entries.reduce((sum, entry) => sum + entry.length, 0);
  if (total > MAX_OBJECTS_LENGTH) return failed(`yaml: entries of objects expand to more than ${MAX_OBJECTS_LENGTH} characters`);
  return decoder.finish(entries);
}

/** Step 11: one entry. */
export function parseObjectEntry(text: string): Result<RawObject, string> {
  const tree = parseYaml(text);
  if (!tree.ok) return tree;
  const decoder = new YamlDecoder();
  const texts = new Map<TextField, string>();
  let history = 0;
  const fields = new Map<string, Structure["fields"] extends ReadonlyMap<string, infer Setter> ? Setter : never>();
  for (const field of TEXT_FIELDS) {
    fields.set(field, (node, using) => {
      const value = using.text(node);
      if (value !== undefined) texts.set(field, trimSpace(value));
    });
  }
  fields.set("objectVersionHistory", (node, using) => {
    history = using.int32(node) ?? history;
  });
  decoder.structure(tree.value, { name: "types.KeyVaultObject", fields });
  const decoded = decoder.finish(undefined);
  if (!decoded.ok) return decoded;
  const textOf = (field: TextField) => texts.get(field) ?? "";
  return ok({
    objectName: textOf("objectName"),
    objectAlias: textOf("objectAlias"),
    objectVersion: textOf("objectVersion"),
    objectVersionHistory: history,
    objectType: textOf("objectType"),
    objectFormat: textOf("objectFormat"),
    objectEncoding: textOf("objectEncoding"),
    filePermission: textOf("filePermission"),
  });
}
