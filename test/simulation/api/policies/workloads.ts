import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type JsonObject, listAt, objectAt, textOf } from "../json.ts";
import { annotations, isSameBut, metadata, NAMESPACE, type Policy, type Rule, WORKER } from "./policy.ts";

const STAMP = "keyvault-injector.dev/rotated";
/** Hash of the last restart-now request that the worker executed. */
const ANSWERED = "keyvault-injector.dev/restart-now-answered";
const RESTARTS = "keyvault-injector.dev/restart-on-rotation";
const PAUSED = "keyvault-injector.dev/restart-paused";
const INJECT = "keyvault-injector.dev/inject";
/** The API server itself counts the templates of a DaemonSet in this annotation. */
const COUNT = "deprecated.daemonset.template.generation";
const STAMP_FORM = /^[0-9a-f]{16}(-2)?$/;
const ANSWERED_FORM = /^[0-9a-f]{16}$/;

const COMPONENTS: Readonly<Record<string, readonly string[]>> = {
  [`${NAMESPACE} deployments`]: ["keyvault-injector-sync", "keyvault-injector-webhook"],
};

/** The worker can set stamps in workloads that request restarts, and write our own components. */
export const WORKLOADS: Policy = {
  name: "keyvault-injector-sync-workloads",
  user: WORKER,
  resources: ["deployments", "statefulsets", "daemonsets"].flatMap((plural) => [`${plural}.apps`, `${plural}.apps/status`]),
  rules: (request) => {
    const isOwn = isOwnComponent(request);
    const isStamping = !isOwn && request.operation === "UPDATE" && request.subresource === "";
    return [
      { holds: isOwn || isStamping, message: "the sync worker cannot create, delete, or scale workloads" },
      ...(isStamping ? stampingRules(request) : []),
      ...(isOwn ? componentRules(request) : []),
    ];
  },
};

function isOwnComponent({ operation, subresource, namespace, resource, object }: AdmissionRequest): boolean {
  if (operation === "DELETE" || subresource !== "") return false;
  return COMPONENTS[`${namespace} ${resource}`]?.includes(textOf(metadata(object)["name"])) === true;
}

function stampingRules({ resource, object, oldObject, namespaceObject }: AdmissionRequest): readonly Rule[] {
  const [now, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
  const [template, templateBefore] = [objectAt(now, "template"), objectAt(before, "template")];
  const [notes, notesBefore] = [annotations(template), annotations(templateBefore)];
  const own = annotations(object);
  const free = resource === "daemonsets" ? [STAMP, ANSWERED, COUNT] : [STAMP, ANSWERED];
  const isSameSpec =
    isSameBut(["template"], now, before) &&
    isSameBut(["metadata"], template, templateBefore) &&
    isSameBut(["annotations"], metadata(template), metadata(templateBefore)) &&
    isSameBut([STAMP], notes, notesBefore);
  const isSameMetadata =
    ["labels", "finalizers", "ownerReferences"].every((name) => isEqual(metadata(object)[name], metadata(oldObject)[name])) &&
    isSameBut(free, own, annotations(oldObject));
  const isStamp = [notes, own].every((all) => !(STAMP in all) || STAMP_FORM.test(textOf(all[STAMP])));
  return [
    {
      holds: asksForRestarts(notesBefore, namespaceObject),
      message: 'the sync worker can restart only workloads that request restarts: keyvault-injector.dev/restart-on-rotation: "true"',
    },
    {
      holds: isSameSpec,
      message: "the sync worker can change only the pod template's annotation keyvault-injector.dev/rotated in a workload's spec",
    },
    {
      holds: isSameMetadata,
      message: "the sync worker can change only its restart annotations, such as keyvault-injector.dev/rotated, in a workload's metadata",
    },
    {
      holds: isStamp && (!(STAMP in notesBefore) || STAMP in notes),
      message: "a restart stamp must be 16 hexadecimal digits, optionally followed by -2, and cannot be removed from the template",
    },
    {
      holds: !isPaused([annotations(oldObject), annotations(namespaceObject)]) || notes[STAMP] === notesBefore[STAMP],
      message:
        "the sync worker cannot restart workloads where restarts are paused: keyvault-injector.dev/restart-paused on the workload or its Namespace",
    },
    {
      holds: !(ANSWERED in own) || ANSWERED_FORM.test(textOf(own[ANSWERED])),
      message: "keyvault-injector.dev/restart-now-answered must be 16 hexadecimal digits",
    },
  ];
}

function asksForRestarts(notes: JsonObject, namespace: JsonObject | undefined): boolean {
  if (RESTARTS in notes) return notes[RESTARTS] === "true";
  return notes[INJECT] === "true" && annotations(namespace)[RESTARTS] === "true";
}

function isPaused(places: readonly JsonObject[]): boolean {
  return places.some((notes) => (notes[PAUSED] ?? "false") !== "false");
}

function componentRules({ object, oldObject }: AdmissionRequest): readonly Rule[] {
  const finalizers = listAt(metadata(oldObject), "finalizers");
  return [
    {
      holds:
        listAt(metadata(object), "finalizers").every((finalizer) => finalizers.includes(finalizer)) &&
        isEqual(listAt(metadata(object), "ownerReferences"), listAt(metadata(oldObject), "ownerReferences")),
      message: "the sync worker cannot add finalizers or owners to keyvault-injector's components",
    },
  ];
}
