import type { ClassDraft } from "./class-draft.ts";
import type { ConversionRemark, PeerObject } from "./peer-object.ts";

/** What one object of a peer comes to. With an error among the remarks the draft lacks what the error is about. */
export interface Drafting {
  readonly draft: ClassDraft | undefined;
  readonly remarks: readonly ConversionRemark[];
}

/** A draft, and the objects that it is of. */
export interface Drafted extends Drafting {
  readonly from: readonly PeerObject[];
}
