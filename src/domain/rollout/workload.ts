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

/** Why a stamp would replace no pod, or not in the right way. */
export type Obstacle = "Paused" | "OnDelete" | "Degraded" | "Partitioned";

/** The parts that the worker holds of a workload that requests restarts, or may do so by a default of its Namespace. */
export interface Workload extends Stamps {
  readonly kind: WorkloadKind;
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Annotations of the template with the project's prefix. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Labels of its pods, according to the template. */
  readonly labels: Readonly<Record<string, string>>;
  /** Annotations of the workload itself with the project's prefix. */
  readonly own: Readonly<Record<string, string>>;
  readonly sources: TemplateSources;
  /** For a list of its pods. */
  readonly selector: string;
  readonly obstacle: Obstacle | undefined;
  readonly progress: Progress;
  /**
   * Whether the held parts have more than {@link MOST_CHARACTERS}. The worker then holds none of them and does not restart the workload.
   */
  readonly isTooLarge: boolean;
}

/**
 * Most characters of project annotations, labels, selector and names together. A normal workload has a tenth of that, and a namespace may
 * have thousands of workloads.
 */
const MOST_CHARACTERS = 32_768;

/** Message for a workload that is too large to hold. */
export const TOO_LARGE_WORDS = `its selector, the labels and the keyvault-injector.dev annotations of its template, and the names of its classes and Secrets have more than ${MOST_CHARACTERS} characters in total`;

/** Returns undefined for a workload that requests no restarts and cannot do so by a default, and for one that is being deleted. */
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

/** Returns the name for messages, such as `Deployment web`. */
export function titleOf({ kind, ref }: Pick<Workload, "kind" | "ref">): string {
  return `${kind} ${ref.name}`;
}

const NOTHING = { labels: {}, own: {}, sources: { classes: [], secrets: [] }, selector: "" };

/** Returns only the annotations that request restarts. Both count only with the value "true". */
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
