/**
 * A status as the worker holds it. Whoever may write statuses in a namespace can make as many as they like, each as large as an object can be:
 * an entry of five characters takes dozens of bytes of memory.
 */
import { bytesInMemory, countParts } from "../json-size.ts";
import { MAX_DATA_ENTRIES, MAX_SECRET_OBJECTS } from "../provider-class/class-limits.ts";
import type { ClassStatus } from "./status-fields.ts";
import { isCurrentForm, readStatus, type SecretProviderClassSync } from "./stored-status.ts";

/** Fields of an entry of `secrets` and of one of its `data`, each with the entry itself. */
const PARTS_OF_A_SECRET = 6;
const PARTS_OF_A_KEY = 10;
/** Of everything else: nine conditions, times, numbers. */
const OTHER_PARTS = 100;

/** Values, lists and mappings of a status: no class of the largest size has more of them. */
const MAX_STATUS_PARTS = MAX_SECRET_OBJECTS * PARTS_OF_A_SECRET + MAX_DATA_ENTRIES * PARTS_OF_A_KEY + OTHER_PARTS;

/** Why a status is not held: it has more parts than the worker writes, or the statuses of its namespace have no room for it. */
export type StatusExcess = "parts" | "namespace";

export interface HeldStatus {
  /** Absent before the object has one, and where it is not held. */
  readonly status: ClassStatus | undefined;
  /** As this version stores it. */
  readonly isCurrentForm: boolean;
  readonly excess?: StatusExcess;
}

/** `hasRoom`: whether a status that takes so many bytes can be held. */
export function heldStatus(object: SecretProviderClassSync, hasRoom: (bytes: number) => boolean): HeldStatus {
  const { status } = object;
  if (status === undefined) return { status: undefined, isCurrentForm: false };
  const parts = countParts(status, MAX_STATUS_PARTS);
  if (parts > MAX_STATUS_PARTS) return { status: undefined, isCurrentForm: false, excess: "parts" };
  if (!hasRoom(bytesInMemory(status, parts))) return { status: undefined, isCurrentForm: false, excess: "namespace" };
  return { status: readStatus(status), isCurrentForm: isCurrentForm(object) };
}
