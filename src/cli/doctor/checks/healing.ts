import { SNAPSHOT_LABEL } from "../../../domain/annotations.ts";
import { isOlderThanAccount } from "../../../domain/healing/account-tokens.ts";
import { COPY_FORMAT, type ComponentCopy } from "../../../domain/healing/component-copy.ts";
import { type ComponentDrift, componentDrift } from "../../../domain/healing/component-drift.ts";
import { type Component, componentsOf, crdComponent, OWN_DEPLOYMENT } from "../../../domain/healing/components.ts";
import type { CustomResourceDefinition } from "../../../domain/healing/crd.ts";
import { crdDrift } from "../../../domain/healing/crd-drift.ts";
import { memberOf } from "../../../domain/json-members.ts";
import { type KubeObject, RESOURCES } from "../../../domain/kubernetes.ts";
import { shell } from "../../../domain/shell-words.ts";
import { shownNames } from "../../../domain/sync/shown-names.ts";
import { counted } from "../../../domain/words.ts";
import { injectionModeOf } from "../../shared/injection-mode.ts";
import { FINAL_CHECK, MORE_RESOURCES } from "../../shared/resources.ts";
import { valueIn } from "../../shared/viewer.ts";
import { type Check, type CheckResult, on, orFine } from "./check.ts";
import { isBeingRemoved } from "./install.ts";

const APPLY = "apply manifests/crds, or let the worker heal them (--heal=crds)";

export const checkCrds: Check = async ({ viewer, crds }) => {
  const results: CheckResult[] = [];
  let absent = 0;
  for (const ours of crds) {
    const { name } = ours.metadata;
    const reading = await viewer.object<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name });
    if (reading.kind === "absent" || reading.kind === "unserved") absent += 1;
    results.push(reading.kind === "unseen" ? on.crds.skipped(reading) : resultOf(ours, valueIn(reading)));
  }
  if (absent === crds.length && absent > 0) return [on.crds.fail(`none of the ${absent} CRDs exists`, APPLY)];
  const wrong = results.filter(({ state }) => state !== "OK");
  return orFine(wrong, on.crds.fine(`${results.length} of ${results.length} are intact`));
};

function resultOf(ours: CustomResourceDefinition, live: CustomResourceDefinition | undefined): CheckResult {
  const { name } = ours.metadata;
  const drift = crdDrift(ours, live);
  switch (drift.kind) {
    case "whole":
      return on.crds.fine(`${name} is intact`);
    case "absent":
      return on.crds.fail(`${name} is missing`, APPLY);
    case "terminating":
      return on.crds.fail(`${name} is being deleted`, "wait until it is deleted, then apply manifests/crds");
    case "damaged":
      return on.crds.fail(`${name}: ${drift.problem}`, APPLY);
    case "settling":
      return on.crds.warn(`${name}: ${drift.problem}`, "wait, then check again");
  }
}

const MAX_SHOWN = 3;
const COPIES = { labelSelector: `${SNAPSHOT_LABEL}=component` };
const FIX = "apply the manifests again, and remove what they do not contain; component healing does both while the worker runs";
const ACCEPTED_FIX = "set it in your installation's values or manifests, or remove it";

interface StoredCopy extends KubeObject {
  readonly data?: Partial<ComponentCopy>;
}

/** Compares parts of the install with the worker's copies of what the installer applied. Only the worker can verify their signatures. */
export const checkComponents: Check = async ({ viewer, namespace, crds }) => {
  const stored = await viewer.all<StoredCopy>(RESOURCES.controllerRevisions, { namespace, ...COPIES });
  if (stored.kind !== "seen") return [on.components.skipped(stored)];
  const { kind } = await injectionModeOf(viewer);
  // The worker keeps its copies of a webhook that was removed.
  const own = componentsOf(namespace).filter(({ isWebhook }) => !isWebhook || kind !== "policy");
  // uninstall --prepare removes this binding, and the check `install` reports that.
  const isRemoved = await isBeingRemoved({ viewer, namespace });
  const isMeant = ({ ref, resource }: Component): boolean => isRemoved && ref.name === FINAL_CHECK && resource.kind.endsWith("Binding");
  const components = [...own.filter((component) => !isMeant(component)), ...crds.map(({ metadata }) => crdComponent(metadata.name))];
  const results: CheckResult[] = [];
  let count = 0;
  for (const component of components) {
    const copy = copyIn(stored.value, component);
    if (copy === undefined) continue;
    const reading = await viewer.object<KubeObject>(component.resource, component.ref);
    if (reading.kind !== "seen" && reading.kind !== "absent") results.push(on.components.skipped(reading));
    else results.push(...findingsOn(component, componentDrift(copy, valueIn(reading))));
    count += 1;
  }
  const worker = count > 0 ? undefined : await viewer.object<KubeObject>(MORE_RESOURCES.deployments, { namespace, name: OWN_DEPLOYMENT });
  if (worker?.kind === "absent")
    return [on.components.notThere("there is no worker, so there are no copies to compare with", "deployments")];
  if (count === 0)
    return [
      on.components.skip(
        "the worker keeps no copies to compare with",
        "check that --heal includes components, or wait: the worker may have just started",
      ),
    ];
  return orFine(results, on.components.fine(`${counted(count, "object")} of the install ${count === 1 ? "is" : "are"} unchanged`));
};

