import type { AdmissionRequest } from "../admission/review.ts";
import { objectAt } from "../json-members.ts";
import { POD_TEMPLATE_KINDS } from "../pod-templates.ts";

const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map(
  POD_TEMPLATE_KINDS.map(({ group, resource, path }) => [`${group}/${resource}`, path]),
);

/**
 * The creation of the first pod of a workload, as the pod webhook will be asked about it. Undefined where the object is no workload,
 * or has no template. What is added to pods later is not there yet: a mount path around the account's token, or a volume name that a
 * StatefulSet's claim has, is refused at the pod alone.
 */
export function podRequestOf(request: AdmissionRequest): AdmissionRequest | undefined {
  const steps = templatePath(request);
  const template = steps && objectAt(request.object, steps);
  if (template === undefined) return undefined;
  return {
    ...request,
    operation: "CREATE",
    resource: { group: "", version: "v1", resource: "pods" },
    subResource: undefined,
    name: undefined,
    object: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...objectAt(template, ["metadata"]), generateName: `${request.name ?? "pod"}-` },
      spec: objectAt(template, ["spec"]) ?? {},
    },
  };
}

/** Where a workload has its pod template; undefined for what is no workload. */
export function templatePath({ resource: { group, resource } }: AdmissionRequest): readonly string[] | undefined {
  return TEMPLATES.get(`${group}/${resource}`);
}
