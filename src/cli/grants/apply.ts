/** Adds missing grants to their Namespaces with the user's own permissions. */
import { GRANT_ANNOTATIONS } from "../../domain/annotations.ts";
import { ALLOWED, grantsOf } from "../../domain/grants/namespace-grants.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { refusalText } from "../shared/viewer.ts";
import type { MissingGrant } from "./needs.ts";

/** A Namespace without its missing grants. */
interface RefusedGrant {
  readonly namespace: string;
  readonly problem: string;
}

interface AppliedGrants {
  readonly applied: readonly MissingGrant[];
  readonly refused: readonly RefusedGrant[];
}

interface GrantsToApply {
  readonly grants: readonly MissingGrant[];
  /** resourceVersion of each Namespace as it was when the missing grants were found. */
  readonly versions: ReadonlyMap<string, string | undefined>;
}

/**
 * Adds the grants to their Namespaces. A refusal does not prevent the other grants, but after a request without any answer, makes no
 * further requests, because each would take as long.
 */
export async function applyGrants(kube: KubeClient, { grants, versions }: GrantsToApply, signal: AbortSignal): Promise<AppliedGrants> {
  const applied: MissingGrant[] = [];
  const refused: RefusedGrant[] = [];
  let isSilent = false;
  for (const grant of grants) {
    const { namespace } = grant;
    const error: KubeError | "untried" | undefined = isSilent ? "untried" : await refusalOf(kube, grant, versions.get(namespace), signal);
    if (error === undefined) applied.push(grant);
    else refused.push({ namespace, problem: problemOf(namespace, error) });
    if (error instanceof KubeError) isSilent = error.status === undefined;
  }
  return { applied, refused };
}

/**
 * Writes the whole list of accounts, so it needs the version on which the list is based: another user may have granted or revoked since. A
 * repetition of the write after a lost answer may meet its own result.
 */
async function refusalOf(
  kube: KubeClient,
  grant: MissingGrant,
  resourceVersion: string | undefined,
  signal: AbortSignal,
): Promise<KubeError | undefined> {
  const ref = { name: grant.namespace };
  const metadata = { annotations: annotationsFor(grant), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  try {
    await kube.mergePatch(RESOURCES.namespaces, ref, { metadata }, { fieldManager: "keyvault-injector-grants" }, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return error.code === "Conflict" && (await isGranted(kube, grant, signal)) ? undefined : error;
  }
}

async function isGranted(
  kube: KubeClient,
  { namespace, accounts = [], managedIdentity }: MissingGrant,
  signal: AbortSignal,
): Promise<boolean> {
  const reading = await kube.read<KubeObject>(RESOURCES.namespaces, { name: namespace }, signal).catch(() => undefined);
  if (reading?.kind !== "found") return false;
  const now = grantsOf(reading.object);
  return accounts.every((account) => now.accounts.includes(account)) && (!managedIdentity || now.managedIdentity);
}

function problemOf(namespace: string, error: KubeError | "untried"): string {
  if (error === "untried") return "not tried, because the API server had not answered; run the command again";
  if (error.code === "Conflict") return "the Namespace was changed after it was read; run the command again";
  const isSilence = error.status === undefined && error.mayBeStored;
  if (isSilence) return "the API server did not answer, so this is not certain; run the command again";
  return refusalText(`patch namespaces ${namespace}`, error);
}

/** Returns the annotations that a Namespace lacks. */
export function annotationsFor({ accounts, managedIdentity }: MissingGrant): Readonly<Record<string, string>> {
  return {
    ...(accounts === undefined ? {} : { [GRANT_ANNOTATIONS.serviceAccounts]: accounts.join(",") }),
    ...(managedIdentity ? { [GRANT_ANNOTATIONS.managedIdentity]: ALLOWED } : {}),
  };
}
