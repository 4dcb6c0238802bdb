import { madeFor } from "../../domain/gateways/made-for.ts";
import { ownerKey } from "../../domain/gateways/owner-kinds.ts";
import type { TlsOwner } from "../../domain/gateways/tls-owner.ts";
import { Groups } from "../../domain/groups.ts";
import { objectKey, refOfKey } from "../../domain/object-key.ts";
import type { HeldClass } from "../../domain/provider-class/held-class.ts";
import type { HeldClasses } from "../classes/held-classes.ts";

/** The classes of each Gateway and Ingress, from both sides: classes that were made for an owner, and owners that want a class of that name. */
export class MadeClasses {
  readonly #classes: Pick<HeldClasses, "get">;
  /** Class keys by the owner that they were made for, as last seen. */
  readonly #made = new Groups<true>();
  /** Owners by the key of a class that they want. */
  readonly #wanting = new Groups<true>();
  /** Class keys by the owner that wants them. */
  readonly #wanted = new Groups<true>();

  constructor(classes: Pick<HeldClasses, "get">) {
    this.#classes = classes;
  }

  /** Call this when the class or one of its Secrets changed. Returns the owners that the change may concern. */
  noteClass(classKey: string): readonly string[] {
    const spc = this.#classes.get(refOfKey(classKey));
    const owner = spc && madeFor(spc);
    if (owner !== undefined) this.#made.set(owner, classKey, true);
    return [...new Set([...(owner === undefined ? [] : [owner]), ...this.#wanting.keys(classKey)])];
  }

  /** Records that the owner wants classes of these names, even if another owner has them now. */
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

  /** Returns the existing classes that were made for the owner. */
  of(owner: string): readonly HeldClass[] {
    return this.#made.keys(owner).flatMap((classKey) => {
      const spc = this.#classes.get(refOfKey(classKey));
      if (spc !== undefined && madeFor(spc) === owner) return [spc];
      this.#made.delete(owner, classKey);
      return [];
    });
  }
}
