import type { AdmissionRequest } from "../admission/review.ts";
import { objectAt } from "../json-members.ts";
import { POD_TEMPLATE_KINDS } from "../pod-templates.ts";

const TEMPLATES: ReadonlyMap<string, readonly string[]> = new Map(
  POD_TEMPLATE_KINDS.map(({ group, resource, path }) => [`${group}/${resource}`, path]),
);

/**
 * Returns the request for the creation of the workload's first pod, as the pod webhook would receive it. Undefined if the object is not a
 * workload or has no template. The request lacks the parts that controllers add to pods later. So only the check of the pod itself refuses
 * a mount path around the account's token, or a volume name that a StatefulSet's claim uses.
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

/** Returns the path of the pod template in a workload; undefined if the resource is not a workload. */
export function templatePath({ resource: { group, resource } }: AdmissionRequest): readonly string[] | undefined {
  return TEMPLATES.get(`${group}/${resource}`);
}
