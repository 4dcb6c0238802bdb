/** Events that Key Vault sends to Event Grid: https://learn.microsoft.com/azure/event-grid/event-schema-key-vault */
import type { ObjectType } from "../provider-class/object-rules.ts";

/** Kind of an object's change. Only `NewVersionCreated` means that the value changed. */
export type ObjectChange = "NewVersionCreated" | "NearExpiry" | "Expired";

/** One event of one vault. A hint: it names an object and a time, never a value. */
export type VaultEvent = ObjectEvent | AccessEvent;

export interface ObjectEvent {
  readonly kind: "object";
  /** Host of the vault in lower case, for example `shop.vault.azure.net`. */
  readonly vaultHost: string;
  readonly change: ObjectChange;
  /** Types of the objects that changed together: the key and the secret of a certificate have its name and its versions. */
  readonly types: readonly ObjectType[];
  /** In lower case, because names are case-insensitive. */
  readonly name: string;
  /** Undefined if the event names no version. */
  readonly version: string | undefined;
  /** Unix milliseconds of the vault's clock. */
  readonly time: number;
}

/** The vault's access policies changed, so a request that the vault refused may succeed now. */
export interface AccessEvent {
  readonly kind: "access";
  /** Name of the vault in lower case. The event does not contain its host. */
  readonly vaultName: string;
  /** Unix milliseconds. */
  readonly time: number;
}

/** Reason why the worker ignores a message. */
export type Rejection =
  /** The message is neither an Event Grid event nor a CloudEvent, or lacks a required member. */
  | "malformed"
  /** The event is not from Key Vault, or has an unknown kind. */
  | "otherType";
