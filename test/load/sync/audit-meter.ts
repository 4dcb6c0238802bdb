import { type AuditEntry, auditTail, isProbe } from "../../support/cluster/audit.ts";
import { auditLogOf, type ControlPlane } from "../../support/cluster/control-plane.ts";

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);
const LEASES = "coordination.k8s.io/leases";

/** Writes of one user that the API server answered, by kind of resource. */
export interface ApiWrites {
  /** Without lease renewals. */
  readonly total: number;
  readonly leases: number;
  readonly byResource: ReadonlyMap<string, number>;
  /** Unix time of the last write in milliseconds, without leases. Undefined if there were none. */
  readonly last: number | undefined;
}

/** Counts requests in the API server's audit log. */
export interface AuditMeter {
  /** Returns the writes since the last call. */
  writes(): ApiWrites;
}

export function meterWrites(plane: ControlPlane, user: string): AuditMeter {
  const entries = auditTail(auditLogOf(plane), (entry) => entry.user === user && WRITES.has(entry.verb) && !isProbe(entry));
  let counted = 0;
  return {
    writes: () => {
      const all = entries();
      const found = all.slice(counted);
      counted = all.length;
      return summarize(found);
    },
  };
}

function summarize(entries: readonly AuditEntry[]): ApiWrites {
  const leases = entries.filter(({ resource }) => resource === LEASES);
  const others = entries.filter(({ resource }) => resource !== LEASES);
  const byResource = new Map<string, number>();
  for (const { verb, resource } of others) byResource.set(`${verb} ${resource}`, (byResource.get(`${verb} ${resource}`) ?? 0) + 1);
  const times = others.map(({ time }) => Date.parse(time));
  return {
    total: others.length,
    leases: leases.length,
    byResource,
    last: times.length === 0 ? undefined : times.reduce((latest, time) => Math.max(latest, time)),
  };
}
