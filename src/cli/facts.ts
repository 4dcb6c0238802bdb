import type { ClassFact } from "../domain/injection/credentials.ts";
import type { NamespaceFact } from "../domain/injection/effective-annotations.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type SecretProviderClass } from "../domain/kubernetes.ts";
import { objectKey } from "../domain/object-key.ts";
import { quoted } from "../domain/quoted.ts";
import { nearestSpelling } from "../domain/spelling.ts";
import type { Look, Viewer } from "./cluster.ts";
import { isClass, readClassItem } from "./manifest/class-item.ts";
import type { ManifestItem } from "./manifest/items.ts";

/** What decisions on pods need to know of the rest of the world. */
export interface Facts {
  classOf(ref: ObjectRef): Promise<ClassFact>;
  namespaceOf(name: string): Promise<NamespaceFact>;
  /** Where a class that was not found is not, with the one of the files that may be meant; undefined where the cluster alone was asked. */
  absenceOf(ref: Required<ObjectRef>): string | undefined;
  /** What could not be looked at, and why; each once. */
  unseen(): readonly string[];
}

/** From the files first: what stands there is about to be applied. Then from the cluster; without one, nothing more is known. */
export function createFacts(items: readonly ManifestItem[], viewer: Viewer | undefined, defaultNamespace: string): Facts {
  const classes = new Map(
    items
      .filter(isClass)
      .map((item) => [`${item.namespace ?? defaultNamespace}/${item.name}`, readClassItem(item, defaultNamespace).class]),
  );
  const namespaces = new Map(items.filter(({ kind }) => kind === "Namespace").map((item) => [item.name, annotationsOf(item)]));
  const unseen = new Set<string>();
  const classOf = remembering(async (ref: ObjectRef): Promise<ClassFact> => {
    const given = classes.get(objectKey(ref));
    if (given !== undefined) return { kind: "found", class: given };
    const look = await viewer?.object<SecretProviderClass>(RESOURCES.secretProviderClasses, ref);
    if (look?.kind === "seen") return { kind: "found", class: look.value };
    return { kind: known(look, unseen) };
  });
  const namespaceOf = remembering(async (ref: ObjectRef): Promise<NamespaceFact> => {
    const given = namespaces.get(ref.name);
    if (given !== undefined) return { kind: "found", annotations: given };
    // A namespace that the files do not hold has no defaults that could be known: the same as one without any.
    if (viewer === undefined) return { kind: "missing" };
    const look = await viewer.object<KubeObject>(RESOURCES.namespaces, ref);
    if (look.kind === "seen") return { kind: "found", annotations: look.value.metadata.annotations ?? {} };
    // The webhook may read it even where the user may not: told, and not taken for a refusal.
    known(look, unseen);
    return { kind: "missing" };
  });
  const absenceOf = ({ namespace, name }: Required<ObjectRef>): string | undefined => {
    const start = `${namespace}/`;
    const near = nearestSpelling(
      name,
      [...classes.keys()].filter((key) => key.startsWith(start)).map((key) => key.slice(start.length)),
    );
    const meant = near === undefined ? "" : `, did you mean ${quoted(near, 63)}?`;
    if (viewer === undefined) return `is not in these files${meant}`;
    return near === undefined ? undefined : `is neither in these files nor in the namespace${meant}`;
  };
  return { classOf, namespaceOf: (name) => namespaceOf({ name }), absenceOf, unseen: () => [...unseen] };
}

function known(look: Look<unknown> | undefined, unseen: Set<string>): "missing" | "unknown" {
  if (look?.kind === "unseen") unseen.add(look.why);
  return look?.kind === "absent" ? "missing" : "unknown";
}

/** Many pods name one class: it is looked up once. */
function remembering<T>(find: (ref: ObjectRef) => Promise<T>): (ref: ObjectRef) => Promise<T> {
  const found = new Map<string, Promise<T>>();
  return (ref) => {
    const running = found.get(objectKey(ref)) ?? find(ref);
    found.set(objectKey(ref), running);
    return running;
  };
}

function annotationsOf({ object }: ManifestItem): Readonly<Record<string, string>> {
  const { annotations } = (object["metadata"] ?? {}) as { annotations?: unknown }; // Narrowed entry by entry below.
  const entries = Object.entries(typeof annotations === "object" && annotations !== null ? annotations : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
