/**
 * A live Secret as the worker holds it. Whoever may write Secrets in a namespace can give as many as they like our label, each with a megabyte
 * of labels, and any field manager's name.
 */
import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../annotations.ts";
import { cutText } from "../cut-text.ts";
import { bytesInMemory } from "../json-size.ts";
import type { ObservedSecret } from "./observed-secret.ts";
import { DRIVER_MANAGED_LABEL } from "./take-over.ts";

/** Characters of a mark that are kept in any case. `namespace/name` of a class is shorter, and so is a fingerprint with its proof. */
const LONGEST_MARK = 512;

const LABELS: readonly string[] = [MANAGED_LABEL, COPY_LABEL, DRIVER_MANAGED_LABEL];
const ANNOTATIONS: readonly string[] = [...Object.values(SECRET_ANNOTATIONS), ...Object.values(COPY_ANNOTATIONS)];
/** Half of the list of versions would be another list. */
const MARKS = ANNOTATIONS.filter((key) => key !== SECRET_ANNOTATIONS.objects);

/**
 * Without the labels and annotations that others have added: nothing is decided by them. `hasRoom`: whether a Secret that takes so many bytes
 * can be held; of another one its identity and our marks are.
 */
export function heldSecret(observed: ObservedSecret, hasRoom: (bytes: number) => boolean): ObservedSecret {
  const { type, owned } = observed;
  const labels = picked(observed.labels, [...owned.labels, ...LABELS]);
  const annotations = picked(observed.annotations, [...owned.annotations, ...ANNOTATIONS]);
  const parts = { type, labels, annotations, owned };
  const held = { ...observed, labels, annotations };
  return hasRoom(bytesInMemory(parts)) ? held : markedRemainder(held);
}

function markedRemainder(held: ObservedSecret): ObservedSecret {
  const { type, labels, annotations, owned } = held;
  const marks = Object.entries(picked(annotations, MARKS)).map(([key, value]) => [key, cutText(value, LONGEST_MARK)]);
  return {
    ...held,
    isPartial: true,
    type: cutText(type, LONGEST_MARK),
    labels: picked(labels, LABELS),
    annotations: Object.fromEntries(marks),
    owned: { data: [], labels: LABELS.filter((key) => owned.labels.includes(key)), annotations: [] },
  };
}

function picked(map: Readonly<Record<string, string>>, keys: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries([...new Set(keys)].flatMap((key) => (Object.hasOwn(map, key) ? [[key, map[key] ?? ""]] : [])));
}
