import type { Denial } from "../admission/reasons.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { invalidAnnotation, readList } from "./annotation-value.ts";
import { isDnsLabel } from "./kubernetes-names.ts";
import type { PodContainer } from "./pod.ts";

const KEY = POD_ANNOTATIONS.containers;
const ADVICE = 'write container names separated by commas, "-name" to leave one out';

/**
 * The containers that get the mounts: without the annotation all of them. A name that the pod does not have is
 * refused also where it excludes: a typo there would hand secrets to the container that was meant to go without.
 */
export function selectContainers(value: string | undefined, containers: readonly PodContainer[]): Result<readonly PodContainer[], Denial> {
  if (value === undefined) return ok(containers);
  const items = readList(KEY, value, ADVICE);
  if (!items.ok) return items;
  const excluded = items.value.filter((item) => item.startsWith("-")).map((item) => item.slice(1));
  const included = items.value.filter((item) => !item.startsWith("-"));
  const problem = nameProblem(value, included, excluded) ?? unknownContainer([...included, ...excluded], containers);
  if (problem !== undefined) return failed(problem);
  const selected = containers.filter(({ name }) => !excluded.includes(name) && (included.length === 0 || included.includes(name)));
  if (selected.length > 0) return ok(selected);
  return failed(invalidAnnotation(KEY, value, "it leaves no container to mount into, name at least one"));
}

function nameProblem(value: string, included: readonly string[], excluded: readonly string[]): Denial | undefined {
  const bad = [...included, ...excluded].find((name) => !isDnsLabel(name));
  if (bad !== undefined) return invalidAnnotation(KEY, value, `${quoted(bad)} is no container name, ${ADVICE}`);
  const both = included.find((name) => excluded.includes(name));
  return both === undefined ? undefined : invalidAnnotation(KEY, value, `it names ${quoted(both)} and leaves it out, write one of the two`);
}

function unknownContainer(names: readonly string[], containers: readonly PodContainer[]): Denial | undefined {
  const unknown = names.find((wanted) => !containers.some(({ name }) => name === wanted));
  if (unknown === undefined) return undefined;
  const known = containers.map(({ name }) => name).join(", ");
  return {
    reason: "ContainerNotFound",
    message: `annotation ${KEY} names container ${quoted(unknown)}: the pod has ${cut(known)}, write one of these`,
  };
}

function cut(names: string): string {
  return names.length > 300 ? `${names.slice(0, 297)}...` : names;
}
