import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type Json, type JsonObject, listAt, objectAt, stringAt, textOf } from "../json.ts";
import { annotations, includes, invalidUnless, label, metadata, objectsAt, type Policy, type Rule, WORKER } from "./policy.ts";

const FREE_OF_PODS = ["containers", "initContainers", "volumes", "affinity", "topologySpreadConstraints", "imagePullSecrets"];
const FREE_OF_CONTAINERS = ["resources", "imagePullPolicy", "args", "env", "envFrom", "volumeMounts"];
/** Lists that an apply merges, with their keys. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  volumes: ["name"],
  imagePullSecrets: ["name"],
  topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
  env: ["name"],
  volumeMounts: ["mountPath"],
};
const MOST_REPLICAS = 5;

/** Limits the pods of our workloads to those of the PodTemplate with the same name, if it exists. */
export const PODS: Policy = {
  name: "keyvault-injector-sync-pods",
  user: WORKER,
  resources: ["deployments.apps", "daemonsets.apps"],
  isAbout: (request) => request.operation !== "DELETE" && installedFor(request) !== undefined,
  rules: (request) => {
    const { name, namespace, object, oldObject } = request;
    const installed = objectAt(installedFor(request), "template");
    const before = oldObject === undefined ? installed : templateOf(oldObject);
    const pods: Pods = { now: templateOf(object), before, installed };
    const pod: Part = { now: specOf(pods.now), known: [specOf(installed), specOf(before)] };
    const containers = containersIn(pods);
    const keep = (list: string): boolean => [pod, ...containers].every((part) => keepsList(part, list));
    const advice = `: the change differs from PodTemplate ${name} in namespace ${namespace}. Reapply the manifests. In your own kustomization, list manifests/installed-pods last among the transformers`;
    const rule = (holds: boolean, what: string): Rule => invalidUnless(holds, `the sync worker ${what}`);
    return [
      rule(keepsFields(pod, FREE_OF_PODS), `cannot change the ServiceAccount, host fields, or other privileges of ${name}${advice}`),
      rule(
        keepsMembers(pod, "affinity") && keep("topologySpreadConstraints"),
        `cannot change the scheduling of the pods of ${name}${advice}`,
      ),
      rule(
        isOfFewReplicas(request, pods),
        `cannot scale ${name} beyond ${MOST_REPLICAS} replicas, the current number, or two more than its shards, whichever is highest. Scale it yourself`,
      ),
      rule(keep("volumes"), `cannot change the volumes of ${name}${advice}`),
      rule(keep("imagePullSecrets"), `cannot remove an image pull Secret from ${name}${advice}`),
      rule(
        containers.every((part) => part.known.length > 0 && keepsFields(part, FREE_OF_CONTAINERS)),
        `cannot change the image, command, or privileges of a container of ${name}${advice}`,
      ),
      rule(containers.every(keepsResources), `cannot change the resources of a container of ${name}${advice}`),
      rule(keepsContainers(pods), `cannot remove or reorder containers of ${name}${advice}`),
      rule(containers.every(keepsArguments), `cannot change the arguments of a container of ${name}${advice}`),
      rule(
        keep("env") && keep("volumeMounts") && containers.every(keepsEnvironment),
        `cannot change variables or mounts of a container of ${name}${advice}`,
      ),
      rule(keepsLabels(pods, object), `cannot change labels or annotations of the pods of ${name}${advice}`),
    ];
  },
};

/** Pod templates: requested, previous, and installed. For a new object, the installed one is also the previous one. */
interface Pods {
  readonly now: JsonObject;
  readonly before: JsonObject;
  readonly installed: JsonObject;
}

/** A pod or a container, with the states that its parts can have. */
interface Part {
  readonly now: JsonObject;
  /** The installed and the previous state, if they exist. */
  readonly known: readonly JsonObject[];
}

function installedFor({ name, namespace, find }: AdmissionRequest): JsonObject | undefined {
  const found = find("podtemplates", name, namespace);
  return label(found, "app.kubernetes.io/name") === "keyvault-injector" ? found : undefined;
}

function templateOf(object: JsonObject | undefined): JsonObject {
  return objectAt(objectAt(object, "spec"), "template");
}

function specOf(template: JsonObject): JsonObject {
  return objectAt(template, "spec");
}

const KINDS = ["containers", "initContainers"];

function containersIn({ now, before, installed }: Pods): readonly Part[] {
  const known = (kind: string, { name }: JsonObject): readonly JsonObject[] =>
    [installed, before].flatMap((template) => objectsAt(specOf(template), kind)).filter((container) => container["name"] === name);
  return KINDS.flatMap((kind) => objectsAt(specOf(now), kind).map((container) => ({ now: container, known: known(kind, container) })));
}

/** Whether every field is as in one of the known states, and is absent only if it is absent from one of them. */
function keepsFields({ now, known }: Part, free: readonly string[]): boolean {
  const isKnown = (field: string): boolean => free.includes(field) || known.some((other) => isEqual(other[field], now[field]));
  return [now, ...known].flatMap((part) => Object.keys(part)).every(isKnown);
}

