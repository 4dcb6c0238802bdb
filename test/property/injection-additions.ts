type Json = Readonly<Record<string, unknown>>;

const STATUS = "keyvault-injector.dev/status";
/** Lists and maps that the webhook may add to, and for which `null` is the same as absent. */
const FILLABLE = /^\/(metadata\/labels|spec\/volumes|spec\/(initContainers|containers)\/\d+\/(volumeMounts|envFrom))$/;
const LABEL = "keyvault-injector.dev/injected";

/**
 * Returns the paths at which `after` is not `before` plus additions: a member or an item was changed, moved, or removed. Lists may
 * grow only at their end. The webhook's two keys may change their value, and a list that the webhook adds to may have been `null`.
 */
export function changesIn(before: unknown, after: unknown, path = ""): readonly string[] {
  if (before === null) return after === null || FILLABLE.test(path) ? [] : [path];
  if (Array.isArray(before)) {
    if (!Array.isArray(after) || after.length < before.length) return [path];
    return before.flatMap((item, index) => changesIn(item, after[index], `${path}/${index}`));
  }
  if (typeof before === "object") {
    if (typeof after !== "object" || after === null || Array.isArray(after)) return [path];
    return Object.keys(before).flatMap((key) => {
      if (!Object.hasOwn(after, key)) return [`${path}/${key}`];
      const isOurs = path.startsWith("/metadata/") && (key === STATUS || key === LABEL);
      return isOurs ? [] : changesIn((before as Json)[key], (after as Json)[key], `${path}/${key}`);
    });
  }
  return Object.is(before, after) ? [] : [path];
}

/** Returns the paths of everything that `after` has and `before` lacks, without list positions. */
export function additionsIn(before: unknown, after: unknown, path = ""): readonly string[] {
  if (typeof after !== "object" || after === null) return [];
  return Object.keys(after).flatMap((key) => {
    const here = Array.isArray(after) ? `${path}/*` : `${path}/${key}`;
    const had = typeof before === "object" && before !== null && Object.hasOwn(before, key);
    const isFilled = had && (before as Json)[key] === null && (after as Json)[key] !== null;
    return had && !isFilled ? additionsIn((before as Json)[key], (after as Json)[key], here) : [here];
  });
}
