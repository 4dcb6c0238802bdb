import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type Json, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import { annotations, includes, invalidUnless, label, metadata, objectsAt, type Policy, type Rule, WORKER } from "./policy.ts";

const FREE_OF_PODS = ["containers", "initContainers", "volumes", "affinity", "topologySpreadConstraints", "imagePullSecrets"];
const FREE_OF_CONTAINERS = ["resources", "imagePullPolicy", "args", "env", "envFrom", "volumeMounts"];
const LISTS = ["env", "envFrom", "volumeMounts"];
const MOST_REPLICAS = 5;

/** Which pods the worker may have run in place of our own: those of the PodTemplate of the same name, where there is one. */
export const PODS: Policy = {
  name: "keyvault-injector-sync-pods",
  user: WORKER,
  resources: ["deployments.apps", "daemonsets.apps"],
  isAbout: (request) => request.operation !== "DELETE" && installedFor(request) !== undefined,
  rules: (request) => {
    const { name, namespace, object, oldObject } = request;
    const pods: Pods = {
      isNew: oldObject === undefined,
      now: templateOf(object),
      before: templateOf(oldObject),
      installed: objectAt(installedFor(request), "template"),
    };
    const advice = `: not as PodTemplate ${name} in namespace ${namespace} has it. Apply the manifests again; in a kustomization of your own, list manifests/installed-pods last among the transformers`;
    const rule = (holds: boolean, what: string): Rule => invalidUnless(holds, `the sync worker ${what}`);
    return [
      rule(keepsPodFields(pods), `changes neither account nor host fields nor any other privilege of ${name}${advice}`),
      rule(keepsScheduling(pods), `schedules the pods of ${name} no other way${advice}`),
      rule(isOfFewReplicas(request), `runs no more than ${MOST_REPLICAS} replicas of ${name}, or as many as there were; scale it yourself`),
      rule(mountsKnownVolumes(pods), `mounts no other volume in ${name}${advice}`),
      rule(keepsContainerFields(pods), `changes neither image nor command nor privileges of a container of ${name}${advice}`),
      rule(keepsResources(pods), `changes no resources of a container of ${name}${advice}`),
      rule(takesNothingAway(pods), `takes nothing away from a container of ${name}${advice}`),
      rule(keepsArguments(pods), `changes no argument of a container of ${name}${advice}`),
      rule(addsToNoList(pods), `gives a container of ${name} neither variable nor mount${advice}`),
      rule(keepsLabels(pods, object), `changes neither labels nor annotations of the pods of ${name}${advice}`),
    ];
  },
};

