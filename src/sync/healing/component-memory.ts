import { type ComponentCopy, tolerating } from "../../domain/healing/component-copy.ts";
import type { ComponentDrift } from "../../domain/healing/component-drift.ts";
import { withItemKeys } from "../../domain/healing/field-sets.ts";
import { showsWrite } from "../../domain/healing/installer-writes.ts";
import { isInstaller, isSameOwner } from "../../domain/healing/installers.ts";
import { comparedFields, hasFields } from "../../domain/healing/owned-fields.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../domain/kubernetes.ts";
import { afterRepair, contestedUntil, NO_REPAIRS, paceRepair, type Repairs, STEADY, YIELDING } from "../../domain/schedule/repair-pace.ts";

/** Number of contests of one component whose pace the worker remembers. It forgets the oldest first. */
const MOST_CONTESTS = 16;
/** Number of `managedFields` entries of its own repairs that the worker remembers. The live object shows only the entries of one moment. */
const MOST_WRITES = 16;

export type Damage = Extract<ComponentDrift, { readonly kind: "terminating" | "edited" | "deleted" }>;

/** State of a component that this process remembers. Its loss costs nothing but an early repair. */
export class ComponentMemory {
  /**
   * Repairs by the manager that changes fields back and by those fields, or by the kind of damage. A manager that undoes each repair must
   * not slow down the repair of other damage.
   */
  readonly #contests = new Map<string, Repairs>();
  /** Entries of `managedFields` that the worker's repairs left under an installer's name, by manager, operation and time. */
  readonly #written = new Map<string, ManagedFieldsEntry>();
  /** Unix time in milliseconds since which the component has been absent. */
  absentSince: number | undefined;
  /** Whether this process or an earlier one may have begun a repair without its last write, which hands `managedFields` back. */
  mayBeHalfRepaired = true;

  readonly noteWritten = (entries: readonly ManagedFieldsEntry[]): void => {
    for (const entry of entries) {
      this.#written.set(writeOf(entry), entry);
      const [oldest] = this.#written.keys();
      if (this.#written.size > MOST_WRITES && oldest !== undefined) this.#written.delete(oldest);
    }
  };

  /**
   * Returns the object with the times of the installers' own writes, as the copy has them, in place of the times of repairs. After a write
   * without an answer, an entry counts as the repair's own if it owns no more than an apply of the copy does. Returns the object unchanged
   * if an installer has written since, even in the same second as a repair.
   */
  asInstalled(live: KubeObject, whole: ComponentCopy): KubeObject {
    const applied = this.mayBeHalfRepaired ? withItemKeys(comparedFields(whole.owners)) : undefined;
    const isOurs = (entry: ManagedFieldsEntry): boolean =>
      this.#written.has(writeOf(entry)) || (applied !== undefined && isInstaller(entry) && hasFields(applied, comparedFields([entry])));
    const entries = live.metadata.managedFields ?? [];
    const known = entries.filter(isOurs).map((entry) => this.#written.get(writeOf(entry)) ?? entry);
    const { copy } = tolerating(whole, live);
    if (showsWrite(live, { object: copy.object, owners: copy.owners, known: [...known, ...whole.owners] })) return live;
    const managedFields = entries.flatMap((entry) => {
      if (!isOurs(entry)) return [entry];
      const own = whole.owners.find((owner) => isSameOwner(owner, entry));
      return own === undefined ? [] : [withTimeOf(own, entry)];
    });
    return { ...live, metadata: { ...live.metadata, managedFields } };
  }

  /**
   * Returns the time in milliseconds to wait before a repair of this damage. A deletion never waits for long: nothing works without the
   * object, and the API server does not record who deleted it.
   */
  pauseBefore(damage: Damage, now: number): number {
    const name = contestOf(damage);
    const { repairs, pauseMs } = paceRepair(this.#contests.get(name) ?? NO_REPAIRS, now, damage.kind === "edited" ? YIELDING : STEADY);
    this.#remember(name, repairs);
    return pauseMs;
  }

  noteRepair(damage: Damage, now: number): void {
    const name = contestOf(damage);
    this.#remember(name, afterRepair(this.#contests.get(name) ?? NO_REPAIRS, now));
  }

  /**
   * Notes that the component has no damage. Returns the Unix time in milliseconds until which someone may still undo the last repair, as
   * before; undefined if no one does.
   */
  noteWhole(now: number): number | undefined {
    let until: number | undefined;
    for (const [name, repairs] of this.#contests) {
      const rested = { ...repairs, seen: undefined };
      this.#contests.set(name, rested);
      const end = contestedUntil(rested, now);
      if (end !== undefined) until = Math.max(until ?? end, end);
    }
    return until;
  }

  #remember(name: string, repairs: Repairs): void {
    this.#contests.delete(name);
    this.#contests.set(name, repairs);
    const [oldest] = this.#contests.keys();
    if (this.#contests.size > MOST_CONTESTS && oldest !== undefined) this.#contests.delete(oldest);
  }
}

/**
 * Returns the entry with the time of the installer's own entry. That entry has no time if `managedFields` was cleared before and the
 * installer's apply changed no value.
 */
function withTimeOf({ time }: ManagedFieldsEntry, entry: ManagedFieldsEntry): ManagedFieldsEntry {
  const { time: _time, ...rest } = entry;
  return time === undefined ? rest : { ...rest, time };
}

function writeOf({ manager, operation, time }: ManagedFieldsEntry): string {
  return `${manager ?? ""} ${operation ?? ""} ${time ?? ""}`;
}

function contestOf(damage: Damage): string {
  return damage.kind === "edited" ? `${damage.by}: ${damage.fields.join()}` : damage.kind;
}
