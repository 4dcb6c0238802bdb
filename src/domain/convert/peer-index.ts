import { nonEmptyText } from "../json-members.ts";
import { isSameNamespace, type PeerObject } from "./peer-object.ts";

/** Group, empty for the core, and version. */
export function partsOf({ object }: PeerObject): readonly [group: string, version: string] {
  const [first = "", second] = (nonEmptyText(object["apiVersion"]) ?? "").split("/");
  return second === undefined ? ["", first] : [first, second];
}

export function isOf(object: PeerObject, group: string, kind: string): boolean {
  return object.kind === kind && partsOf(object)[0] === group;
}

interface Wanted {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined: any. */
  readonly namespace: string | undefined;
}

/** The objects of the input by their names. */
export class PeerIndex {
  readonly #byName = new Map<string, PeerObject[]>();
  readonly #places = new Map<PeerObject, number>();

  constructor(objects: readonly PeerObject[]) {
    for (const [place, object] of objects.entries()) {
      const key = `${partsOf(object)[0]} ${object.kind} ${object.name}`;
      const known = this.#byName.get(key);
      if (known === undefined) this.#byName.set(key, [object]);
      else known.push(object);
      this.#places.set(object, place);
    }
  }

  /** The one of the namespace, else one that may be of it. */
  find({ group, kind, name, namespace }: Wanted): PeerObject | undefined {
    const found = this.#byName.get(`${group} ${kind} ${name}`) ?? [];
    return found.find((each) => each.namespace === namespace) ?? found.find((each) => isSameNamespace(each.namespace, namespace));
  }

  /** In the input. */
  placeOf(object: PeerObject | undefined): number {
    return (object && this.#places.get(object)) ?? -1;
  }
}
