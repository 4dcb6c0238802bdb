import { readFileSync } from "node:fs";
import path from "node:path";
import { isProbe, type RawEvent, rawEvents } from "../support/cluster/audit.ts";
import { auditLogOf, type ControlPlane } from "../support/cluster/control-plane.ts";
import { LEASE, OBJECTS, SYNC_USER } from "../support/worker/sync-world.ts";

/** Audit policy for an API server: its log contains the bodies of the worker's writes. All values in these tests are invented. */
export function writersPolicy(): unknown {
  return {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived", "ResponseStarted"],
    rules: [
      {
        level: "Request",
        users: [SYNC_USER],
        verbs: ["create", "update", "patch", "delete"],
        resources: [
          { group: "", resources: ["secrets"] },
          { group: "coordination.k8s.io", resources: ["leases"] },
        ],
      },
      { level: "None", userGroups: ["system:serviceaccounts:kube-system", "system:masters", "system:nodes"] },
      { level: "Metadata", userGroups: ["system:serviceaccounts"] },
    ],
  };
}

/** Fields of a Secret or a Lease that identify the written content. */
interface Body {
  readonly metadata?: { readonly name?: string; readonly annotations?: Readonly<Record<string, string | null>> };
  readonly spec?: { readonly holderIdentity?: string };
}

/** Write by the worker's account that the API server accepted. */
interface Write {
  /** Identifier in the token. Every process has its own token. */
  readonly process: string;
  readonly resource: string;
  /** `namespace/name` */
  readonly key: string;
  readonly verb: string;
  /** Times of the request and of its answer, in RFC 3339 with microseconds. They compare correctly as text. */
  readonly arrived: string;
  readonly answered: string;
  readonly objects: string | undefined;
  readonly holder: string | undefined;
}

export interface Writers {
  readonly secretWrites: number;
  /** `namespace/name@objects` of each Secret that was written more than once with the same versions. */
  readonly double: readonly string[];
  /** Writes by a process that did not hold the Lease when the write arrived. */
  readonly withoutLease: readonly string[];
}

/**
 * Determines from the API server's audit log which process wrote which Secret, and which one led at the time. `leases`: the Leases of all
 * shards.
 */
export function judgeWriters(plane: ControlPlane, leases: readonly string[] = [LEASE]): Writers {
  const writes = rawEvents(readFileSync(auditLogOf(plane), "utf8")).flatMap(writeOf);
  const secrets = writes.filter(({ resource, key }) => resource === "secrets" && !key.startsWith("keyvault-injector/"));
  const terms = leases.map((lease) =>
    writes.filter(({ resource, holder, key }) => resource === "leases" && key.endsWith(`/${path.basename(lease)}`) && holder !== undefined),
  );
  const byVersion = Map.groupBy(secrets, ({ key, objects, verb }) => `${key}@${objects ?? verb}`);
  return {
    secretWrites: secrets.length,
    double: [...byVersion].filter(([, found]) => found.length > 1).map(([version]) => version),
    withoutLease: secrets
      .filter((write) => !terms.some((ofLease) => isLeading(write, ofLease)))
      .map(({ process, key, arrived }) => `${key} by ${process} at ${arrived}`),
  };
}

/**
 * Whether the process led when the write arrived: the last answered write of the Lease before this time comes from this process and
 * acquired or renewed the Lease.
 */
function isLeading({ process, arrived }: Write, terms: readonly Write[]): boolean {
  const last = terms.filter(({ answered }) => answered <= arrived).reduce<Write | undefined>(later, undefined);
  return last !== undefined && last.process === process && last.holder !== "";
}

function later(last: Write | undefined, write: Write): Write {
  return last === undefined || write.answered >= last.answered ? write : last;
}

const WRITES: readonly string[] = ["create", "update", "patch", "delete"];

function writeOf(event: RawEvent): readonly Write[] {
  const resource = event.objectRef?.resource ?? "";
  const isWrite = WRITES.includes(event.verb ?? "") && (resource === "secrets" || resource === "leases");
  const isTaken = (event.responseStatus?.code ?? 500) < 300;
  const isWorkers = event.user?.username === SYNC_USER && !isProbe(event);
  return isWrite && isTaken && isWorkers ? [described(event, resource)] : [];
}

function described({ user, verb = "", requestObject, ...event }: RawEvent, resource: string): Write {
  const { metadata = {}, spec = {} } = (requestObject ?? {}) as Body; // The audit policy logs bodies only of these two kinds.
  const { requestReceivedTimestamp: arrived = "", stageTimestamp: answered = "" } = event;
  const process = (user?.extra?.["authentication.kubernetes.io/credential-id"] ?? []).join();
  const objects = metadata.annotations?.[OBJECTS] ?? undefined;
  return { process, resource, key: keyOf(event, metadata.name), verb, arrived, answered, objects, holder: spec.holderIdentity };
}

/** The request path of a create has no name, only the body has it. */
function keyOf({ objectRef }: Pick<RawEvent, "objectRef">, named = ""): string {
  return `${objectRef?.namespace ?? ""}/${objectRef?.name ?? named}`;
}