/** Pod templates: as wanted, as they were, and as installed. */
interface Pods {
  readonly isNew: boolean;
  readonly now: JsonObject;
  readonly before: JsonObject;
  readonly installed: JsonObject;
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

const containersOf = (template: JsonObject): readonly JsonObject[] => objectsAt(specOf(template), "containers");
const initContainersOf = (template: JsonObject): readonly JsonObject[] => objectsAt(specOf(template), "initContainers");
const allContainersOf = (template: JsonObject): readonly JsonObject[] => [...containersOf(template), ...initContainersOf(template)];

/** Containers of that name, as installed and as they were. */
function knownAs({ name }: JsonObject, { installed, before }: Pods, of = allContainersOf): readonly JsonObject[] {
  return [...of(installed), ...of(before)].filter((known) => known["name"] === name);
}

function named(containers: readonly JsonObject[], { name }: JsonObject): readonly JsonObject[] {
  return containers.filter((container) => container["name"] === name);
}

function keepsPodFields({ isNew, now, before, installed }: Pods): boolean {
  const [pod, podBefore, podInstalled] = [specOf(now), specOf(before), specOf(installed)];
  const isKnown = (field: string): boolean =>
    FREE_OF_PODS.includes(field) || [podInstalled, podBefore].some((known) => field in known && isEqual(known[field], pod[field]));
  const isThere = (field: string): boolean => FREE_OF_PODS.includes(field) || field in pod || (!isNew && !(field in podBefore));
  return Object.keys(pod).every(isKnown) && Object.keys(podInstalled).every(isThere);
}

function keepsScheduling({ now, before, installed }: Pods): boolean {
  const known = [specOf(installed), specOf(before)];
  const isKnownAffinity = ([kind, terms]: readonly [string, Json]): boolean =>
    known.some((pod) => isEqual(objectAt(pod, "affinity")[kind], terms));
  const isKnownSpread = (constraint: Json): boolean => known.some((pod) => includes(listAt(pod, "topologySpreadConstraints"), constraint));
  return (
    Object.entries(objectAt(specOf(now), "affinity")).every(isKnownAffinity) &&
    listAt(specOf(now), "topologySpreadConstraints").every(isKnownSpread)
  );
}

function isOfFewReplicas({ object, oldObject }: AdmissionRequest): boolean {
  const [now, before] = [object, oldObject].map((workload) => Number(objectAt(workload, "spec")["replicas"] ?? 0));
  return (now ?? 0) <= MOST_REPLICAS || (oldObject !== undefined && (now ?? 0) <= (before ?? 0));
}

function mountsKnownVolumes({ now, before, installed }: Pods): boolean {
  const known = [installed, before].flatMap((template) => listAt(specOf(template), "volumes"));
  return listAt(specOf(now), "volumes").every((volume) => includes(known, volume));
}

function keepsContainerFields(pods: Pods): boolean {
  return [containersOf, initContainersOf].every((of) =>
    of(pods.now).every((container) =>
      Object.entries(container).every(
        ([field, value]) =>
          FREE_OF_CONTAINERS.includes(field) || knownAs(container, pods, of).some((known) => isEqual(known[field], value)),
      ),
    ),
  );
}

function keepsResources(pods: Pods): boolean {
  const { now, before, installed } = pods;
  const isKnown = (container: JsonObject): boolean =>
    Object.entries(objectAt(container, "resources")).every(([part, value]) => {
      const known = knownAs(container, pods).map((other) => objectAt(other, "resources"));
      const isKnownAmount = ([key, amount]: readonly [string, Json]): boolean =>
        known.some((other) => isEqual(objectAt(other, part)[key], amount));
      if (known.some((other) => isEqual(other[part], value))) return true;
      return ["requests", "limits"].includes(part) && Object.entries(objectAt({ value }, "value")).every(isKnownAmount);
    });
  const amountsOf = (container: JsonObject, part: string): JsonObject => objectAt(objectAt(container, "resources"), part);
  const isComplete = (wanted: JsonObject): boolean =>
    named(containersOf(now), wanted).every((container) =>
      ["requests", "limits"].every((part) =>
        Object.keys(amountsOf(wanted, part)).every(
          (key) => key in amountsOf(container, part) || named(containersOf(before), wanted).some((old) => !(key in amountsOf(old, part))),
        ),
      ),
    );
  return allContainersOf(now).every(isKnown) && containersOf(installed).every(isComplete);
}

/** A container without its security context would have more rights than with it, and one without a variable fewer limits. */
function takesNothingAway({ isNew, now, before, installed }: Pods): boolean {
  return containersOf(installed).every((wanted) => {
    const [running, old] = [named(containersOf(now), wanted), named(containersOf(before), wanted)];
    const isThere = running.length > 0 || (!isNew && old.length === 0);
    const hasEntry = (container: JsonObject, list: string, entry: Json): boolean =>
      includes(listAt(container, list), entry) ||
      old.some((known) => isEqual(listAt(container, list), listAt(known, list)) || !includes(listAt(known, list), entry));
    const hasEntries = (container: JsonObject): boolean =>
      LISTS.every((list) => listAt(wanted, list).every((entry) => hasEntry(container, list, entry)));
    const hasFields = (container: JsonObject): boolean =>
      Object.keys(wanted).every(
        (field) => FREE_OF_CONTAINERS.includes(field) || field in container || old.some((known) => !(field in known)),
      );
    return isThere && running.every((container) => hasEntries(container) && hasFields(container));
  });
}

function keepsArguments(pods: Pods): boolean {
  return allContainersOf(pods.now).every((container) =>
    knownAs(container, pods).some((known) => isEqual(listAt(known, "args"), listAt(container, "args"))),
  );
}

function addsToNoList(pods: Pods): boolean {
  return allContainersOf(pods.now).every((container) =>
    LISTS.every((list) =>
      listAt(container, list).every((entry) => knownAs(container, pods).some((known) => includes(listAt(known, list), entry))),
    ),
  );
}

/** Annotations have other software put things into pods; labels say whose pods they are. */
function keepsLabels({ now, before, installed }: Pods, object: JsonObject | undefined): boolean {
  const [notes, notesBefore, notesInstalled] = [annotations(now), annotations(before), annotations(installed)];
  const [labels, labelsBefore, labelsInstalled] = [now, before, installed].map((template) => objectAt(metadata(template), "labels")) as [
    JsonObject,
    JsonObject,
    JsonObject,
  ]; // Of three.
  const isFree = (key: string): boolean => key === "kubectl.kubernetes.io/restartedAt" || key.startsWith("keyvault-injector.dev/");
  const selector = objectAt(objectAt(object, "spec"), "selector");
  const matchLabels = objectAt(selector, "matchLabels");
  return (
    Object.entries(notes).every(([key, value]) => isFree(key) || notesInstalled[key] === value || notesBefore[key] === value) &&
    Object.entries(labels).every(([key, value]) => labelsInstalled[key] === value || labelsBefore[key] === value) &&
    Object.entries(labelsInstalled).every(
      ([key, value]) => key in labels && (labels[key] === value || labels[key] === labelsBefore[key]),
    ) &&
    listAt(selector, "matchExpressions").length === 0 &&
    Object.keys(matchLabels).length > 0 &&
    Object.entries(matchLabels).every(([key, value]) => stringAt(labelsInstalled, key) === value)
  );
}
