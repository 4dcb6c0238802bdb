import type { Denial } from "../admission/reasons.ts";
import { quoted, quotedPath } from "../quoted.ts";
import type { ClassMount } from "./class-mounts.ts";
import { type ContainerSelection, valueWithout } from "./container-selection.ts";
import { denial, fixFor, LINK_NOTE, warning } from "./messages.ts";
import { endOf, isSameOrInside, type OperatingSystem, placesOf, restBelow } from "./mount-path.ts";
import type { Pod, PodContainer } from "./pod.ts";

/** An object at a path in a container. */
interface Occupant {
  readonly path: string;
  readonly places: readonly string[];
  /** Words for messages. */
  readonly thing: "volume" | "a block device" | "its termination message";
  /** Undefined if it is not a volume. */
  readonly volume: string | undefined;
  /** Path in the volume, if only part of it is mounted. */
  readonly subPath: string | undefined;
  readonly isReadOnly: boolean;
}

/** All objects at one place in a container. */
interface Occupied {
  readonly place: string;
  /** In the pod's order. */
  readonly order: number;
  readonly first: Occupant;
  /**
   * The object in which the runtime creates a mount point below. If two objects are at one place with different spellings, the later one
   * covers the earlier one, and the runtime decides which one is later. So this is the read-only one, if any.
   */
  readonly strictest: Occupant;
}

/**
 * Everything in a container's file system that occupies a place, each place once. So a comparison with thousands of mounts at one place
 * costs as much as with one.
 */
export type Occupants = readonly Occupied[];

/**
 * Returns a function for the containers of one pod. Call it once per container, because with many classes each path is compared many times.
 */
export function occupantsIn({ volumes, system }: Pod): (container: PodContainer) => Occupants {
  const readOnly = new Set(volumes.filter(({ isReadOnly }) => isReadOnly).map(({ name }) => name));
  const known = new Map<string, readonly string[]>();
  // Most containers of a pod have their token and their termination message at the same paths.
  const at = (path: string) => {
    const places = known.get(path) ?? placesOf(path, system);
    known.set(path, places);
    return { path, places };
  };
  const own = { volume: undefined, subPath: undefined, isReadOnly: true } as const;
  const all = ({ mounts, devicePaths, terminationMessagePath }: PodContainer): readonly Occupant[] => [
    ...mounts.map(({ mountPath, volume, isReadOnly, subPath }) => ({
      ...at(mountPath),
      thing: "volume" as const,
      volume,
      subPath,
      isReadOnly: isReadOnly || readOnly.has(volume),
    })),
    ...devicePaths.map((path) => ({ ...at(path), ...own, thing: "a block device" as const })),
    { ...at(terminationMessagePath), ...own, thing: "its termination message" },
  ];
  return (container) => byPlace(all(container));
}

function byPlace(occupants: readonly Occupant[]): Occupants {
  const known = new Map<string, Occupied>();
  for (const [order, occupant] of occupants.entries()) {
    for (const place of occupant.places) {
      const before = known.get(place);
      if (before === undefined) known.set(place, { place, order, first: occupant, strictest: occupant });
      else if (occupant.isReadOnly && !before.strictest.isReadOnly) known.set(place, { ...before, strictest: occupant });
    }
  }
  return [...known.values()];
}

export type Collision =
  | { readonly kind: "refused"; readonly denial: Denial }
  /** The mount works but leaves an empty directory in the volume around it. */
  | { readonly kind: "warned"; readonly warning: string }
  | { readonly kind: "none" };

/** A container that a class is to be mounted in. */
export interface Target {
  readonly container: PodContainer;
  readonly occupants: Occupants;
  /** The selection that includes the container. */
  readonly selection: ContainerSelection;
  readonly system: OperatingSystem;
}

/**
 * Checks a class's mount for conflicts in a container. Runtimes mount outer paths first and create missing parts of an inner path. That is
 * impossible in a read-only mount, and the mounts of classes are read-only, too.
 */
export function collisionOf(target: Target, mount: ClassMount, places: readonly string[]): Collision {
  // Only one pass over all of them, because a pass for each class would be expensive for a long list.
  const near = target.occupants.filter(({ place }) => places.some((ours) => isSameOrInside(place, ours) || isSameOrInside(ours, place)));
  const same = firstOf(near.filter(({ place }) => places.includes(place)));
  if (same !== undefined) return refused("pathTaken", target, same, mount);
  const inner = firstOf(near.filter(({ place }) => places.some((ours) => isSameOrInside(place, ours))));
  if (inner !== undefined) return refused("pathHides", target, inner, mount);
  const outer = innermostAround(near, places);
  if (outer === undefined) return { kind: "none" };
  if (outer.occupant.isReadOnly) return refused("pathReadOnly", target, outer.occupant, mount);
  return { kind: "warned", warning: directoryWarning(target, outer.occupant, endOf(mount.mountPath, outer.rest, target.system)) };
}

function firstOf([head, ...others]: Occupants): Occupant | undefined {
  return others.reduce((first, other) => (first !== undefined && first.order <= other.order ? first : other), head)?.first;
}

/** Returns the innermost object around the path, because the runtime creates the mount point in it. */
function innermostAround(
  occupants: Occupants,
  places: readonly string[],
): { readonly occupant: Occupant; readonly rest: string } | undefined {
  const [innermost] = occupants
    .flatMap(({ place, order, strictest }) => {
      const rest = restBelow(places, [place]);
      return rest === undefined ? [] : [{ occupant: strictest, order, rest }];
    })
    .sort((a, b) => a.rest.length - b.rest.length || Number(b.occupant.isReadOnly) - Number(a.occupant.isReadOnly) || a.order - b.order);
  return innermost;
}

/** Names the directory by its path in the volume. */
function directoryWarning({ container }: Target, { volume = "", subPath }: Occupant, rest: string): string {
  const path = subPath === undefined ? rest : `${subPath.replace(/\/+$/, "")}/${rest}`;
  return warning("pathInVolume", { container: container.name, path, volume });
}

type Refusal = "pathTaken" | "pathHides" | "pathReadOnly";

function refused(name: Refusal, target: Target, occupant: Occupant, mount: ClassMount): Collision {
  const { container, selection, system } = target;
  const values = {
    container: quoted(container.name, 63),
    thing: occupant.volume === undefined ? occupant.thing : `${occupant.thing} ${quoted(occupant.volume, 63)}`,
    place: `${quotedPath(occupant.path)}${isByLink(occupant.path, mount.mountPath, system) ? LINK_NOTE : ""}`,
    path: quotedPath(mount.mountPath),
    class: quoted(mount.className),
    fix: fixFor("path", valueWithout(selection, container.name)),
  };
  return { kind: "refused", denial: denial(name, values) };
}

/** Whether the two paths collide only because `/var/run` is a link to `/run`. The message then explains that. */
function isByLink(path: string, mountPath: string, system: OperatingSystem): boolean {
  const [[place = ""], [ours = ""]] = [placesOf(path, system), placesOf(mountPath, system)];
  return restBelow([place], [ours]) === undefined && restBelow([ours], [place]) === undefined;
}
