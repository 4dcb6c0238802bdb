import { type Holder, holdersOf, type Rbac, type Right } from "../access/rbac.ts";
import type { Look } from "../cluster.ts";
import { type Step, step } from "./explanation.ts";

/** Names in one line; the rest is counted, and whole in no format: an audit asks the API server. */
const SHOWN = 12;

const READ: readonly string[] = ["get", "list", "watch"];

/** Makers of pods: whoever may make one may mount any class of the namespace. */
const POD_MAKERS: readonly Pick<Right, "group" | "resource">[] = [
  { group: "", resource: "pods" },
  { group: "", resource: "replicationcontrollers" },
  ...["deployments", "statefulsets", "daemonsets", "replicasets"].map((resource) => ({ group: "apps", resource })),
  ...["jobs", "cronjobs"].map((resource) => ({ group: "batch", resource })),
];

export interface ReadersInput {
  readonly namespace: string;
  /** Secrets whose readers are of interest. */
  readonly secrets: readonly string[];
  /** Whether a class is mounted, or could be. */
  readonly isMountable: boolean;
}

/** Who may read what, by RBAC. */
export function readersSteps({ namespace, secrets, isMountable }: ReadersInput, look: Look<Rbac>): readonly Step[] {
  if (look.kind !== "seen") {
    const why = look.kind === "unseen" ? `${look.why}: ` : "";
    return [step("readers", "unknown", `${why}who may read is not known`)];
  }
  const rbac = look.value;
  const readers = secrets.map((name) => {
    const holders = READ.flatMap((verb) => holdersOf({ verb, group: "", resource: "secrets", name }, namespace, rbac));
    return step("readers", "ok", `Secret ${name} may be read by ${listed(holders)}`);
  });
  if (!isMountable) return readers;
  const makers = POD_MAKERS.flatMap((kind) => holdersOf({ verb: "create", ...kind }, namespace, rbac));
  return [...readers, step("readers", "ok", `the class may be mounted by who may make pods in ${namespace}: ${listed(makers)}`)];
}

function listed(holders: readonly Holder[]): string {
  const by = new Map(holders.map(({ subject, by: binding }) => [subject, binding]));
  const texts = [...by].map(([subject, binding]) => `${subject} (${binding})`);
  if (texts.length === 0) return "nobody by RBAC (besides cluster administrators' groups)";
  const left = texts.length - SHOWN;
  return [...texts.slice(0, SHOWN), ...(left > 0 ? [`${left} more`] : [])].join(", ");
}
