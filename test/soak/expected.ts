import { MANAGED_LABEL } from "../../src/domain/annotations.ts";
import { RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { NAMESPACE, type SoakWorld } from "./world.ts";

/** Returns one sentence for each synced Secret that differs from the vault, is missing, or should not exist. */
export async function lostIn({ kube, cell, signal }: SoakWorld): Promise<readonly string[]> {
  const stored = await kube.list<Secret>(RESOURCES.secrets, { namespace: NAMESPACE, labelSelector: MANAGED_LABEL }, signal);
  const byName = new Map(stored.map((secret) => [secret.metadata.name, secret]));
  const now = cell.mark();
  const wrong = cell.names.flatMap((name) => {
    const value = byName.get(name)?.data?.["value"];
    if (value === undefined) return [`Secret ${name} is missing`];
    const wanted = cell.valueAt(name, now.get(name) ?? -1);
    return Buffer.from(value, "base64").toString() === wanted ? [] : [`Secret ${name} is not what the vault has`];
  });
  const expected = new Set(cell.names);
  const orphans = [...byName.keys()].filter((name) => !expected.has(name)).map((name) => `Secret ${name} of a deleted class is left`);
  return [...wrong, ...orphans];
}
