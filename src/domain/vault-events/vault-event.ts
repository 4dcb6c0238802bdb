/** What Key Vault tells Event Grid: https://learn.microsoft.com/azure/event-grid/event-schema-key-vault */
import type { ObjectType } from "../provider-class/object-rules.ts";

/** What happened to an object; of `NewVersionCreated` alone its value is another one. */
export type ObjectChange = "NewVersionCreated" | "NearExpiry" | "Expired";

/** One event of one vault. A hint: where and when to look, never what is there. */
export type VaultEvent = ObjectEvent | AccessEvent;

export interface ObjectEvent {
  readonly kind: "object";
  /** Host of the vault in lower case: `shop.vault.azure.net`. */
  readonly vaultHost: string;
  readonly change: ObjectChange;
  /** Those that changed together: with a certificate its key and its secret, which have its name and its versions. */
  readonly types: readonly ObjectType[];
  /** In lower case: names know no case. */
  readonly name: string;
  /** Undefined where the event names none. */
  readonly version: string | undefined;
  /** Unix milliseconds, by the vault's clock. */
  readonly time: number;
}

/** The vault's access policies changed: what was refused may be had now. */
export interface AccessEvent {
  readonly kind: "access";
  /** Name of the vault in lower case: of its host nothing is said. */
  readonly vaultName: string;
  /** Unix milliseconds. */
  readonly time: number;
}

/** Why a message is no event that anything is done about. */
export type Rejection =
  /** Neither an Event Grid event nor a CloudEvent, or one that lacks what it must have. */
  | "malformed"
  /** An event, of somebody else than Key Vault or of a kind that is not known here. */
  | "otherType";
