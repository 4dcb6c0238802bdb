import { closeSync, existsSync, openSync, readSync } from "node:fs";
import path from "node:path";
import type { Emulator } from "../../tools/key-vault-emulator/emulator.ts";
import type { RequestRecord } from "../../tools/key-vault-emulator/network/request-log.ts";
import { type AuditEntry, parseAudit } from "../support/audit.ts";
import type { ControlPlane } from "../support/control-plane.ts";

export const SYNC_USER = "system:serviceaccount:keyvault-injector:keyvault-injector-sync";

const CHUNK = 1 << 20;

/** The API server's audit log, read as it grows. */
export class AuditTrail {
  readonly #file: string;
  readonly #entries: AuditEntry[] = [];
  #position = 0;
  #rest = "";

  constructor(plane: ControlPlane) {
    this.#file = path.join(plane.directory, "audit.log");
  }

  /** Entries so far. */
  get mark(): number {
    this.#read();
    return this.#entries.length;
  }

  since(mark: number): readonly AuditEntry[] {
    this.#read();
    return this.#entries.slice(mark);
  }

  #read(): void {
    if (!existsSync(this.#file)) return;
    const file = openSync(this.#file, "r");
    const buffer = Buffer.alloc(CHUNK);
    try {
      for (;;) {
        const length = readSync(file, buffer, 0, CHUNK, this.#position);
        if (length === 0) return;
        this.#position += length;
        const text = this.#rest + buffer.toString("latin1", 0, length);
        const end = text.lastIndexOf("\n") + 1;
        this.#rest = text.slice(end);
        this.#entries.push(...parseAudit(text.slice(0, end)).filter(({ user }) => user === SYNC_USER));
      }
    } finally {
      closeSync(file);
    }
  }
}

/** The emulator's request log, read as it grows. */
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
    // One after the other: two that read at once would note the same records twice.
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

/** Secrets that a process wrote after another one had written the Lease. */
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
