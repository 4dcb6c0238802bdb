import type { CustomResourceDefinition } from "../../../domain/healing/crd.ts";
import type { Clock } from "../../../domain/ports/clock.ts";
import type { EventQueues } from "../../../domain/ports/event-queue.ts";
import type { KubeError } from "../../../domain/ports/kube-error.ts";
import type { ReachHost } from "../../../domain/reach.ts";
import type { Cluster } from "../../shared/command.ts";
import { type Viewer, type ViewResult, whyNot } from "../../shared/viewer.ts";
import type { WorkerCode } from "../../shared/worker-code.ts";
import type { CheckState } from "../class/leaves.ts";

export interface CheckResult {
  readonly check: CheckName;
  readonly state: CheckState;
  /** Finding of the check; never contains a value of a Secret. */
  readonly message: string;
  /** Advice; absent if the user has nothing to do. */
  readonly fix?: string;
  /** The user lacks the permission to check this. The report lists the missing permissions once, not below each result. */
  readonly isUnseen?: true;
}

/** Checks in the order in which `doctor` makes them. `docs/reference/cli.md` describes each. */
export const CHECKS = [
  ...(["api", "install", "crds", "webhook", "preflight", "certificates", "authority", "injection", "components", "policies"] as const),
  ...(["guardrails", "deployments", "tokens", "instances", "lease", "rights", "event-queues", "gateways"] as const),
  ...(["driver", "provider", "driver-sync", "nodes", "classes", "restarts", "namespaces"] as const),
] as const;

export type CheckName = (typeof CHECKS)[number];

/** Dependencies of the checks that only read the cluster. */
export interface InstallContext {
  readonly viewer: Viewer;
  /** Namespace of the install. */
  readonly namespace: string;
}

/** Dependencies of the checks of an install. */
export interface DoctorContext extends InstallContext {
  /** The dry run creates its pod in the namespace of this cluster. */
  readonly cluster: Omit<Cluster, "close">;
  readonly azure: DoctorAzure;
  readonly worker: WorkerCode;
  /** CRDs that this version ships. */
  readonly crds: readonly CustomResourceDefinition[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Connections to services outside of the cluster. */
export interface DoctorAzure {
  readonly reach: ReachHost;
  /** Undefined: `doctor` does not contact Azure. */
  readonly queues?: EventQueues;
  /** Whether this process runs in a pod of the cluster. */
  readonly isInCluster?: boolean;
}

export type Check = (context: DoctorContext) => Promise<readonly CheckResult[]>;

/** Advice on a request that failed for another reason than a lack of permission. */
export const AGAIN = "correct the cause that the message names, then run doctor again";

/** Returns functions that create results of a check. `fix` is the advice; `see` is the check that explains why the object is missing. */
function findingsOf(check: CheckName) {
  const found =
    (state: CheckState) =>
    (message: string, fix: string): CheckResult => ({ check, state, message, fix });
  const skip = found("SKIP");
  /** Skips an object that does not exist: it is neither right nor wrong. */
  const notThere = (what: string, see: CheckName): CheckResult => skip(`nothing to check: ${what}`, `see the check ${see}`);
  /** Reports an object that the check could not read, instead of guessing. Callers omit `see` for kinds that every API server serves. */
  const skipped = (reading: Exclude<ViewResult<unknown>, { readonly kind: "seen" }>, see: CheckName = "api"): CheckResult => {
    if (reading.kind === "unseen") return { ...skip(`not checked: ${reading.why}`, "run doctor with more permissions"), isUnseen: true };
    return notThere(reading.kind === "absent" ? "it does not exist" : "the API server does not serve this kind", see);
  };
  /** Skips a check whose request failed. `ask`: advice for a user who lacks the permission for `what`. */
  const unanswered = (what: string, error: KubeError, ask: string): CheckResult =>
    skip(`not checked: ${whyNot(what, error)}`, error.lacksPermission ? ask : AGAIN);
  const fine = (message: string): CheckResult => ({ check, state: "OK", message });
  return { fine, warn: found("WARN"), fail: found("FAIL"), skip, skipped, unanswered, notThere };
}

type Findings = ReturnType<typeof findingsOf>;

/** Returns the findings, or `fine` if there are none. */
export function orFine(findings: readonly CheckResult[], fine: CheckResult): readonly CheckResult[] {
  return findings.length > 0 ? findings : [fine];
}

/** Result functions of each check. */
export const on = Object.fromEntries(CHECKS.map((check) => [check, findingsOf(check)])) as Readonly<Record<CheckName, Findings>>; // The keys are the CHECKS.
