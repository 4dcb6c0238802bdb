import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { ClassFact } from "../../domain/injection/credentials.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { isDefect } from "../../domain/preflight/class-defect.ts";
import { classWarnings } from "../../domain/preflight/class-warnings.ts";
import { type IdentityMode, readIdentityMode } from "../../domain/provider-class/identity-mode.ts";
import { describeProblem } from "../../domain/provider-class/problem.ts";
import { isSwitchedOffByAuthor } from "../../domain/schedule/class-annotations.ts";
import { type ClassStatus, conditionOf } from "../../domain/sync/class-status.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import type { Look, Viewer } from "../cluster.ts";
import { DEFAULT_CLOUD } from "../install.ts";
import { type Step, step } from "./explanation.ts";

/** What is known of a class, and what is wrong with it. */
export function classSteps(name: string, fact: ClassFact, absence: string | undefined): readonly Step[] {
  if (fact.kind === "missing") {
    const where = absence === undefined ? "does not exist: create it, or correct the name" : absence;
    return [step("class", "problem", `SecretProviderClass ${name} ${where}`)];
  }
  if (fact.kind === "unknown") return [step("class", "unknown", `SecretProviderClass ${name} ${absence ?? "is not readable here"}`)];
  const warnings = classWarnings(fact.class, { cloudName: DEFAULT_CLOUD });
  const problems = warnings.map((each) => {
    const state = isDefect(each) ? "problem" : "warning";
    return step("class", state, `SecretProviderClass ${name}: ${each.message} (${each.reason})`);
  });
  return [step("class", "ok", `SecretProviderClass ${name} exists`), ...problems, identityStep(name, fact.class)];
}

function identityStep(name: string, { spec }: SecretProviderClass): Step {
  const mode = readIdentityMode(spec?.parameters ?? {});
  if (!mode.ok) return step("identity", "problem", `class ${name}: ${describeProblem(mode.error)}`);
  return step("identity", "ok", `class ${name} asks the vault as ${identityText(mode.value)}`);
}

function identityText(mode: IdentityMode): string {
  switch (mode.kind) {
    case "servicePrincipal":
      return "the service principal of a credentials Secret";
    case "workloadIdentity":
      return `the application ${mode.clientId}, which trusts the pod's ServiceAccount (workload identity)`;
    case "managedIdentity":
      return mode.clientId === undefined ? "the node's system-assigned managed identity" : `the node's managed identity ${mode.clientId}`;
    case "podIdentity":
      return "a pod identity, which Azure has retired";
    case "azureTokenProxy":
      return `the application ${mode.clientId}, by an identity binding`;
  }
}

export type StatusLook = Look<SecretProviderClassSync>;

export function lookAtStatus(viewer: Viewer, ref: ObjectRef): Promise<StatusLook> {
  return viewer.object<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs, ref);
}

/** How the mirroring of a class stands, and each of its Secrets with what it was made from. */
export function syncSteps(provider: SecretProviderClass, look: StatusLook): readonly Step[] {
  const { name } = provider.metadata;
  if (!isOurs(provider)) return [step("sync", "ok", `class ${name} is not mirrored: its provider is not "azure"`)];
  if (secretObjectsOf(provider).length === 0) return [step("sync", "ok", `class ${name} mirrors nothing: it has no secretObjects`)];
  if (look.kind === "unseen") return [step("sync", "unknown", `${look.why}: how class ${name} is mirrored is not known`)];
  if (look.kind === "unserved") return [step("sync", "problem", "the kind SecretProviderClassSync is not served: apply manifests/crds")];
  const status = look.kind === "seen" ? readStatus(look.value.status) : undefined;
  if (isSwitchedOffByAuthor(provider)) return [offStep(name, `its annotation ${CLASS_ANNOTATIONS.sync}: never`)];
  if (conditionOf(status, "Synced")?.reason === "SwitchedOff") return [offStep(name, conditionOf(status, "Synced")?.message ?? "")];
  if (status === undefined) return [step("sync", "warning", `class ${name} is not mirrored yet: is the sync worker running?`)];
  return [...conditionSteps(name, provider, status), ...status.secrets.map(secretStep)];
}

/** What its status says of its Secrets is of before. */
function offStep(name: string, why: string): Step {
  return step("sync", "ok", `class ${name} is SwitchedOff (${why}): its Secrets stay as they are, and nothing updates or repairs them`);
}

function conditionSteps(name: string, { metadata }: SecretProviderClass, status: ClassStatus): readonly Step[] {
  const synced = conditionOf(status, "Synced");
  const fresh = conditionOf(status, "Fresh");
  const isOld = synced?.status === "True" && fresh?.status === "False";
  const isOutdated = status.observedClassGeneration < (metadata.generation ?? 0);
  return [
    step(
      "sync",
      synced?.status === "True" ? "ok" : "problem",
      `class ${name} is ${synced?.reason ?? "not looked at"}: ${synced?.message ?? ""}`,
    ),
    ...(isOld ? [step("sync", "warning", `class ${name} is not fresh (${fresh.reason}): ${fresh.message}`)] : []),
    ...(isOutdated ? [step("sync", "warning", `class ${name} was changed since: the worker has yet to look at it`)] : []),
  ];
}

function secretStep({ name, state, message, data }: ClassStatus["secrets"][number]): Step {
  const keys = data.map(({ key, object, version }) => `${key} from ${object} version ${version}`).join(", ");
  const text = `Secret ${name} is ${state}${message === undefined ? "" : `: ${message}`}${keys === "" ? "" : `: ${keys}`}`;
  return step("secret", state === "Synced" ? "ok" : "problem", text);
}
