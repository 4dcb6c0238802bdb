import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { KeyStatus, SecretStatus } from "../../domain/sync/status-fields.ts";
import { parseObjectId, referenceKey, referenceText } from "../../domain/where/object-reference.ts";
import { readClass } from "../../domain/where/read-class.ts";
import { DEFAULT_CLOUD } from "./resources.ts";

/** Describes a key that holds another object than the class names now; undefined for other keys. */
export type HeldKeyText = (key: KeyStatus) => string | undefined;

/** Describes the keys of one Secret of the class. Returns no text for a class that cannot be parsed. */
export function heldKeyText(spc: SecretProviderClass, { name }: Pick<SecretStatus, "name">): HeldKeyText {
  const reading = readClass(spc, secretObjectsOf(spc), { cloudName: DEFAULT_CLOUD });
  const secret = reading.kind === "class" ? reading.read.secrets.find((each) => each.name === name) : undefined;
  return ({ key, object = "", version }) => {
    const held = parseObjectId(object);
    const named = (secret?.keys ?? []).filter((each) => each.key === key).map((each) => each.object);
    if (held === undefined || version === undefined || named.length === 0) return undefined;
    if (named.some((each) => referenceKey(each) === referenceKey(held))) return undefined;
    const wanted = [...new Set(named.map(referenceText))].join(" and ");
    return `${key} still holds ${object}@${version}; the class now names ${wanted}`;
  };
}
