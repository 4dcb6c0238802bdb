import { POD_ANNOTATIONS, PREFIX } from "../../domain/annotations.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { classWarnings } from "../../domain/preflight/class-warnings.ts";
import { misplacedAnnotations } from "../../domain/preflight/misplaced-annotations.ts";
import { objectAt } from "../../domain/preflight/workload.ts";
import { workloadWarnings } from "../../domain/preflight/workload-warnings.ts";
import { isClass, readClassItem } from "../manifest/class-item.ts";
import type { ManifestItem } from "../manifest/items.ts";
import { podAt, podPath, withPodAt } from "../manifest/pod-template.ts";
import { type InjectionContext, injectPod, inTermsOfFiles } from "../shared/injection.ts";
import { type Finding, findingOn } from "../shared/manifest-files.ts";
import { DEFAULT_CLOUD } from "../shared/resources.ts";

export interface RenderContext extends InjectionContext {
  /** Namespaces whose pods the webhook never sees. */
  readonly excluded: readonly string[];
}

export interface RenderedItem {
  /** As the server would store it; undefined where it would store nothing, or no pod of it. */
  readonly object: JsonObject | undefined;
  /** Something of ours was added. */
  readonly isInjected?: true;
  readonly findings: readonly Finding[];
}

const ANNOTATIONS = ["metadata", "annotations"];

/** What becomes of one object of the files. */
export async function renderItem(item: ManifestItem, context: RenderContext): Promise<RenderedItem> {
  const namespace = item.namespace ?? context.namespace;
  if (isClass(item)) return renderClass(item, namespace);
  const path = podPath(item.object);
  const pod = path === undefined ? undefined : podAt(item.object, path);
  if (path === undefined || pod === undefined) return { object: item.object, findings: [] };
  const told = (severity: Finding["severity"], message: string, reason?: string): Finding =>
    findingOn(item, [...path, ...ANNOTATIONS], { severity, message, reason });
  if (context.excluded.includes(namespace)) {
    // What is left out is left out in silence by the API server: here it is told.
    const inject = objectAt(pod, ANNOTATIONS)?.[POD_ANNOTATIONS.inject];
    const message = `nothing is injected: the webhook leaves namespace ${namespace} out, use another one or remove the annotations under ${PREFIX}/`;
    return { object: item.object, findings: inject === undefined || inject === "false" ? [] : [told("warning", message)] };
  }
  const injection = await injectPod(pod, namespace, context);
  const { decision, classes, pod: stored } = injection;
  const misplaced = misplacedAnnotations(item.object, path);
  const warnings = workloadWarnings({ pod, decision, classes }).filter(({ reason }) => reason !== "PodDenied");
  const findings = [
    ...misplaced.map(({ reason, message }) => findingOn(item, ANNOTATIONS, { severity: "warning", reason, message })),
    ...warnings.map(({ reason, message }) =>
      told("warning", inTermsOfFiles(message, namespace, injection, context.facts), reason === "PodWarning" ? undefined : reason),
    ),
  ];
  if (decision.kind === "denied" || decision.kind === "errored") {
    const { reason, message } = decision;
    // What makes it no pod at all begins with the field, as seen from the pod; it has no word of its own at a command line.
    const refusal = reason === "InvalidReview" ? told("error", [...path, message].join(".")) : told("error", message, reason);
    return { object: undefined, findings: [refusal, ...findings] };
  }
  if (decision.kind !== "patched" || stored === undefined) return { object: item.object, findings };
  return { object: withPodAt(item.object, path, stored), isInjected: true, findings };
}

/** A class is stored as it is, or refused. */
function renderClass(item: ManifestItem, namespace: string): RenderedItem {
  const read = readClassItem(item, namespace);
  const refused = read.refused.map(({ path, message }) => findingOn(item, path, { severity: "error", message }));
  const nulls = read.nulls.map((key) => {
    const message = `spec.parameters.${key} is null: write ${key}: "" or remove the line. Client-side apply drops it, server-side apply and GitOps tools refuse it`;
    return findingOn(item, ["spec", "parameters", key], { severity: "warning", reason: "NullParameter", message });
  });
  const preflight = classWarnings(read.class, { cloudName: DEFAULT_CLOUD })
    .filter(({ reason }) => reason !== "NullParameter")
    .map(({ reason, message }) => findingOn(item, ["spec"], { severity: "warning", reason, message }));
  return { object: refused.length > 0 ? undefined : item.object, findings: [...refused, ...nulls, ...preflight] };
}
