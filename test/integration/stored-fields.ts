/** Fields that differ between two objects from the same manifest: they depend on the author, the place or the time. */
const NOT_OF_THE_MANIFEST = [
  /^status($|\.)/,
  /^metadata\.(uid|resourceVersion|creationTimestamp|namespace|generation)$/,
  /^metadata\.managedFields/,
  /^metadata\.annotations\.kubectl\.kubernetes\.io\/last-applied-configuration$/,
  // Random suffixes of pod names, and hashes of templates, which differ because of the compared fields.
  /^metadata\.(name|generateName)$/,
  /^metadata\.ownerReferences\[0\]\.(uid|name)$/,
  /^metadata\.labels\.(pod-template-hash|controller-revision-hash|controller-uid|batch\.kubernetes\.io\/controller-uid)$/,
];

type Visit<T> = (holder: object, key: string) => T;

const valueAt: Visit<string> = (holder, key) =>
  JSON.stringify((holder as Readonly<Record<string, unknown>>)[key]).replaceAll(/kube-api-access-[a-z0-9]{5}/g, "kube-api-access");

/**
 * Returns every leaf of a stored object by its path. Lists that Kubernetes merges by a key use that key instead of an index: the API server
 * adds its token volume after the volumes of the submitted pod, so before those that a webhook adds.
 */
export function leavesOf(object: unknown): ReadonlyMap<string, string>;
export function leavesOf<T>(object: unknown, visit: Visit<T>): ReadonlyMap<string, T>;
export function leavesOf(object: unknown, visit: Visit<unknown> = valueAt): ReadonlyMap<string, unknown> {
  const leaves = new Map<string, unknown>();
  walk({ object }, "object", "", (holder, key, path) => {
    if (!NOT_OF_THE_MANIFEST.some((pattern) => pattern.test(path))) leaves.set(path, visit(holder, key));
  });
  return leaves;
}

/** Returns `path: left / right` for every leaf that differs. */
export function differences(left: unknown, right: unknown): readonly string[] {
  const [before, after] = [leavesOf(left), leavesOf(right)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${path}: ${before.get(path) ?? "absent"} / ${after.get(path) ?? "absent"}`);
}

// oxlint-disable-next-line eslint/max-params -- a step of a recursion.
function walk(holder: object, key: string, path: string, leaf: (holder: object, key: string, path: string) => void): void {
  const value: unknown = (holder as Readonly<Record<string, unknown>>)[key];
  if (typeof value !== "object" || value === null || Object.keys(value).length === 0) {
    if (value !== undefined) leaf(holder, key, path);
    return;
  }
  if (Array.isArray(value)) {
    value.forEach((item, index) => walk(value, String(index), `${path}[${keyOf(item) ?? String(index)}]`, leaf));
    return;
  }
  for (const inner of Object.keys(value)) walk(value, inner, path === "" ? inner : `${path}.${inner}`, leaf);
}

function keyOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const { mountPath, name, uid } = item as Readonly<Record<string, unknown>>;
  if (uid !== undefined) return undefined;
  const merged = mountPath ?? name;
  return typeof merged === "string" ? merged.replace(/kube-api-access-[a-z0-9]{5}$/, "kube-api-access") : undefined;
}
