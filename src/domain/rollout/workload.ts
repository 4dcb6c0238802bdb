import { POD_ANNOTATIONS, PREFIX } from "../annotations.ts";
import { memberOf } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { KubeObject, ObjectRef, Resource } from "../kubernetes.ts";
import { labelSelectorText } from "./label-selector.ts";
import { type Progress, progressOf } from "./progress.ts";
import { type TemplateSources, templateSources } from "./template-sources.ts";

export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet";

const apps = (plural: string, kind: WorkloadKind): Resource => ({ group: "apps", version: "v1", plural, kind, namespaced: true });

/** Kinds whose controllers replace pods when the template changes. */
export const WORKLOADS: Readonly<Record<WorkloadKind, Resource>> = {
  Deployment: apps("deployments", "Deployment"),
  StatefulSet: apps("statefulsets", "StatefulSet"),
  DaemonSet: apps("daemonsets", "DaemonSet"),
};

/** A workload that asks for restarts, or may by a default of its Namespace. Everything else of it is dropped on arrival. */
export interface Workload {
  readonly kind: WorkloadKind;
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Of the template, under our prefix. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Of the workload itself, under our prefix. */
  readonly own: Readonly<Record<string, string>>;
  readonly sources: TemplateSources;
  /** What it was last restarted for. */
  readonly templateStamp: string | undefined;
  /** What its pods are known to have: on the workload itself, where it restarts nothing. */
  readonly podsStamp: string | undefined;
  /** For a list of its pods. */
  readonly selector: string;
  /** Why a stamp would replace no pod. */
  readonly obstacle: "Paused" | "OnDelete" | undefined;
  readonly progress: Progress;
}

/** Undefined for one that does not ask and cannot by a default, and for one that is going. */
export function observeWorkload(kind: WorkloadKind, object: KubeObject): Workload | undefined {
  const spec = memberOf(object, "spec");
  const template = memberOf(spec, "template");
  const annotations = ownAnnotations(memberOf(memberOf(template, "metadata"), "annotations"));
  if (!mayAsk(annotations) || object.metadata.deletionTimestamp !== undefined) return undefined;
  const { metadata } = object;
  return {
    kind,
    ref: { namespace: metadata.namespace ?? "", name: metadata.name },
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    annotations,
    own: ownAnnotations(memberOf(metadata, "annotations")),
    sources: templateSources(memberOf(template, "spec")),
    templateStamp: annotations[POD_ANNOTATIONS.rotated],
    podsStamp: metadata.annotations?.[POD_ANNOTATIONS.rotated],
    selector: labelSelectorText(memberOf(spec, "selector")),
    obstacle: obstacleOf(kind, spec),
    progress: progressOf(kind, { generation: metadata.generation ?? 0, spec, status: memberOf(object, "status") }),
  };
}

/** `Deployment web`, as messages name it. */
export function titleOf({ kind, ref }: Pick<Workload, "kind" | "ref">): string {
  return `${kind} ${ref.name}`;
}

function mayAsk(annotations: Readonly<Record<string, string>>): boolean {
  const own = annotations[POD_ANNOTATIONS.restartOnRotation];
  return own === undefined ? annotations[POD_ANNOTATIONS.inject] === "true" : own === "true";
}

function ownAnnotations(all: JsonObject): Readonly<Record<string, string>> {
  const own = Object.entries(all).filter((entry): entry is [string, string] => isOurs(entry[0]) && typeof entry[1] === "string");
  return Object.fromEntries(own);
}

function isOurs(key: string): boolean {
  return key.startsWith(`${PREFIX}/`);
}

function obstacleOf(kind: WorkloadKind, spec: JsonObject): Workload["obstacle"] {
  if (kind === "Deployment") return spec["paused"] === true ? "Paused" : undefined;
  return memberOf(spec, "updateStrategy")["type"] === "OnDelete" ? "OnDelete" : undefined;
}
