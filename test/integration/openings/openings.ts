/** Finds the traffic that rendered objects allow and the guards that they lack, so that a test can compare two renderings. */
import { isDeepStrictEqual } from "node:util";
import { at, listAt, type Manifest } from "../../support/cluster/shipped-manifests.ts";

const nameOf = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.namespace ?? "-"} ${metadata.name}`;

function ofKind(objects: readonly Manifest[], ...kinds: readonly string[]): ReadonlyMap<string, Manifest> {
  return new Map(objects.filter(({ kind }) => kinds.includes(kind)).map((object) => [nameOf(object), object]));
}

/** An absent or empty list of peers or ports means all of them. */
const orAny = (list: readonly unknown[]): readonly string[] => (list.length === 0 ? ["any"] : list.map((entry) => JSON.stringify(entry)));

function trafficOf(policy: Manifest): readonly string[] {
  const types = listAt(policy, "spec", "policyTypes");
  const directions = [
    { type: "Ingress", rules: "ingress", peers: "from" },
    { type: "Egress", rules: "egress", peers: "to" },
  ];
  return directions.flatMap(({ type, rules, peers }) => {
    if (!types.includes(type)) return [`${type}: any any`];
    return listAt(policy, "spec", rules).flatMap((rule) =>
      orAny(listAt(rule, peers)).flatMap((peer) => orAny(listAt(rule, "ports")).map((port) => `${type}: ${peer} ${port}`)),
    );
  });
}

/** Returns the traffic that the objects allow and the limit does not. Returns all traffic if a policy of the limit is missing. */
export function trafficBeyond(objects: readonly Manifest[], limit: readonly Manifest[]): readonly string[] {
  const policies = ofKind(objects, "NetworkPolicy");
  return [...ofKind(limit, "NetworkPolicy")].flatMap(([name, known]) => {
    const policy = policies.get(name);
    if (policy === undefined) return [`${name} is missing`];
    const allowed = trafficOf(known);
    const selector = isDeepStrictEqual(at(policy, "spec", "podSelector"), at(known, "spec", "podSelector")) ? [] : ["other pods"];
    return [...selector, ...trafficOf(policy).filter((opening) => !allowed.includes(opening))].map((opening) => `${name}: ${opening}`);
  });
}

/** Policy variables that define an exception. If such a variable is `false`, the policy rejects more. */
const EXCEPTIONS = ["isOwnComponent"];

/** Returns the policy's spec. Replaces each exception that the policy switches off with the exception of the limit. */
function withExceptionsOf(guard: Manifest, known: Manifest): unknown {
  const theirs = listAt(known, "spec", "variables");
  const variables = listAt(guard, "spec", "variables").map((variable) => {
    const name = String(at(variable, "name"));
    const isLeftOut = EXCEPTIONS.includes(name) && at(variable, "expression") === "false";
    return isLeftOut ? (theirs.find((candidate) => at(candidate, "name") === name) ?? variable) : variable;
  });
  return { ...(at(guard, "spec") as object), ...(theirs.length === 0 ? {} : { variables }) };
}

/** Returns the spec with the audiences of the limit if the policy allows only some of them. */
function withAudiencesOf(spec: unknown, known: unknown): unknown {
  const AUDIENCES = /request\.audience in (\[[^\]]*\])/;
  const [text, limit] = [JSON.stringify(spec), JSON.stringify(known)];
  const listIn = (from: string): readonly string[] | undefined => {
    const found = AUDIENCES.exec(from)?.[1];
    return found === undefined ? undefined : (JSON.parse(found.replaceAll("\\", "")) as readonly string[]); // List in the policy's CEL expression.
  };
  const [some, all] = [listIn(text), listIn(limit)];
  const isNarrower = some !== undefined && all !== undefined && some.every((audience) => all.includes(audience));
  return isNarrower ? (JSON.parse(text.replace(AUDIENCES, () => AUDIENCES.exec(limit)?.[0] ?? "")) as unknown) : spec;
}

/** Returns the policies and bindings that are missing or weaker than in the limit. */
export function guardsLost(objects: readonly Manifest[], limit: readonly Manifest[]): readonly string[] {
  const kinds = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"] as const;
  const guards = ofKind(objects, ...kinds);
  return [...ofKind(limit, ...kinds)].flatMap(([name, known]) => {
    const guard = guards.get(name);
    if (guard === undefined) return [`${name} is missing`];
    return isDeepStrictEqual(withAudiencesOf(withExceptionsOf(guard, known), known["spec"]), known["spec"])
      ? []
      : [`${name} says something else`];
  });
}

/** Returns the webhook configurations that match other requests than in the limit. */
export function webhooksChanged(objects: readonly Manifest[], limit: readonly Manifest[]): readonly string[] {
  const kinds = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] as const;
  const known = ofKind(limit, ...kinds);
  return [...ofKind(objects, ...kinds)].flatMap(([name, object]) =>
    isDeepStrictEqual(object["webhooks"], known.get(name)?.["webhooks"]) ? [] : [`${name} is called about something else`],
  );
}

const POD_FIELDS = ["hostNetwork", "hostPID", "hostIPC", "serviceAccountName", "automountServiceAccountToken"] as const;

function privilegesOf(workload: Manifest): readonly string[] {
  const spec = at(workload, "spec", "template", "spec");
  const fields = POD_FIELDS.flatMap((field) => {
    const value = at(spec, field);
    return value === undefined || value === false ? [] : [`${field} ${JSON.stringify(value)}`];
  });
  const folders = listAt(spec, "volumes").flatMap((volume) => {
    const folder = at(volume, "hostPath", "path");
    return folder === undefined ? [] : [`hostPath ${JSON.stringify(folder)}`];
  });
  const containers = listAt(spec, "containers").flatMap((container) => [
    ...(at(container, "securityContext", "privileged") === true ? [`${String(at(container, "name"))} privileged`] : []),
    ...listAt(container, "securityContext", "capabilities", "add").map(
      (capability) => `${String(at(container, "name"))} ${String(capability)}`,
    ),
    ...(listAt(container, "securityContext", "capabilities", "drop").length > 0 ? [] : [`${String(at(container, "name"))} drops nothing`]),
  ]);
  return [...fields, ...folders, ...containers];
}

/** Returns host fields, accounts and capabilities of workloads that the limit's workloads do not have. */
export function privilegesBeyond(objects: readonly Manifest[], limit: readonly Manifest[]): readonly string[] {
  const known = ofKind(limit, "Deployment", "DaemonSet", "Job");
  return [...ofKind(objects, "Deployment", "DaemonSet", "Job")].flatMap(([name, workload]) => {
    const before = known.get(name);
    if (before === undefined) return [`${name} is new`];
    const allowed = privilegesOf(before);
    return privilegesOf(workload)
      .filter((privilege) => !allowed.includes(privilege))
      .map((privilege) => `${name}: ${privilege}`);
  });
}
