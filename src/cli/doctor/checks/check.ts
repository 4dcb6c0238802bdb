import type { CustomResourceDefinition } from "../../../domain/healing/crd.ts";
import type { Clock } from "../../../domain/ports/clock.ts";
import type { EventQueues } from "../../../domain/ports/event-queue.ts";
import type { ReachHost } from "../../../domain/reach.ts";
import type { Cluster } from "../../shared/command.ts";
import type { Look, Viewer } from "../../shared/viewer.ts";
import type { WorkerCode } from "../../shared/worker-code.ts";
import type { CheckState } from "../class/leaves.ts";

export interface CheckResult {
  readonly check: CheckName;
  readonly state: CheckState;
  /** What was found; never a value of a Secret. */
  readonly message: string;
  /** What to do; absent where there is nothing to do. */
  readonly fix?: string;
  /** The user may not look: what to ask for is said once of all, and not below each. */
  readonly isUnseen?: true;
}

/** In the order in which they are made. `docs/reference/cli.md` says of each what it looks for. */
export const CHECKS = [
  ...(["api", "install", "crds", "webhook", "preflight", "certificates", "authority", "injection", "components", "policies"] as const),
  ...(["guardrails", "deployments", "tokens", "instances", "lease", "rights", "event-queues", "gateways"] as const),
  ...(["driver", "provider", "driver-sync", "nodes", "classes", "restarts", "namespaces"] as const),
] as const;

export type CheckName = (typeof CHECKS)[number];

/** What the checks of an install take. */
export interface DoctorContext {
  readonly viewer: Viewer;
  /** Of the install. */
  readonly namespace: string;
  /** Its namespace is where the dry run creates its pod. */
  readonly cluster: Omit<Cluster, "close">;
  readonly azure: DoctorAzure;
  readonly worker: WorkerCode;
  /** As this version ships them. */
  readonly crds: readonly CustomResourceDefinition[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Ways out of the cluster. */
export interface DoctorAzure {
  readonly reach: ReachHost;
  /** Undefined: Azure is left out. */
  readonly queues?: EventQueues;
  /** This process runs in a pod of the cluster. */
  readonly isInCluster?: boolean;
}

export type Check = (context: DoctorContext) => Promise<readonly CheckResult[]>;

/** What one check has to say. `fix` is what to do; `see` the check that says why what is looked for is not there. */
function findingsOf(check: CheckName) {
  const found =
    (state: CheckState) =>
    (message: string, fix: string): CheckResult => ({ check, state, message, fix });
  const skip = found("SKIP");
  /** What is not there is neither right nor wrong. */
  const notThere = (what: string, see: CheckName): CheckResult => skip(`nothing to check: ${what}`, `see the check ${see}`);
  /** What could not be looked at is said, never guessed. Every API server has the kinds for which `see` is not given. */
  const skipped = (look: Exclude<Look<unknown>, { readonly kind: "seen" }>, see: CheckName = "api"): CheckResult => {
    if (look.kind === "unseen") return { ...skip(`not checked: ${look.why}`, "run doctor with more permissions"), isUnseen: true };
    return notThere(look.kind === "absent" ? "it does not exist" : "the API server does not serve this kind", see);
  };
  const fine = (message: string): CheckResult => ({ check, state: "OK", message });
  return { fine, warn: found("WARN"), fail: found("FAIL"), skip, skipped, notThere };
}

type Findings = ReturnType<typeof findingsOf>;

/** One finding that all is fine, where there is no other. */
export function orFine(findings: readonly CheckResult[], fine: CheckResult): readonly CheckResult[] {
  return findings.length > 0 ? findings : [fine];
}

/** By check. */
export const on = Object.fromEntries(CHECKS.map((check) => [check, findingsOf(check)])) as Readonly<Record<CheckName, Findings>>; // Its keys are the names.
