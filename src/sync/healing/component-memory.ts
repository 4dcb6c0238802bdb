import { type ComponentCopy, tolerating } from "../../domain/healing/component-copy.ts";
import type { ComponentDrift } from "../../domain/healing/component-drift.ts";
import { withItemKeys } from "../../domain/healing/field-sets.ts";
import { showsWrite } from "../../domain/healing/installer-writes.ts";
import { isInstaller, isSameOwner } from "../../domain/healing/installers.ts";
import { comparedFields, hasFields } from "../../domain/healing/owned-fields.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../domain/kubernetes.ts";
import { afterRepair, contestedUntil, NO_REPAIRS, paceRepair, type Repairs, STEADY, YIELDING } from "../../domain/schedule/repair-pace.ts";

/** Of these many contests of one component the pace is remembered: the oldest is forgotten first. */
const MOST_CONTESTS = 16;
/** Of these many of the worker's own repairs: the record of owners shows those of one moment. */
const MOST_WRITES = 16;

export type Damage = Extract<ComponentDrift, { readonly kind: "terminating" | "edited" | "deleted" }>;

/** What this process remembers of a component. Losing it costs nothing but an early repair. */
export class ComponentMemory {
  /** By who takes which fields back: one who does so after each repair must not slow the repair of other damage. */
  readonly #contests = new Map<string, Repairs>();
  /** Entries of managedFields that the worker's repairs under an installer's name left, by who wrote and when. */
  readonly #written = new Map<string, ManagedFieldsEntry>();
  /** Unix milliseconds since when it has been absent. */
  absentSince: number | undefined;
  /** A repair may have begun whose last write, which hands the record of owners back, was not done: by this process, or by one before it. */
  mayBeHalfRepaired = true;

  readonly noteWritten = (entries: readonly ManagedFieldsEntry[]): void => {
    for (const entry of entries) {
      this.#written.set(writeOf(entry), entry);
      const [oldest] = this.#written.keys();
      if (this.#written.size > MOST_WRITES && oldest !== undefined) this.#written.delete(oldest);
    }
  };

  /**
   * The object with the times of its installers' own writes, as the copy has them, in the place of those of repairs. After a write without an
   * answer, that is whatever owns no more than an apply of the copy does. The object as it is where an installer has written since, be it in the
   * second of a repair.
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

  /** Milliseconds to wait before a repair of this damage. Who deleted something is not recorded, and without it nothing works: that is never left for long. */
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

  /** Nothing is wrong. Unix milliseconds until which somebody may still undo the last repair, as before; undefined where nobody does. */
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

/** An installer's entry has no time where its apply changed no value of an object whose record of owners was wiped. */
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
