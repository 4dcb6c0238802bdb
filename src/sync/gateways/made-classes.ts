import { madeFor } from "../../domain/gateways/made-for.ts";
import { ownerKey } from "../../domain/gateways/owner-kinds.ts";
import type { TlsOwner } from "../../domain/gateways/tls-owner.ts";
import { Groups } from "../../domain/groups.ts";
import { objectKey, refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import type { HeldClasses } from "../classes/held-classes.ts";

/** Which classes belong to which Gateways and Ingresses, by both sides' word: who made them, and who wants one of that name. */
export class MadeClasses {
  readonly #classes: Pick<HeldClasses, "get">;
  /** Class keys by the owner that they were made for, as they were last seen. */
  readonly #made = new Groups<true>();
  /** Owners by the key of a class that they want. */
  readonly #wanting = new Groups<true>();
  /** The inverse. */
  readonly #wanted = new Groups<true>();

  constructor(classes: Pick<HeldClasses, "get">) {
    this.#classes = classes;
  }

  /** Something of the class, or of its Secrets, changed. Resolves to the owners that this may be of interest to. */
  noteClass(classKey: string): readonly string[] {
    const spc = this.#classes.get(refOfKey(classKey));
    const owner = spc && madeFor(spc);
    if (owner !== undefined) this.#made.set(owner, classKey, true);
    return [...new Set([...(owner === undefined ? [] : [owner]), ...this.#wanting.keys(classKey)])];
  }

  /** The owner wants classes of these names, whoever has them now. */
  noteWanted({ kind, object: { metadata }, entries }: TlsOwner): void {
    const owner = ownerKey(kind, metadata);
    this.forgetWanted(owner);
    for (const { className, address } of entries) {
      if (address === undefined) continue;
      const classKey = objectKey({ namespace: metadata.namespace, name: className });
      this.#wanted.set(owner, classKey, true);
      this.#wanting.set(classKey, owner, true);
    }
  }

  forgetWanted(owner: string): void {
    for (const classKey of this.#wanted.keys(owner)) {
      this.#wanted.delete(owner, classKey);
      this.#wanting.delete(classKey, owner);
    }
  }

  /** Those that exist, and were made for the owner. */
  of(owner: string): readonly HeldClass[] {
    return this.#made.keys(owner).flatMap((classKey) => {
      const spc = this.#classes.get(refOfKey(classKey));
      if (spc !== undefined && madeFor(spc) === owner) return [spc];
      this.#made.delete(owner, classKey);
      return [];
    });
  }
}
