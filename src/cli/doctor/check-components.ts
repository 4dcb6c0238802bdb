import { SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import { COPY_FORMAT, type ComponentCopy } from "../../domain/healing/component-copy.ts";
import { type ComponentDrift, componentDrift } from "../../domain/healing/component-drift.ts";
import { type Component, componentsOf, crdComponent, OWN_DEPLOYMENT } from "../../domain/healing/components.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { shownNames } from "../../domain/sync/shown-names.ts";
import { MORE_RESOURCES } from "../resources.ts";
import { type Check, type CheckResult, fine, notThere, skipped, warn } from "./check.ts";

const MAX_SHOWN = 3;
const COPIES = { labelSelector: `${SNAPSHOT_LABEL}=component` };
const FIX = "apply the manifests again, and take out what they do not have; component healing does both while the worker runs";
const ACCEPTED_FIX = "set it where you install, or take it out";

interface StoredCopy extends KubeObject {
  readonly data?: Partial<ComponentCopy>;
}

/** Parts of the install against the worker's copies of what their installer applied. The copies' signatures are for the worker to check. */
export const checkComponents: Check = async ({ viewer, namespace, crds }) => {
  const stored = await viewer.all<StoredCopy>(RESOURCES.controllerRevisions, { namespace, ...COPIES });
  if (stored.kind !== "seen") return [skipped("components", stored)];
  const components = [...componentsOf(namespace), ...crds.map(({ metadata }) => crdComponent(metadata.name))];
  const results: CheckResult[] = [];
  let count = 0;
  for (const component of components) {
    const copy = copyIn(stored.value, component);
    if (copy === undefined) continue;
    const look = await viewer.object<KubeObject>(component.resource, component.ref);
    if (look.kind !== "seen" && look.kind !== "absent") results.push(skipped("components", look));
    else results.push(...findingsOn(component, componentDrift(copy, look.kind === "seen" ? look.value : undefined)));
    count += 1;
  }
  const worker = count > 0 ? undefined : await viewer.object<KubeObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
  if (worker?.kind === "absent") return [notThere("components", "there is no worker, which keeps copies to compare with", "deployments")];
  if (count === 0) return [fine("components", "the worker keeps no copies to compare with: component healing is off, or has just begun")];
  return results.length > 0 ? results : [fine("components", `${count} parts of the install are as their installer left them`)];
};

function copyIn(stored: readonly StoredCopy[], { id }: Component): ComponentCopy | undefined {
  const [newest] = stored
    .filter(({ data }) => data?.id === id && data.format === COPY_FORMAT && data.object !== undefined && data.owners !== undefined)
    .sort((a, b) => Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion));
  return newest?.data as ComponentCopy | undefined; // What is used of it was checked just now.
}

function findingsOn({ id }: Component, drift: ComponentDrift): readonly CheckResult[] {
  if (drift.kind === "edited")
    return [warn("components", `${id} was edited: ${shownNames(drift.fields, MAX_SHOWN)}, last by ${drift.by}`, FIX)];
  if (drift.kind === "deleted") return [warn("components", `${id} was deleted`, FIX)];
  if (drift.kind !== "untouched") return [];
  return (drift.remarks ?? []).map(({ kind, fields, by }) => {
    const message = `${id}: ${shownNames(fields, MAX_SHOWN)}, by ${by}`;
    return kind === "tolerated" ? fine("components", `${message}: the platform may change it`) : warn("components", message, ACCEPTED_FIX);
  });
}
