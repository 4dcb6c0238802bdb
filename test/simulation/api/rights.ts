import type { Attributes, Objects } from "./interface.ts";
import { type JsonObject, listAt, objectAt, stringAt, textOf } from "./json.ts";
import { includes, objectsAt } from "./policies/policy.ts";

const ACCOUNT = "system:serviceaccount:";
const CONTROLLERS = `${ACCOUNT}kube-system:`;
const GROUP = "rbac.authorization.k8s.io";

/** Resources on which all answers depend. */
const SOURCES = ["clusterrolebindings", "rolebindings", "clusterroles", "roles"].map((plural) => `${plural}.${GROUP}`);

/** Answers for one state of the roles and bindings, by the question. */
let answered: { readonly by: readonly (readonly JsonObject[])[]; readonly answers: Map<string, boolean> } | undefined;

/** Whether RBAC allows the request of an installed ServiceAccount. All other users, and the cluster's own controllers, can do anything. */
export function isGranted(attributes: Attributes, objects: Objects): boolean {
  const { user, verb, group, resource, subresource, namespace = "", name } = attributes;
  if (!user.startsWith(ACCOUNT) || user.startsWith(CONTROLLERS)) return true;
  const by = SOURCES.map((source) => objects(source));
  if (answered === undefined || by.some((state, index) => state !== answered?.by[index])) answered = { by, answers: new Map() };
  const asked = [user, verb, group, resource, subresource, namespace, name ?? "\0"].join(" ");
  const known = answered.answers.get(asked) ?? isCoveredByRoles(attributes, objects);
  answered.answers.set(asked, known);
  return known;
}

function isCoveredByRoles(attributes: Attributes, objects: Objects): boolean {
  const { user, namespace } = attributes;
  const bound = (plural: string, of?: string): readonly JsonObject[] =>
    objects(`${plural}.${GROUP}`).filter(
      (binding) => isIn(binding, of) && objectsAt(binding, "subjects").some((one) => isMeant(one, user)),
    );
  return [...bound("clusterrolebindings"), ...(namespace === undefined ? [] : bound("rolebindings", namespace))]
    .flatMap((binding) => rulesOf(objects, binding))
    .some((rule) => isCovered(rule, attributes));
}

function isIn(object: JsonObject, namespace: string | undefined): boolean {
  return stringAt(objectAt(object, "metadata"), "namespace") === namespace;
}

function isMeant({ kind, name, namespace }: JsonObject, user: string): boolean {
  if (kind === "ServiceAccount") return user === `${ACCOUNT}${textOf(namespace)}:${textOf(name)}`;
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${user.split(":")[2]}`, "system:authenticated"];
  return kind === "Group" ? groups.includes(textOf(name)) : name === user;
}

/** Returns the rules of the bound role, which is in the binding's namespace or cluster-wide. */
function rulesOf(objects: Objects, binding: JsonObject): readonly JsonObject[] {
  const { kind, name } = objectAt(binding, "roleRef");
  const namespace = kind === "Role" ? stringAt(objectAt(binding, "metadata"), "namespace") : undefined;
  const roles = objects(`${kind === "Role" ? "roles" : "clusterroles"}.${GROUP}`);
  const role = roles.find((candidate) => objectAt(candidate, "metadata")["name"] === name && isIn(candidate, namespace));
  return objectsAt(role, "rules");
}

function isCovered(rule: JsonObject, { verb, group, resource, subresource, name }: Attributes): boolean {
  const has = (list: string, value: string): boolean => includes(listAt(rule, list), value) || includes(listAt(rule, list), "*");
  const names = listAt(rule, "resourceNames");
  const isNamed = names.length === 0 || (name !== undefined && includes(names, name));
  return (
    has("verbs", verb) &&
    has("apiGroups", group) &&
    has("resources", subresource === "" ? resource : `${resource}/${subresource}`) &&
    isNamed
  );
}
