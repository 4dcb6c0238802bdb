import { listAt, memberOf } from "../json-members.ts";
import { isJsonObject, type JsonObject } from "../json-object.ts";
import { DRIVE, type OperatingSystem } from "./mount-path.ts";

export const OS_LABELS = ["kubernetes.io/os", "beta.kubernetes.io/os"];
/** AKS: `Windows2019`, `Windows2022`, `WindowsAnnual`, …, and for Linux `Ubuntu`, `AzureLinux`. */
export const SKU_LABEL = "kubernetes.azure.com/os-sku";
/** Present only on Windows nodes. */
export const BUILD_LABEL = "node.kubernetes.io/windows-build";

/**
 * Returns the operating system of the nodes that a pod can run on. `spec.os` names it, if present. Older pods select nodes by labels or by
 * a node affinity. Otherwise, features that only Windows has identify it: its security options, and drives in paths.
 */
export function systemOfPod(spec: JsonObject): OperatingSystem {
  const named = memberOf(spec, "os")["name"];
  if (named === "windows" || named === "linux") return named;
  const labels = Object.entries(memberOf(spec, "nodeSelector")).flatMap(([key, value]) => systemByValues(key, [value]) ?? []);
  if (labels[0] !== undefined) return labels[0];
  const affinity = systemByAffinity(memberOf(spec, "affinity"));
  if (affinity !== undefined) return affinity;
  return hasWindowsOptions(spec) || containersOf(spec).some((container) => hasWindowsOptions(container) || hasDrive(container))
    ? "windows"
    : "linux";
}

/** Returns undefined if the label does not identify a system, or if its values differ. */
function systemByValues(key: string, values: readonly unknown[]): OperatingSystem | undefined {
  const systems = new Set(values.map((value) => systemByLabel(key, value)));
  const [system] = systems;
  return systems.size === 1 ? system : undefined;
}

function systemByLabel(key: string, value: unknown): OperatingSystem | undefined {
  if (OS_LABELS.includes(key)) return value === "windows" || value === "linux" ? value : undefined;
  if (key === SKU_LABEL && typeof value === "string") return /^windows/i.test(value) ? "windows" : "linux";
  return key === BUILD_LABEL ? "windows" : undefined;
}

/** Terms are alternatives, so each of them must lead to the same system. */
function systemByAffinity(affinity: JsonObject): OperatingSystem | undefined {
  const required = memberOf(memberOf(affinity, "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution");
  const systems = new Set(listAt(required, "nodeSelectorTerms").map(systemByTerm));
  const [system] = systems;
  return systems.size === 1 ? system : undefined;
}

/** All expressions of a term apply together, so one is enough. */
function systemByTerm(term: JsonObject): OperatingSystem | undefined {
  return listAt(term, "matchExpressions")
    .map(systemByExpression)
    .find((system) => system !== undefined);
}

function systemByExpression({ key, operator, values }: JsonObject): OperatingSystem | undefined {
  if (typeof key !== "string") return undefined;
  const given: readonly unknown[] = Array.isArray(values) ? values : [];
  if (operator === "In") return systemByValues(key, given);
  if (operator === "Exists") return key === BUILD_LABEL ? "windows" : undefined;
  if (operator !== "NotIn" || !OS_LABELS.includes(key)) return undefined;
  const excluded = systemByValues(key, given);
  if (excluded === undefined) return undefined;
  return excluded === "linux" ? "windows" : "linux";
}

function containersOf(spec: JsonObject): readonly JsonObject[] {
  return [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
}

function hasWindowsOptions(holder: JsonObject): boolean {
  return isJsonObject(memberOf(holder, "securityContext")["windowsOptions"]);
}

function hasDrive(container: JsonObject): boolean {
  const paths = [container["workingDir"], ...listAt(container, "volumeMounts").map(({ mountPath }) => mountPath)];
  return paths.some((path) => typeof path === "string" && DRIVE.test(path));
}
