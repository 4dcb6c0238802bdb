import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../../domain/kubernetes.ts";
import { keyOf } from "../../../domain/object-key.ts";
import type { SyncReason } from "../../../domain/reasons.ts";
import { conditionOf } from "../../../domain/sync/class-status.ts";
import type { ClassStatus } from "../../../domain/sync/status-fields.ts";
import { storedPodStatusOf } from "../../../domain/where/stored-versions.ts";
import { changedAt } from "../../../domain/written-at.ts";
import { type ClassContext, insideTheWorker } from "../../shared/class-context.ts";
import { listed } from "../../shared/viewer.ts";
import { type ClassFinding, found } from "./leaves.ts";
import type { VaultReading } from "./objects.ts";

/**
 * Corrects the findings about the network if the cluster knows better. The cluster, but not a laptop, reaches a vault with private link:
 * then nothing is wrong, and this machine cannot find out more. If the worker has no status for the class, mounts are the evidence.
 */
export async function seenFromElsewhere(
  context: ClassContext,
  spc: SecretProviderClass,
  { findings, unreached, status }: Pick<VaultReading, "findings" | "unreached"> & { readonly status: ClassStatus | undefined },
): Promise<readonly ClassFinding[]> {
  const isUnreached = ({ step, state }: ClassFinding): boolean => step === "network" && state === "FAIL";
  if (context.azure?.isInCluster !== false || unreached === undefined) return findings;
  const witness = status === undefined ? await mountWitness(context, spc) : workerWitness(spc, status, unreached);
  if (witness === undefined) return findings;
  const fix = `Check from the worker's own pod: ${insideTheWorker(context.install.namespace, keyOf(spc))}`;
  return findings.map((finding) =>
    isUnreached(finding) ? found("network-elsewhere", `${finding.message}; ${witness}, so this concerns only this machine`, fix) : finding,
  );
}

/** Reasons of a failed check that only the vault itself gives. */
const OF_THE_VAULT: ReadonlySet<string> = new Set<SyncReason>([
  "Throttled",
  "Forbidden",
  "ObjectNotFound",
  "ObjectDisabled",
  "ObjectExpired",
  "ObjectNotYetValid",
  "InvalidObject",
  "UnsupportedApiVersion",
]);

const UNAUTHORIZED = "Unauthorized" satisfies SyncReason;

/**
 * Returns undefined if the worker's last check of the current class does not prove that the worker reaches the host. An answer of the vault
 * proves that there was a token. A refusal of the identity may come from the sign-in service, before the worker queried the vault.
 */
function workerWitness(
  { metadata }: SecretProviderClass,
  status: ClassStatus,
  unreached: NonNullable<VaultReading["unreached"]>,
): string | undefined {
  if (status.observedClassGeneration < (metadata.generation ?? 0)) return undefined;
  const fresh = conditionOf(status, "Fresh");
  const isAnswered = fresh?.status === "True" || (fresh?.status === "False" && OF_THE_VAULT.has(fresh.reason));
  if (unreached === "signIn" && fresh?.status === "False" && fresh.reason === UNAUTHORIZED)
    return `the worker's last check was answered with ${UNAUTHORIZED}`;
  return isAnswered ? "the vault answered the worker's last check" : undefined;
}

/** Returns undefined if no pod has mounted the current class, or if the user may not list the pod statuses. */
async function mountWitness({ viewer }: ClassContext, spc: SecretProviderClass): Promise<string | undefined> {
  const { namespace = "", name } = spc.metadata;
  const statuses = listed(await viewer.all<KubeObject>(RESOURCES.secretProviderClassPodStatuses, { namespace }));
  const since = changedAt("spec", spc.metadata) ?? 0;
  const mounted = statuses
    .flatMap((each) => storedPodStatusOf(each) ?? [])
    .find(({ className, isMounted, writtenAt = 0 }) => className === name && isMounted && writtenAt >= since);
  return mounted && `pod ${mounted.pod} has the class mounted`;
}
