import { closeSync, openSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { type AuditEntry, parseAudit } from "../../support/audit.ts";
import type { ControlPlane } from "../../support/control-plane.ts";

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);
const LEASES = "coordination.k8s.io/leases";
const CHUNK_BYTES = 64 * 1024 * 1024;

/** Writes of one user that the API server answered, by kind of resource. */
export interface ApiWrites {
  /** Lease renewals apart. */
  readonly total: number;
  readonly leases: number;
  readonly byResource: ReadonlyMap<string, number>;
  /** Unix milliseconds of the last, leases apart; undefined: there were none. */
  readonly last: number | undefined;
}

/** Counts by the API server's own log. */
export interface AuditMeter {
  /** Since the last call. */
  writes(): ApiWrites;
}

export function meterWrites(plane: ControlPlane, user: string): AuditMeter {
  const file = path.join(plane.directory, "audit.log");
  let offset = 0;
  return {
    writes: () => {
      const found: AuditEntry[] = [];
      for (let chunk = readFrom(file, offset); chunk.length > 0; chunk = readFrom(file, offset)) {
        offset += chunk.length;
        found.push(...parseAudit(chunk.toString("utf8")).filter((entry) => entry.user === user && WRITES.has(entry.verb)));
      }
      return summarize(found);
    },
  };
}

/** Whole lines. */
function readFrom(file: string, offset: number): Buffer {
  const left = (statSync(file, { throwIfNoEntry: false })?.size ?? 0) - offset;
  if (left <= 0) return Buffer.alloc(0);
  const buffer = Buffer.alloc(Math.min(left, CHUNK_BYTES));
  const descriptor = openSync(file, "r");
  try {
    const read = readSync(descriptor, buffer, 0, buffer.length, offset);
    return buffer.subarray(0, buffer.subarray(0, read).lastIndexOf("\n") + 1);
  } finally {
    closeSync(descriptor);
  }
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
