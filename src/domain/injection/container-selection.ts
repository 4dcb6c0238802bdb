import type { Denial } from "../admission/reasons.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation, readList } from "./annotation-value.ts";
import type { Annotation } from "./effective-annotations.ts";
import { isDnsLabel } from "./kubernetes-names.ts";
import { denial, fill, PROBLEMS } from "./messages.ts";
import type { PodContainer } from "./pod.ts";

/**
 * The containers that get the mounts: without the annotation all of them. A name that the pod does not have is
 * refused also where it excludes: a typo there would hand secrets to the container that was meant to go without. Only a
 * default of the Namespace may name containers of other pods.
 */
export function selectContainers(
  annotation: Annotation | undefined,
  containers: readonly PodContainer[],
): Result<readonly PodContainer[], Denial> {
  if (annotation === undefined) return ok(containers);
  const items = readList(annotation, PROBLEMS.containerList);
  if (!items.ok) return items;
  const excluded = new Set(items.value.filter((item) => item.startsWith("-")).map((item) => item.slice(1)));
  const included = new Set(items.value.filter((item) => !item.startsWith("-")));
  const problem = nameProblem(annotation, included, excluded) ?? unknownContainer(annotation, [...included, ...excluded], containers);
  if (problem !== undefined) return failed(problem);
  const selected = containers.filter(({ name }) => !excluded.has(name) && (included.size === 0 || included.has(name)));
  return selected.length > 0 ? ok(selected) : failed(invalidAnnotation(annotation, PROBLEMS.containerNone));
}

function nameProblem(annotation: Annotation, included: ReadonlySet<string>, excluded: ReadonlySet<string>): Denial | undefined {
  const bad = [...included, ...excluded].find((name) => !isDnsLabel(name));
  if (bad !== undefined) return invalidAnnotation(annotation, fill(PROBLEMS.containerName, { item: quoted(bad) }));
  const both = [...included].find((name) => excluded.has(name));
  return both === undefined ? undefined : invalidAnnotation(annotation, fill(PROBLEMS.containerBoth, { item: quoted(both) }));
}

function unknownContainer(
  { subject, isDefault }: Annotation,
  names: readonly string[],
  containers: readonly PodContainer[],
): Denial | undefined {
  if (isDefault) return undefined;
  const known = new Set(containers.map(({ name }) => name));
  const unknown = names.find((wanted) => !known.has(wanted));
  if (unknown === undefined) return undefined;
  return denial("containerNotFound", { annotation: subject, item: quoted(unknown), containers: cut([...known].join(", ")) });
}

function cut(names: string): string {
  return names.length > 300 ? `${names.slice(0, 297)}...` : names;
}
