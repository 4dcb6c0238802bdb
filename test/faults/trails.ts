import type { Emulator } from "../../tools/key-vault-emulator/emulator.ts";
import type { RequestRecord } from "../../tools/key-vault-emulator/network/request-log.ts";
import { type AuditEntry, auditTail, isProbe } from "../support/cluster/audit.ts";
import { auditLogOf, type ControlPlane } from "../support/cluster/control-plane.ts";
import { SYNC_USER } from "../support/worker/sync-world.ts";

/** The worker's entries in the API server's growing audit log. */
export class AuditTrail {
  readonly #entries: () => readonly AuditEntry[];

  constructor(plane: ControlPlane) {
    this.#entries = auditTail(auditLogOf(plane), (entry) => entry.user === SYNC_USER && !isProbe(entry));
  }

  /** Number of entries so far. */
  get mark(): number {
    return this.#entries().length;
  }

  since(mark: number): readonly AuditEntry[] {
    return this.#entries().slice(mark);
  }
}

/** The emulator's growing request log. */
export class VaultTrail {
  readonly #emulator: Emulator;
  readonly #records: RequestRecord[] = [];
  #reading: Promise<void> = Promise.resolve();

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  async mark(): Promise<number> {
    await this.#read();
    return this.#records.length;
  }

  async since(mark: number): Promise<readonly RequestRecord[]> {
    await this.#read();
    return this.#records.slice(mark);
  }

  #read(): Promise<void> {
    const read = async (): Promise<void> => {
      this.#records.push(...(await this.#emulator.requests({ after: this.#records.at(-1)?.sequence ?? 0 })));
    };
    // Reads one after the other, because two reads at the same time would add the same records twice.
    this.#reading = this.#reading.then(read, read);
    return this.#reading;
  }
}

const WRITES = new Set(["create", "update", "patch", "delete"]);

export function isSecretWrite({ verb, resource, code }: AuditEntry): boolean {
  return resource === "secrets" && WRITES.has(verb) && code >= 200 && code < 300;
}

export function isLeaseWrite({ verb, resource, code }: AuditEntry): boolean {
  return resource === "coordination.k8s.io/leases" && WRITES.has(verb) && code >= 200 && code < 300;
}

/** Writes of Secrets by a process after another process had written the Lease. */
export function writesAfterTakeover(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  const inOrder = entries.toSorted((a, b) => a.time.localeCompare(b.time));
  let holder: string | undefined;
  const deposed = new Set<string>();
  return inOrder.filter((entry) => {
    if (isLeaseWrite(entry)) {
      if (holder !== undefined && holder !== entry.credential) deposed.add(holder);
      holder = entry.credential;
      deposed.delete(holder);
    }
    return isSecretWrite(entry) && deposed.has(entry.credential);
  });
}
