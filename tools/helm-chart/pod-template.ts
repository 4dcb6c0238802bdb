/** A workload of the chart and the PodTemplate that holds the same pods, for the policy that compares the worker's writes with it. */
import type { JsonMap, Mark } from "./place.ts";
import type { Objects } from "./sources.ts";
import { templateOf } from "./template-text.ts";

export interface PodTemplateSources {
  /** Among them the PodTemplate of the workload's name. */
  readonly objects: Objects;
  readonly marksOf: (name: string, object: JsonMap) => readonly Mark[];
  /** Condition under which there is something to compare. */
  readonly heals: string;
}

const SEPARATOR = "---\n";

export interface WithPodTemplate {
  /** Stands outside of any condition. */
  readonly definition: string;
  readonly workload: string;
  /** Also there where a condition of its own leaves the workload out: it says which pods one of that name may have. */
  readonly podTemplate: string;
}

/** `template` is a document; as it is where no PodTemplate has the workload's name. */
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
