import type { Denial } from "../admission/reasons.ts";
import { isDnsLabel } from "../kubernetes-names.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation, readList } from "./annotation-value.ts";
import type { Annotation } from "./effective-annotations.ts";
import { denial, fill, PROBLEMS, warning } from "./messages.ts";
import type { PodContainer } from "./pod.ts";

/** Most characters of names in a message. */
export const LONGEST_NAMES = 300;

/** The containers that get the mounts, and the items of the annotation that selected them. */
export interface ContainerSelection {
  readonly containers: readonly PodContainer[];
  /** Empty without the annotation. */
  readonly items: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Returns the selected containers: without the annotation, all. The API server sends the pod again whenever another webhook has changed it,
 * so an excluded container may be added later. An excluded name that the pod lacks therefore causes only a warning. A container that should
 * get the mounts must exist now. Only a default of the Namespace can name containers of other pods.
 */
export function selectContainers(
  annotation: Annotation | undefined,
  containers: readonly PodContainer[],
): Result<ContainerSelection, Denial> {
  if (annotation === undefined) return ok({ containers, items: [], warnings: [] });
  const items = readList(annotation, PROBLEMS.containerList);
  if (!items.ok) return items;
  const excluded = new Set(items.value.filter(isExclusion).map((item) => item.slice(1)));
  const included = new Set(items.value.filter((item) => !isExclusion(item)));
  const known = new Set(containers.map(({ name }) => name));
  const problem = nameProblem(annotation, included, excluded) ?? unknownContainer(annotation, included, known);
  if (problem !== undefined) return failed(problem);
  const selected = containers.filter(({ name }) => !excluded.has(name) && (included.size === 0 || included.has(name)));
  if (selected.length === 0) return failed(invalidAnnotation(annotation, PROBLEMS.containerNone));
  return ok({ containers: selected, items: items.value, warnings: absentWarnings(annotation, excluded, known) });
}

/** Users do not copy longer advice. */
const LONGEST_ADVICE = 200;

/** Returns the annotation value for the same selection without one of its containers; undefined if that does not help. */
export function valueWithout({ containers, items }: ContainerSelection, name: string): string | undefined {
  if (containers.every((container) => container.name === name)) return undefined;
  const isListed = items.some((item) => !isExclusion(item));
  const kept = new Set(containers.map((container) => container.name).filter((other) => other !== name));
  const value = (isListed ? items.filter((item) => isExclusion(item) || kept.has(item)) : [...items, `-${name}`]).join(",");
  return value.length > LONGEST_ADVICE ? undefined : value;
}

function isExclusion(item: string): boolean {
  return item.startsWith("-");
}

function nameProblem(annotation: Annotation, included: ReadonlySet<string>, excluded: ReadonlySet<string>): Denial | undefined {
  const bad = [...included, ...excluded].find((name) => !isDnsLabel(name));
  if (bad !== undefined) return invalidAnnotation(annotation, fill(PROBLEMS.containerName, { item: quoted(bad) }));
  const both = [...included].find((name) => excluded.has(name));
  return both === undefined ? undefined : invalidAnnotation(annotation, fill(PROBLEMS.containerBoth, { item: quoted(both) }));
}

function unknownContainer(
  { subject, isDefault }: Annotation,
  included: ReadonlySet<string>,
  known: ReadonlySet<string>,
): Denial | undefined {
  if (isDefault) return undefined;
  const unknown = [...included].find((wanted) => !known.has(wanted));
  if (unknown === undefined) return undefined;
  return denial("containerNotFound", { annotation: subject, item: quoted(unknown), containers: cut([...known].join(", ")) });
}

/** Returns one warning for all of them, because an annotation can contain thousands of names. */
function absentWarnings({ isDefault }: Annotation, excluded: ReadonlySet<string>, known: ReadonlySet<string>): readonly string[] {
  const absent = isDefault ? [] : [...excluded].filter((name) => !known.has(name));
  return absent.length === 0 ? [] : [warning("containerAbsent", { containers: absent.join(",") })];
}

function cut(names: string): string {
  return names.length > LONGEST_NAMES ? `${names.slice(0, LONGEST_NAMES - 3)}...` : names;
}
