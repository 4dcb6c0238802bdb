/** Finds the fields of an object that have no effect on its class, because no reader of the converter takes them. */
import { nonEmptyText } from "../json-members.ts";
import { isJsonObject } from "../json-object.ts";
import { KNOWN_FIELDS, type KnownField } from "./known-fields.ts";
import { type ConversionRemark, type ConversionTrouble, type FieldPath, fieldText, type PeerObject, warningOn } from "./peer-object.ts";

/** Warns of each field of the object that has no effect on the class. */
export function unreadFields(on: PeerObject): readonly ConversionRemark[] {
  const [group] = (nonEmptyText(on.object["apiVersion"]) ?? "").split("/");
  const known = KNOWN_FIELDS.get(`${group} ${on.kind}`);
  return known === undefined ? [] : troublesAt(on.object, known, []).map((trouble) => warningOn(on, trouble));
}

const UNKNOWN = "convert does not know this field, so the class does not have its effect; if you need the effect, keep this object";

function troublesAt(value: unknown, known: KnownField, path: FieldPath): readonly ConversionTrouble[] {
  switch (known.kind) {
    case "read":
    case "meaningless":
      return [];
    case "lost":
      return hasValue(value) ? [troubleAt(path, known.why)] : [];
    case "object":
      if (isJsonObject(value)) return Object.keys(value).flatMap((name) => memberTroubles(value[name], known, [...path, name]));
      return hasValue(value) ? [troubleAt(path, "it is not an object, so convert does not read it; correct it")] : [];
    case "list":
      if (Array.isArray(value)) return value.flatMap((item, index) => troublesAt(item, known.item, [...path, index]));
      return hasValue(value) ? [troubleAt(path, "it is not a list, so convert does not read it; correct it")] : [];
  }
}

function memberTroubles(value: unknown, { fields, keepsOthers }: KnownField & { kind: "object" }, path: FieldPath) {
  const name = String(path.at(-1));
  const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (known !== undefined) return troublesAt(value, known, path);
  return keepsOthers || !hasValue(value) ? [] : [troubleAt(path, UNKNOWN)];
}

/** Whether the field is set. In a manifest, null is the same as no field. */
function hasValue(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function troubleAt(path: FieldPath, message: string): ConversionTrouble {
  return { path, message: `${fieldText(path)}: ${message}` };
}
