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
import { type Finding, objectText } from "../shared/manifest-files.ts";

export interface RenderContext extends InjectionContext {
  /** Of objects that name none. */
  readonly namespace: string;
  /** Namespaces whose pods the webhook never sees. */
  readonly excluded: readonly string[];
  /** Cloud of classes without `cloudName`. */
  readonly cloudName: string;
}

export interface RenderedItem {
  /** As the server would store it; undefined where it would store nothing, or no pod of it. */
  readonly object: JsonObject | undefined;
  /** Something of ours was added. */
  readonly isInjected?: true;
  readonly findings: readonly Finding[];
}

/** What becomes of one object of the files. */
export async function renderItem(item: ManifestItem, context: RenderContext): Promise<RenderedItem> {
  if (isClass(item)) return renderClass(item, context);
  const path = podPath(item.object);
  const pod = path === undefined ? undefined : podAt(item.object, path);
  if (path === undefined || pod === undefined) return { object: item.object, findings: [] };
  const namespace = item.namespace ?? context.namespace;
  if (context.excluded.includes(namespace)) return { object: item.object, findings: excludedFindings(item, pod, { path, namespace }) };
  const injection = await injectPod(pod, namespace, context);
  const { decision, classes, pod: stored } = injection;
  const told = (severity: Finding["severity"], reason: string | undefined, message: string): Finding => ({
    severity,
    place: item.placeOf([...path, "metadata", "annotations"]),
    object: objectText(item),
    reason,
    message,
  });
  const warnings = workloadWarnings({ pod, decision, classes }).filter(({ reason }) => reason !== "PodDenied");
  // What makes it no pod at all begins with the field, as seen from the pod; it has no word of its own at a command line.
  const refusal = (reason: string, message: string): Finding =>
    reason === "InvalidReview" ? told("error", undefined, [...path, message].join(".")) : told("error", reason, message);
  const misplaced = misplacedAnnotations(item.object, path).map(
    ({ reason, message }): Finding => ({ ...told("warning", reason, message), place: item.placeOf(["metadata", "annotations"]) }),
  );
  const findings = [
    ...misplaced,
    ...warnings.map(({ reason, message }) =>
      told("warning", reason === "PodWarning" ? undefined : reason, inTermsOfFiles(message, namespace, injection, context.facts)),
    ),
  ];
  if (decision.kind === "denied" || decision.kind === "errored") {
    return {
      object: undefined,
      findings: [refusal(decision.reason, decision.message), ...findings],
    };
  }
  if (decision.kind !== "patched" || stored === undefined) return { object: item.object, findings };
  return { object: withPodAt(item.object, path, stored), isInjected: true, findings };
}

/** What is left out is left out in silence by the API server: here it is told. */
function excludedFindings(
  item: ManifestItem,
  pod: JsonObject,
  { path, namespace }: { readonly path: readonly string[]; readonly namespace: string },
): readonly Finding[] {
  const inject = objectAt(pod, ["metadata", "annotations"])?.[POD_ANNOTATIONS.inject];
  if (inject === undefined || inject === "false") return [];
  const message = `nothing is injected: the webhook leaves namespace ${namespace} out, use another one or remove the annotations under ${PREFIX}/`;
  return [
    {
      severity: "warning",
      place: item.placeOf([...path, "metadata", "annotations"]),
      object: objectText(item),
      reason: undefined,
      message,
    },
  ];
}

/** A class is stored as it is, or refused. */
function renderClass(item: ManifestItem, { namespace, cloudName }: RenderContext): RenderedItem {
  const read = readClassItem(item, namespace);
  const object = objectText(item);
  const refused = read.refused.map(
    ({ path, message }): Finding => ({ severity: "error", place: item.placeOf(path), object, reason: undefined, message }),
  );
  const nulls = read.nulls.map(
    (key): Finding => ({
      severity: "warning",
      place: item.placeOf(["spec", "parameters", key]),
      object,
      reason: "NullParameter",
      message: `spec.parameters.${key} is null: write ${key}: "" or remove the line. Client-side apply drops it, server-side apply and GitOps tools refuse it`,
    }),
  );
  const preflight = classWarnings(read.class, { cloudName })
    .filter(({ reason }) => reason !== "NullParameter")
    .map(({ reason, message }): Finding => ({ severity: "warning", place: item.placeOf(["spec"]), object, reason, message }));
  return { object: refused.length > 0 ? undefined : item.object, findings: [...refused, ...nulls, ...preflight] };
}
