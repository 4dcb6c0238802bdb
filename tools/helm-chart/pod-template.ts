/**
 * Renders a workload of the chart together with the PodTemplate that holds the same pods. A policy compares the worker's writes with the
 * PodTemplate.
 */
import type { JsonMap, Mark } from "./place.ts";
import type { Objects } from "./sources.ts";
import { templateOf } from "./template-text.ts";

export interface PodTemplateSources {
  /** Includes the PodTemplate with the workload's name. */
  readonly objects: Objects;
  readonly marksOf: (name: string, object: JsonMap) => readonly Mark[];
  /** Condition under which the policy has something to compare. */
  readonly heals: string;
}

const SEPARATOR = "---\n";

export interface WithPodTemplate {
  /** Placed outside any condition. */
  readonly definition: string;
  readonly workload: string;
  /** Rendered even if a condition leaves the workload out, because it limits the pods that a workload of that name may have. */
  readonly podTemplate: string;
}

/** `template` is one document. Returned unchanged if no PodTemplate has the workload's name. */
export function withPodTemplate(name: string, template: string, { objects, marksOf, heals }: PodTemplateSources): WithPodTemplate {
  const [kind = "", own = ""] = name.split("/");
  const podTemplate = `PodTemplate/${own}`;
  const found = objects.get(podTemplate);
  if (found === undefined || !["Deployment", "DaemonSet"].includes(kind)) return { definition: "", workload: template, podTemplate: "" };
  if (!template.startsWith(SEPARATOR)) throw new Error(`${name} is not one document`);
  const defined = `keyvault-injector.${kind}.${own}`;
  const { template: _pods, ...shell } = found as JsonMap & { readonly template: unknown };
  const definition = [
    `{{- define "${defined}" }}`,
    `{{- $driver := index .Values "secrets-store-csi-driver" }}`,
    template.slice(SEPARATOR.length),
    "{{- end }}",
    "",
  ];
  const workload = ["---", `{{- include "${defined}" $ }}`].join("\n");
  const pods = [
    "",
    `{{- if ${heals} }}`,
    "---",
    templateOf(shell, marksOf(podTemplate, shell)),
    "template:",
    `{{- (include "${defined}" $ | fromYaml).spec.template | toYaml | nindent 2 }}`,
    "{{- end }}",
  ];
  return { definition: definition.join("\n"), workload, podTemplate: pods.join("\n") };
}