function keepsMembers({ now, known }: Part, field: string): boolean {
  return keepsFields({ now: objectAt(now, field), known: known.map((other) => objectAt(other, field)) }, []);
}

/** Whether every entry is known, and none is missing that both states have. An entry of one state can go if the other's entry with its key stays. */
function keepsList({ now, known }: Part, name: string): boolean {
  const entries = listAt(now, name);
  const lists = known.map((other) => listAt(other, name));
  const isKnown = (entry: Json): boolean => name === "imagePullSecrets" || lists.some((list) => includes(list, entry));
  const isSame = (one: Json, other: Json): boolean =>
    (KEYS[name] ?? []).every((key) => isEqual(objectAt({ one }, "one")[key], objectAt({ other }, "other")[key]));
  const mayGo = (entry: Json): boolean =>
    lists.some((list) => !includes(list, entry) && list.every((same) => includes(entries, same) || !isSame(same, entry)));
  return entries.every(isKnown) && lists.flat().every((entry) => includes(entries, entry) || mayGo(entry));
}

function isOfFewReplicas({ object, oldObject }: AdmissionRequest, { installed }: Pods): boolean {
  const [now = 0, before = 0] = [object, oldObject].map((workload) => Number(objectAt(workload, "spec")["replicas"] ?? 0));
  const shards = objectsAt(specOf(installed), "containers")
    .flatMap((container) => listAt(container, "args"))
    .flatMap((argument) => /^--shards=(\d{1,2})$/.exec(textOf(argument))?.[1] ?? []);
  return now <= MOST_REPLICAS || (oldObject !== undefined && now <= before) || shards.some((count) => now <= Number(count) + 2);
}

function keepsResources({ now, known }: Part): boolean {
  const part: Part = { now: objectAt(now, "resources"), known: known.map((other) => objectAt(other, "resources")) };
  const isKept = (list: string): boolean =>
    part.known.some((other) => isEqual(other[list], part.now[list])) || (["requests", "limits"].includes(list) && keepsMembers(part, list));
  return [part.now, ...part.known].flatMap((resources) => Object.keys(resources)).every(isKept);
}

/** Whether no container is missing, and init containers keep their order, because an earlier one may restrict the later ones. */
function keepsContainers({ now, before, installed }: Pods): boolean {
  const namesIn = (template: JsonObject, kind: string): readonly string[] =>
    objectsAt(specOf(template), kind).map((container) => textOf(container["name"] ?? ""));
  const isThere = (kind: string): boolean =>
    namesIn(installed, kind).every((name) => namesIn(now, kind).includes(name) || !namesIn(before, kind).includes(name));
  const [names, wanted] = [namesIn(now, "initContainers"), namesIn(installed, "initContainers")];
  const ours = names.filter((name) => wanted.includes(name));
  const isInOrder = (template: JsonObject): boolean =>
    isEqual(
      namesIn(template, "initContainers").filter((name) => ours.includes(name)),
      ours,
    );
  return KINDS.every(isThere) && [installed, before].some(isInOrder);
}

function keepsArguments({ now, known }: Part): boolean {
  return known.some((other) => isEqual(listAt(other, "args"), listAt(now, "args")));
}

/** Whether the variables keep their order, because a variable can refer to those before it. */
function keepsEnvironment({ now, known }: Part): boolean {
  const first = listAt(known[0], "env");
  const variables = listAt(now, "env").filter((entry) => includes(first, entry));
  const isInOrder = (other: JsonObject): boolean =>
    isEqual(
      listAt(other, "env").filter((entry) => includes(variables, entry)),
      variables,
    );
  return known.some((other) => isEqual(other["envFrom"], now["envFrom"])) && known.some(isInOrder);
}

/** Whether labels and annotations are known: annotations can make other software change pods, and labels show whose pods they are. */
function keepsLabels({ now, before, installed }: Pods, object: JsonObject | undefined): boolean {
  const [notes, notesBefore, notesInstalled] = [annotations(now), annotations(before), annotations(installed)];
  const [labels, labelsBefore, labelsInstalled] = [now, before, installed].map((template) => objectAt(metadata(template), "labels")) as [
    JsonObject,
    JsonObject,
    JsonObject,
  ]; // Three templates.
  const isFree = (key: string): boolean => key === "kubectl.kubernetes.io/restartedAt" || key.startsWith("keyvault-injector.dev/");
  const selector = objectAt(objectAt(object, "spec"), "selector");
  const matchLabels = objectAt(selector, "matchLabels");
  return (
    [notes, notesBefore, notesInstalled]
      .flatMap((known) => Object.keys(known))
      .every((key) => isFree(key) || notesInstalled[key] === notes[key] || notesBefore[key] === notes[key]) &&
    Object.entries(labels).every(([key, value]) => labelsInstalled[key] === value || labelsBefore[key] === value) &&
    Object.entries(labelsInstalled).every(
      ([key, value]) => key in labels && (labels[key] === value || labels[key] === labelsBefore[key]),
    ) &&
    listAt(selector, "matchExpressions").length === 0 &&
    Object.keys(matchLabels).length > 0 &&
    Object.entries(matchLabels).every(([key, value]) => stringAt(labelsInstalled, key) === value)
  );
}
