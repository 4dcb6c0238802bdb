/**
 * A live Secret as the worker holds it in memory. A user who can write Secrets in a namespace can create many with the worker's label, each
 * with a megabyte of labels and with any field manager's name.
 */
import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../annotations.ts";
import { cutText } from "../cut-text.ts";
import { bytesInMemory } from "../json-size.ts";
import type { ObservedSecret } from "./observed-secret.ts";
import { DRIVER_MANAGED_LABEL } from "./take-over.ts";

/** Characters of a mark that the worker always keeps. `namespace/name` of a class is shorter, and so is a fingerprint with its proof. */
const LONGEST_MARK = 512;

const LABELS: readonly string[] = [MANAGED_LABEL, COPY_LABEL, DRIVER_MANAGED_LABEL];
const ANNOTATIONS: readonly string[] = [...Object.values(SECRET_ANNOTATIONS), ...Object.values(COPY_ANNOTATIONS)];
/** Without `objects`: a truncated list of versions would be a different list. */
const MARKS = ANNOTATIONS.filter((key) => key !== SECRET_ANNOTATIONS.objects);

/**
 * Returns the Secret without labels and annotations that others added, because no decision depends on them. `hasRoom`: whether the worker
 * can hold a Secret of so many bytes. If not, only its identity and the worker's marks remain.
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
