import type { ClassDraft } from "./class-draft.ts";
import type { ConversionRemark, PeerObject } from "./peer-object.ts";

/** Draft from one object of a peer. If the remarks contain an error, the draft lacks the part that the error is about. */
export interface Drafting {
  readonly draft: ClassDraft | undefined;
  readonly remarks: readonly ConversionRemark[];
}

/** A draft, and the objects that it comes from. */
export interface Drafted extends Drafting {
  readonly from: readonly PeerObject[];
}
