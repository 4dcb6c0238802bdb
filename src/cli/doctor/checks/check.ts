import type { CustomResourceDefinition } from "../../../domain/healing/crd.ts";
import type { ReachHost } from "../../../domain/reach.ts";
import type { ClassContext } from "../../shared/class-context.ts";
import type { Cluster, Look } from "../../shared/viewer.ts";

/** `SKIP`: the user may not look, or what would be looked at is not there, so nothing is known. */
export type CheckState = "OK" | "WARN" | "FAIL" | "SKIP";

export interface CheckResult {
  readonly check: CheckName;
  readonly state: CheckState;
  /** What was found; never a value of a Secret. */
  readonly message: string;
  /** What to do; absent where there is nothing to do. */
  readonly fix?: string;
}

/** In the order in which they are made. `docs/reference/cli.md` has a row for each. */
export const CHECKS = {
  api: "the API server answers, and to whom",
  install: "anything of an install is there: without, nothing else is looked at",
  crds: "the three CRDs are served with every field",
  webhook: "the webhook's configuration is there, with its entry, a caBundle and no namespace left out by mistake",
  preflight: "warnings at apply time are configured",
  certificates: "the certificates that the API server trusts are valid",
  authority: "CA Secret, bundle and the certificate that is served are of one chain",
  injection: "a pod created by dry run comes back injected: network, TLS and webhook work",
  components: "parts of the install are as their installer left them",
  policies: "the policies are there, bound with Deny, and written for this namespace",
  guardrails: "the worker's policies deny what they forbid, tried by dry run as the worker",
  deployments: "webhook and worker have ready replicas",
  tokens: "no pod of ours has a token of a ServiceAccount that was deleted",
  instances: "one install in the cluster",
  lease: "a worker holds the lease and renews it",
  rights: "the worker's ServiceAccount has the rights it needs",
  driver: "the CSI driver is registered and its DaemonSet is ready",
  provider: "the Azure provider's DaemonSet is ready",
  "driver-sync": "the driver does not write Secrets itself",
  nodes: "every node has the driver",
  classes: "no class fails",
  namespaces: "which namespaces the webhook leaves out",
} as const;

export type CheckName = keyof typeof CHECKS;

export interface DoctorContext extends Omit<ClassContext, "azure" | "readCloudFile" | "hmacKey"> {
  /** The same API server, as somebody else: the user needs the right to impersonate them. */
  readonly actAs: Cluster["actAs"];
  readonly reach: ReachHost;
  /** Where the dry run creates its pod. */
  readonly probeNamespace: string;
  /** As this version ships them. */
  readonly crds: readonly CustomResourceDefinition[];
}

export type Check = (context: DoctorContext) => Promise<readonly CheckResult[]>;

export const fine = (check: CheckName, message: string): CheckResult => ({ check, state: "OK", message });
export const warn = (check: CheckName, message: string, fix: string): CheckResult => ({ check, state: "WARN", message, fix });
export const fail = (check: CheckName, message: string, fix: string): CheckResult => ({ check, state: "FAIL", message, fix });

/** What could not be looked at is said, never guessed. `see` is the check that says why it may not be there; every API server has the other kinds. */
export function skipped(check: CheckName, look: Exclude<Look<unknown>, { readonly kind: "seen" }>, see: CheckName = "api"): CheckResult {
  if (look.kind !== "unseen") return notThere(check, look.kind === "absent" ? "it is not there" : "the API server has no such kind", see);
  return { check, state: "SKIP", message: `not looked at: ${look.why}`, fix: "run doctor with more rights" };
}

/** What is not there is neither right nor wrong. `see` is the check that says why it is not there. */
export function notThere(check: CheckName, what: string, see: CheckName): CheckResult {
  return { check, state: "SKIP", message: `nothing to look at: ${what}`, fix: `see the check ${see}` };
}

export const STATE_COLOURS: Readonly<Record<CheckState, "green" | "yellow" | "red" | "cyan">> = {
  OK: "green",
  WARN: "yellow",
  FAIL: "red",
  SKIP: "cyan",
};
