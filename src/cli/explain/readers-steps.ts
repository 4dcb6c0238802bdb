import { type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { CREDENTIALS_KEYS, PADDED, paddedKeys } from "../shared/class-context.ts";
import { type Holder, holdersOf, type Rbac, type Right } from "../shared/rbac.ts";
import type { Look, Viewer } from "../shared/viewer.ts";
import { type Step, step } from "./explanation.ts";

/** Whether the Secret of a service principal is there and has its keys. Of its values nothing is kept. */
export async function credentialsStep(viewer: Viewer, ref: ObjectRef): Promise<Step> {
  const look = await viewer.object<Secret>(RESOURCES.secrets, ref);
  if (look.kind === "unseen")
    return step("credentials", "unknown", `${look.why}: whether it has ${CREDENTIALS_KEYS.join(" and ")} is not known`);
  if (look.kind !== "seen") {
    return step(
      "credentials",
      "problem",
      `Secret ${ref.name} does not exist: create it with ${CREDENTIALS_KEYS.join(" and ")}, or the mount fails`,
    );
  }
  const present = Object.keys(look.value.data ?? {}).map((key) => key.toLowerCase());
  const missing = CREDENTIALS_KEYS.filter((key) => !present.includes(key));
  if (missing.length > 0) return step("credentials", "problem", `Secret ${ref.name} has no ${missing.join(" and no ")}: add it`);
  const padded = paddedKeys(look.value.data ?? {});
  if (padded.length > 0)
    return step(
      "credentials",
      "problem",
      `${padded.join(" and ")} of Secret ${ref.name} ${PADDED}; write it again by kubectl create secret generic --from-literal`,
    );
  return step("credentials", "ok", `Secret ${ref.name} has ${CREDENTIALS_KEYS.join(" and ")}`);
}

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
