import { ownAnnotations } from "../annotation-keys.ts";
import { POD_ANNOTATIONS } from "../annotations.ts";
import { memberOf } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import type { KubeObject, ObjectRef } from "../kubernetes.ts";
import { isDegraded } from "./argo-progress.ts";
import { labelSelectorText } from "./label-selector.ts";
import type { Progress } from "./observed-progress.ts";
import { isHeldWhole, progressOf } from "./progress.ts";
import { isRestarted, type Stamps, stampIn } from "./stamp.ts";
import { type TemplateSources, templateSources } from "./template-sources.ts";
import type { WorkloadKind } from "./workload-kinds.ts";

/** Why a stamp would replace no pod, or not as it should. */
export type Obstacle = "Paused" | "OnDelete" | "Degraded" | "Partitioned";

/** A workload that asks for restarts, or may by a default of its Namespace. Everything else of it is dropped on arrival. */
export interface Workload extends Stamps {
  readonly kind: WorkloadKind;
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Of the template, under our prefix. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Of its pods, as far as the template says. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of the workload itself, under our prefix. */
  readonly own: Readonly<Record<string, string>>;
  readonly sources: TemplateSources;
  /** For a list of its pods. */
  readonly selector: string;
  readonly obstacle: Obstacle | undefined;
  readonly progress: Progress;
  /** It has more than {@link MOST_CHARACTERS} of what is kept; nothing of that is, and it is not restarted. */
  readonly isTooLarge: boolean;
}

/** Of annotations of ours, labels, selector and names together. A pod that runs has a tenth of it, and a namespace may have thousands of workloads. */
const MOST_CHARACTERS = 32_768;

/** Why nothing of it is known. */
export const TOO_LARGE_WORDS = `its selector, the labels and the keyvault-injector.dev annotations of its template, and the names of its classes and Secrets have more than ${MOST_CHARACTERS} characters in total`;

/** Undefined for one that does not ask and cannot by a default, and for one that is going. */
export function observeWorkload(kind: WorkloadKind, object: KubeObject): Workload | undefined {
  const spec = memberOf(object, "spec");
  const template = memberOf(spec, "template");
  const annotations = ownAnnotations(textsIn(memberOf(memberOf(template, "metadata"), "annotations")));
  if (!mayAsk(annotations) || object.metadata.deletionTimestamp !== undefined) return undefined;
  const { metadata } = object;
  const status = memberOf(object, "status");
  const stamps = { templateStamp: stampIn(annotations), podsStamp: stampIn(metadata.annotations) };
  const kept = {
    annotations,
    labels: textsIn(memberOf(memberOf(template, "metadata"), "labels")),
    own: ownAnnotations(textsIn(memberOf(metadata, "annotations"))),
    sources: templateSources(memberOf(template, "spec")),
    selector: labelSelectorText(memberOf(spec, "selector")),
  };
  const isTooLarge = JSON.stringify(kept).length > MOST_CHARACTERS;
  return {
    kind,
    ref: { namespace: metadata.namespace ?? "", name: metadata.name },
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    ...(isTooLarge ? { ...NOTHING, annotations: asking(annotations) } : kept),
    isTooLarge,
    ...stamps,
    obstacle: obstacleOf(kind, spec) ?? (kind === "Rollout" && isDegraded(status) && !isRestarted(stamps) ? "Degraded" : undefined),
    progress: progressOf(kind, { generation: metadata.generation ?? 0, spec, status }),
  };
}

/** `Deployment web`, as messages name it. */
export function titleOf({ kind, ref }: Pick<Workload, "kind" | "ref">): string {
  return `${kind} ${ref.name}`;
}

const NOTHING = { labels: {}, own: {}, sources: { classes: [], secrets: [] }, selector: "" };

/** What says that it asks, and no more: both are "true" or "false" where they count. */
function asking(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const keys = [POD_ANNOTATIONS.restartOnRotation, POD_ANNOTATIONS.inject];
  return Object.fromEntries(keys.flatMap((key) => (annotations[key] === "true" ? [[key, "true"]] : [])));
}

function mayAsk(annotations: Readonly<Record<string, string>>): boolean {
  const own = annotations[POD_ANNOTATIONS.restartOnRotation];
  return own === undefined ? annotations[POD_ANNOTATIONS.inject] === "true" : own === "true";
}

function textsIn(object: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function obstacleOf(kind: WorkloadKind, spec: JsonObject): Workload["obstacle"] {
  if (kind === "Deployment" || kind === "Rollout") return spec["paused"] === true ? "Paused" : undefined;
  if (memberOf(spec, "updateStrategy")["type"] === "OnDelete") return "OnDelete";
  return isHeldWhole(kind, spec) ? "Partitioned" : undefined;
}
