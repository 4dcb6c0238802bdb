/** Lists what rendered roles and bindings grant, one right on each line, so that a test can compare two renderings. */
import { at, listAt, type Manifest } from "../../support/cluster/shipped-manifests.ts";

/** `*` means everything: no name or no namespace is given. */
export interface Right {
  readonly subject: string;
  readonly verb: string;
  readonly resource: string;
  readonly name: string;
  readonly namespace: string;
}

const EVERYTHING = "*";

const texts = (value: unknown, ...steps: readonly string[]): readonly string[] => listAt(value, ...steps).map(String);
const orAll = (names: readonly string[]): readonly string[] => (names.length === 0 ? [EVERYTHING] : names);

function subjectsOf(binding: Manifest): readonly string[] {
  return listAt(binding, "subjects").map((subject) => `${String(at(subject, "kind"))} ${String(at(subject, "name"))}`);
}

function rulesOf(binding: Manifest, objects: readonly Manifest[]): readonly unknown[] {
  const role = objects.find(
    ({ kind, metadata }) =>
      kind === at(binding, "roleRef", "kind") &&
      metadata.name === at(binding, "roleRef", "name") &&
      (kind === "ClusterRole" || metadata.namespace === binding.metadata.namespace),
  );
  return listAt(role, "rules");
}

/** Returns the rights from all bindings among the objects. */
export function rightsOf(objects: readonly Manifest[]): readonly Right[] {
  return objects
    .filter(({ kind }) => kind === "ClusterRoleBinding" || kind === "RoleBinding")
    .flatMap((binding) => {
      const namespace = binding.kind === "RoleBinding" ? String(binding.metadata.namespace) : EVERYTHING;
      return rulesOf(binding, objects).flatMap((rule) =>
        subjectsOf(binding).flatMap((subject) =>
          texts(rule, "verbs").flatMap((verb) =>
            texts(rule, "apiGroups").flatMap((group) =>
              texts(rule, "resources").flatMap((resource) =>
                orAll(texts(rule, "resourceNames")).map((name) => ({ subject, verb, resource: `${resource}.${group}`, name, namespace })),
              ),
            ),
          ),
        ),
      );
    });
}

function covers(wide: Right, narrow: Right): boolean {
  const isSame = wide.subject === narrow.subject && wide.verb === narrow.verb && wide.resource === narrow.resource;
  const hasName = wide.name === EVERYTHING || wide.name === narrow.name;
  return isSame && hasName && (wide.namespace === EVERYTHING || wide.namespace === narrow.namespace);
}

/** Returns the rights of the first rendering that the second does not grant. */
export function rightsBeyond(objects: readonly Manifest[], limit: readonly Manifest[]): readonly string[] {
  const allowed = rightsOf(limit);
  return rightsOf(objects)
    .filter((right) => !allowed.some((wide) => covers(wide, right)))
    .map(({ subject, verb, resource, name, namespace }) => `${subject} may ${verb} ${resource} ${name} in ${namespace}`);
}
