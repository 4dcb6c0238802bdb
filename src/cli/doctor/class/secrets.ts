import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../../domain/annotations.ts";
import type { ObjectFile } from "../../../domain/content/object-file.ts";
import { RESOURCES, type Secret, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { trimSpace } from "../../../domain/provider-class/go-text.ts";
import { type ClassStatus, conditionOf, type SecretStatus } from "../../../domain/sync/class-status.ts";
import { secretObjectsOf } from "../../../domain/sync/named-secrets.ts";
import { readStatus, type SecretProviderClassSync } from "../../../domain/sync/stored-status.ts";
import { DRIVER_MANAGED_LABEL } from "../../../domain/sync/take-over.ts";
import { type ClassContext, offBecause } from "../../shared/class-context.ts";
import { lookUp } from "../../shared/viewer.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";

export interface StatusLook {
  readonly findings: readonly ClassFinding[];
  /** Undefined where there is none to compare with. */
  readonly status: ClassStatus | undefined;
}

/** What the worker says of the class, and whether that is of the class as it is now. */
export async function checkStatus(context: ClassContext, provider: SecretProviderClass): Promise<StatusLook> {
  const off = offBecause(context.install.settings, provider);
  if (off !== undefined) return only(fineLeaf("status-off", off));
  const { namespace = "", name } = provider.metadata;
  const look = await lookUp<SecretProviderClassSync>(context.viewer, RESOURCES.secretProviderClassSyncs, { namespace, name });
  if (look.kind === "unseen") return only(found("status-unreadable", look.why, "Ask for the role keyvault-injector-view."));
  const status = look.kind === "seen" ? readStatus(look.value.status) : undefined;
  if (status === undefined) {
    return only(
      found(
        "status-absent",
        "the worker has not said anything of the class",
        "See that a worker leads: keyvault-injector doctor, check lease.",
      ),
    );
  }
  return { findings: [verdictOn(provider, status)], status };
}

const only = (finding: ClassFinding): StatusLook => ({ findings: [finding], status: undefined });

function verdictOn(provider: SecretProviderClass, status: ClassStatus): ClassFinding {
  const synced = conditionOf(status, "Synced");
  const said = `${synced?.reason ?? "Unknown"}: ${synced?.message ?? ""}`;
  if (status.observedClassGeneration < (provider.metadata.generation ?? 0)) {
    return found(
      "status-outdated",
      `the worker has yet to look at the class as it is now; before it was ${said}`,
      "Wait a moment, then look again.",
    );
  }
  if (synced?.status === "True") {
    const checked = status.lastSuccessfulCheckTime === undefined ? "" : `, checked ${status.lastSuccessfulCheckTime} or later`;
    return fineLeaf("status-ok", `${status.syncedSecrets} of ${status.desiredSecrets} Secrets are mirrored${checked}`);
  }
  const { namespace = "", name } = provider.metadata;
  const fix = `Do what the first failure above says; without one, see docs/reference/reasons.md for ${synced?.reason ?? "the reason"} and run keyvault-injector explain spc/${name} -n ${namespace}.`;
  return found("status-failing", said, fix);
}

/** Whether each Secret that the status says is synced is there, ours, untouched, and of the versions that the status names. */
export async function checkSecrets(
  context: ClassContext,
  provider: SecretProviderClass,
  { secrets, files }: { readonly secrets: readonly SecretStatus[]; readonly files: readonly ObjectFile[] },
): Promise<readonly ClassFinding[]> {
  const findings: ClassFinding[] = [];
  for (const status of secrets) findings.push(await checkSecret(context, provider, { status, files }));
  return findings;
}

interface Compared {
  readonly status: SecretStatus;
  readonly files: readonly ObjectFile[];
}

async function checkSecret(context: ClassContext, provider: SecretProviderClass, compared: Compared): Promise<ClassFinding> {
  const { namespace = "" } = provider.metadata;
  const { status } = compared;
  const named = `Secret ${namespace}/${status.name}`;
  const look = await lookUp<Secret>(context.viewer, RESOURCES.secrets, { namespace, name: status.name });
  if (look.kind === "unseen") return found("secret-unreadable", look.why, `Ask for the right to get ${named}.`);
  const wasWritten = status.data.some(({ version }) => version !== undefined);
  if (look.kind !== "seen") {
    const why = wasWritten
      ? "the status says that it was written"
      : `the status says ${status.state}${status.message === undefined ? "" : `: ${status.message}`}`;
    return found(
      "secret-absent",
      `there is no ${named}: ${why}`,
      "See that a worker leads (the check lease), and what the class's status says.",
    );
  }
  const foreign = foreignOwner(look.value, provider.metadata.name);
  if (foreign !== undefined) return found("secret-foreign", `${named} ${foreign.why}`, foreign.fix);
  return (
    driftOf(context, { ...compared, named, secret: look.value, fileOf: fileOf(provider, compared) }) ??
    fineLeaf("secret-ok", `${named} is what the status says`)
  );
}

function foreignOwner({ metadata }: Secret, className: string): { readonly why: string; readonly fix: string } | undefined {
  if (metadata.labels?.[DRIVER_MANAGED_LABEL] === "true" && metadata.labels[MANAGED_LABEL] !== "true") {
    return {
      why: "is written by the CSI driver's own sync",
      fix: "Turn syncSecret off in the driver's installation: the Secret is taken over then.",
    };
  }
  if (metadata.labels?.[MANAGED_LABEL] !== "true") {
    return { why: `has no label ${MANAGED_LABEL}: somebody else made it`, fix: "Delete it, or choose another secretName in the class." };
  }
  const owner = metadata.annotations?.[SECRET_ANNOTATIONS.class];
  if (owner === className) return undefined;
  return { why: `is written for the class ${owner ?? "without a name"}`, fix: "Give one of the two classes another secretName." };
}

/** What the class makes of the vault for a key of the Secret now: of several files with the same path the last one, as on a mount. */
function fileOf(provider: SecretProviderClass, { status, files }: Compared): (key: string) => ObjectFile | undefined {
  const data = secretObjectsOf(provider).find(({ secretName }) => secretName === status.name)?.data ?? [];
  return (key) => {
    const entry = data.findLast((candidate) => trimSpace(candidate.key ?? "") === key);
    const path = trimSpace(entry?.objectName ?? "");
    return files.findLast((file) => file.path === path);
  };
}

interface Drifting extends Pick<Compared, "status"> {
  readonly named: string;
  readonly secret: Secret;
  readonly fileOf: (key: string) => ObjectFile | undefined;
}

function driftOf(
  { install: { fingerprints }, worker }: ClassContext,
  { status, fileOf, named, secret }: Drifting,
): ClassFinding | undefined {
  const missing = status.data.filter(({ key, version }) => version !== undefined && secret.data?.[key] === undefined).map(({ key }) => key);
  const isEdited = missing.length > 0 || (fingerprints !== undefined && !worker.observe(secret, fingerprints).isContentIntact);
  if (isEdited) {
    const what = missing.length > 0 ? `lacks ${missing.join(", ")}` : "holds other content than the worker wrote";
    return found("secret-edited", `${named} ${what}`, "See that a worker leads, which repairs it, and stop whoever edits it.");
  }
  const made = new Set((secret.metadata.annotations?.[SECRET_ANNOTATIONS.objects] ?? "").split(","));
  const other = status.data.find(
    ({ object, version }) => version !== undefined && object !== undefined && !made.has(`${object}@${version}`),
  );
  if (other !== undefined) {
    const message = `${named} was not made from ${other.object ?? ""} version ${other.version ?? ""}, which the status names for ${other.key}`;
    return found(
      "secret-differs",
      message,
      "See that a worker leads, and set the class's annotation keyvault-injector.dev/refresh to have it fetched.",
    );
  }
  const behind = status.data.find(({ key, object, version }) => {
    const file = fileOf(key);
    return version !== undefined && file?.objectId === object && file?.version !== version;
  });
  if (behind === undefined) return undefined;
  const message = `${named} has version ${behind.version ?? ""} of ${behind.object ?? ""} under ${behind.key}, and the vault a newer one`;
  return found(
    "secret-behind",
    message,
    "Wait for the next poll, or set the class's annotation keyvault-injector.dev/refresh to have it fetched now.",
  );
}