function copyIn(stored: readonly StoredCopy[], { id }: Component): ComponentCopy | undefined {
  const [newest] = stored
    .filter(({ data }) => data?.id === id && data.format === COPY_FORMAT && data.object !== undefined && data.owners !== undefined)
    .sort((a, b) => Number(b.metadata.resourceVersion) - Number(a.metadata.resourceVersion));
  return newest?.data as ComponentCopy | undefined; // The filter has checked the fields that callers use.
}

function findingsOn({ id }: Component, drift: ComponentDrift): readonly CheckResult[] {
  if (drift.kind === "edited")
    return [on.components.warn(`${id} was edited: ${shownNames(drift.fields, MAX_SHOWN)}, last by ${drift.by}`, FIX)];
  if (drift.kind === "deleted") return [on.components.warn(`${id} was deleted`, FIX)];
  if (drift.kind !== "untouched") return [];
  return (drift.remarks ?? []).map(({ kind, fields, by }) => {
    const message = `${id}: ${shownNames(fields, MAX_SHOWN)}, by ${by}`;
    return kind === "tolerated" ? on.components.fine(`${message}: the platform may change it`) : on.components.warn(message, ACCEPTED_FIX);
  });
}

/**
 * Reports pods that have tokens of a deleted ServiceAccount. After a ServiceAccount is deleted and recreated, the API server rejects the
 * tokens of its running pods. The worker restarts these pods, except those of its own account.
 */
export const checkTokens: Check = async ({ viewer, namespace, clock }) => {
  const results: CheckResult[] = [];
  const accounts: string[] = [];
  let count = 0;
  for (const { resource, ref } of componentsOf(namespace)) {
    if (resource.plural !== RESOURCES.serviceAccounts.plural) continue;
    const account = await viewer.object<KubeObject>(resource, ref);
    if (account.kind === "absent") continue;
    if (account.kind !== "seen") return [on.tokens.skipped(account)];
    accounts.push(ref.name);
    const pods = await viewer.all<KubeObject>(RESOURCES.pods, { namespace: ref.namespace ?? "" });
    if (pods.kind !== "seen") return [on.tokens.skipped(pods)];
    const own = pods.value.filter((pod) => memberOf(pod, "spec")["serviceAccountName"] === ref.name);
    const older = own.filter((pod) => isOlderThanAccount(pod, account.value, clock.now())).map(({ metadata }) => metadata.name);
    count += own.length;
    if (older.length > 0) results.push(refusedTokens(account.value, older));
  }
  if (accounts.length === 0) return [on.tokens.notThere("no ServiceAccount of the install exists", "deployments")];
  const none = "none has a token of a deleted ServiceAccount";
  return orFine(results, on.tokens.fine(count === 0 ? "the install has no pods" : `of ${counted(count, "pod")}, ${none}`));
};

function refusedTokens({ metadata: { namespace, name, creationTimestamp } }: KubeObject, pods: readonly string[]): CheckResult {
  return on.tokens.fail(
    `ServiceAccount ${name} was recreated at ${creationTimestamp}: the API server rejects the tokens of ${shownNames(pods, MAX_SHOWN)}`,
    shell`kubectl rollout restart the workloads that run as ${name} in ${namespace ?? ""}; restarting containers is not enough, and the kubelet takes up to an hour`,
  );
}
