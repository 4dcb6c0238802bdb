import assert from "node:assert/strict";
import { at, listAt, type Manifest } from "../support/cluster/shipped-manifests.ts";
import { differences, leavesOf } from "./stored-fields.ts";

/** Key that identifies the same object in both namespaces, regardless of the name that its controller generated. */
function keyOf({ kind, metadata }: Manifest): string {
  const owner = listAt(metadata, "ownerReferences")[0];
  return owner === undefined
    ? `${kind}/${metadata.name}`
    : `${kind} of ${String(at(owner, "kind"))}/${String(at(owner, "name")).replace(/-[a-z0-9]{8,10}$/, "")}`;
}

export interface Compared {
  readonly objects: number;
  readonly fields: number;
  readonly differing: readonly string[];
}

/** Compares the objects of two namespaces, field for field. */
export function compare(left: readonly Manifest[], right: readonly Manifest[]): Compared {
  const keys = [...new Set([...left, ...right].map(keyOf))].sort();
  const find = (all: readonly Manifest[], key: string): Manifest | undefined => all.find((object) => keyOf(object) === key);
  return {
    objects: keys.length,
    fields: keys.reduce((sum, key) => sum + leavesOf(find(left, key)).size, 0),
    differing: keys.flatMap((key) => differences(find(left, key), find(right, key)).map((difference) => `${key}: ${difference}`)),
  };
}

/** Proves that the comparison works: it must notice each changed, added and removed field. */
export function assertNotices(objects: readonly Manifest[]): void {
  const paths = objects.flatMap((object) => [...leavesOf(object).keys()].map((leaf) => [object, leaf] as const));
  let noticed = 0;
  for (const [object, leaf] of paths) {
    const changed = withLeaf(object, leaf);
    if (
      compare(
        objects,
        objects.map((each) => (each === object ? changed : each)),
      ).differing.length > 0
    )
      noticed += 1;
  }
  assert.equal(noticed, paths.length);
  const [first] = objects;
  assert.ok(first !== undefined && compare(objects, objects.slice(1)).differing.length > 0);
}

/** Returns a copy in which this leaf is changed. */
function withLeaf(object: Manifest, leaf: string): Manifest {
  const copy: Manifest = structuredClone(object);
  const target = leavesOf(copy, (holder, key) => [holder, key] as const).get(leaf);
  assert.ok(target !== undefined, leaf);
  const [holder, key] = target;
  Object.assign(holder, { [key]: "changed by the control" });
  return copy;
}
