/** Objects with which an attacker could fill another process's memory: as large as the API server accepts, each with another large part. */
import type { KubeObject } from "../../../src/domain/kubernetes.ts";

export interface BlownUp {
  /** Path of the large part. */
  readonly place: string;
  /** Whether the large part is one text. */
  readonly isText: boolean;
  readonly object: KubeObject;
}

/** Fields that the API server sets or checks, and those on which it depends whether the worker reads the object at all. */
const KEPT =
  /^(apiVersion|kind|metadata\.(name|namespace|uid|resourceVersion|creationTimestamp)|.*\.(driver|provider|manager|operation|time|gatewayClassName|ingressClassName|protocol)|.*\.ownerReferences\.\d+\.\w+)$/;

/** Maps whose keys the author chooses. */
const TEXT_MAPS = /\.(labels|annotations|matchLabels|parameters|volumeAttributes|options|data|f:labels|f:annotations|f:data)$/;

/** One object for each text, list and map that can be large, with about this many characters. */
export function blownUps(object: KubeObject, characters: number): readonly BlownUp[] {
  // Each has the form of a KubeObject.
  return largeForms(object, "", characters).map(({ place, isText, value }) => ({ place, isText, object: value as KubeObject }));
}

interface LargeForm {
  readonly place: string;
  readonly isText: boolean;
  readonly value: unknown;
}

function largeForms(value: unknown, place: string, characters: number): readonly LargeForm[] {
  if (typeof value === "string")
    return value === "true" || KEPT.test(place) ? [] : [{ place, isText: true, value: value + "x".repeat(characters) }];
  if (Array.isArray(value)) {
    const inner = value.flatMap((entry, index) =>
      largeForms(entry, `${place}.${index}`, characters).map((form) => ({ ...form, value: value.with(index, form.value) })),
    );
    return place.endsWith("ownerReferences") ? inner : [...inner, { place, isText: false, value: manyEntries(value, characters) }];
  }
  if (typeof value !== "object" || value === null) return [];
  const inner = Object.entries(value).flatMap(([key, entry]) =>
    largeForms(entry, place === "" ? key : `${place}.${key}`, characters).map((form) => ({
      ...form,
      value: { ...value, [key]: form.value },
    })),
  );
  return TEXT_MAPS.test(place) ? [...inner, { place, isText: false, value: manyKeys(value, characters) }] : inner;
}

function manyEntries(list: readonly unknown[], characters: number): readonly unknown[] {
  const length = Math.ceil(characters / (JSON.stringify(list[0]).length + 8));
  return [...list, ...Array.from({ length }, (_, index) => distinct(list[0], `${index}`, ""))];
}

function manyKeys(map: object, characters: number): object {
  const [key = "", entry] = Object.entries(map)[0] ?? [];
  const length = Math.ceil(characters / (key.length + JSON.stringify(entry).length + 8));
  return { ...map, ...Object.fromEntries(Array.from({ length }, (_, index) => [`${key}-${index}`, entry])) };
}

/** Makes another entry of the same form, because the worker might hold equal entries only once. */
function distinct(value: unknown, mark: string, place: string): unknown {
  if (typeof value === "string") return value === "true" || KEPT.test(place) ? value : `${value}-${mark}`;
  if (Array.isArray(value)) return value.map((entry) => distinct(entry, mark, `${place}.0`));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, distinct(entry, mark, `${place}.${key}`)]));
}

/** Number of characters of all texts, plus 16 for every other value, with each object counted once. */
export function sizeOf(value: unknown, seen: Set<object> = new Set()): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 16;
  if (seen.has(value)) return 0;
  seen.add(value);
  return membersOf(value).reduce<number>((sum, member) => sum + sizeOf(member, seen), 16);
}

function membersOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Set) return [...value];
  return value instanceof Map ? [...value].flat() : Object.entries(value).flat();
}
