/** Parses the `objects` parameter: YAML text with a list of strings, each of which is YAML text itself. */
import { failed, ok, type Result } from "../result.ts";
import { trimSpace } from "./go-text.ts";
import { type Structure, YamlDecoder } from "./yaml-decoder.ts";
import { parseYaml } from "./yaml-tree.ts";

/** One entry as written, with trimmed but unchecked text. */
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

/** Keys that an entry may have. The provider ignores all others. */
export const OBJECT_KEYS: readonly (keyof RawObject)[] = [...TEXT_FIELDS, "objectVersionHistory"];

/**
 * More than `kubectl apply` can send, because its annotation limits the whole class to this size. Worker and webhook each have one thread
 * and little memory. At this length, the worst text takes a quarter of a second and 60 MB; at the API server's own limit, six times as
 * much. The limit also applies to all entries together, because aliases can make the entries longer than the original text.
 */
export const MAX_OBJECTS_LENGTH = 262_144;

/** Runs step 10 of the provider's checks, which parses the list of entries. */
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

/** Runs step 11, which parses one entry. */
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
