import { RESOURCES, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { type ClassStatus, conditionOf } from "../../../domain/sync/class-status.ts";
import { readStatus, type SecretProviderClassSync } from "../../../domain/sync/stored-status.ts";
import { lookUp } from "../../look-up.ts";
import { type ClassContext, offBecause } from "./class-look.ts";
import { type ClassFinding, fineLeaf, found } from "./leaves.ts";

export interface StatusLook {
  readonly findings: readonly ClassFinding[];
  /** Undefined where there is none to compare with. */
  readonly status: ClassStatus | undefined;
}

/** What the worker says of the class, and whether that is of the class as it is now. */
export async function checkStatus(context: ClassContext, provider: SecretProviderClass): Promise<StatusLook> {
  const off = offBecause(context.settings, provider);
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
