/** Adds missing grants to their Namespaces with the user's own permissions. */
import { GRANT_ANNOTATIONS } from "../../domain/annotations.ts";
import { ALLOWED } from "../../domain/grants/namespace-grants.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
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

/**
 * Adds the grants to their Namespaces. A refusal does not prevent the other grants, but after a request without any answer, makes no
 * further requests, because each would take as long.
 */
export async function applyGrants(kube: KubeClient, grants: readonly MissingGrant[], signal: AbortSignal): Promise<AppliedGrants> {
  const applied: MissingGrant[] = [];
  const refused: RefusedGrant[] = [];
  let isSilent = false;
  for (const grant of grants) {
    const { namespace } = grant;
    const error: KubeError | "untried" | undefined = isSilent ? "untried" : await refusalOf(kube, grant, signal);
    if (error === undefined) applied.push(grant);
    else refused.push({ namespace, problem: problemOf(namespace, error) });
    if (error instanceof KubeError) isSilent = error.status === undefined;
  }
  return { applied, refused };
}

async function refusalOf(kube: KubeClient, grant: MissingGrant, signal: AbortSignal): Promise<KubeError | undefined> {
  const patch = { metadata: { annotations: annotationsFor(grant) } };
  try {
    await kube.mergePatch(RESOURCES.namespaces, { name: grant.namespace }, patch, { fieldManager: "keyvault-injector-grants" }, signal);
    return undefined;
  } catch (error) {
    if (error instanceof KubeError) return error;
    throw error;
  }
}

function problemOf(namespace: string, error: KubeError | "untried"): string {
  if (error === "untried") return "not tried, because the API server had not answered; run the command again";
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
