/**
 * A status as the worker holds it in memory. A user who can write statuses in a namespace can create many, each as large as an object can
 * be. An entry of five characters takes dozens of bytes of memory.
 */
import { MAX_TARGETS } from "../grants/mirror-targets.ts";
import { bytesInMemory, countParts } from "../json-size.ts";
import { MAX_DATA_ENTRIES, MAX_SECRET_OBJECTS } from "../provider-class/class-limits.ts";
import { MOST_COPY_NAMES } from "./copies/copy-status.ts";
import type { ClassStatus } from "./status-fields.ts";
import { isCurrentForm, readStatus, type SecretProviderClassSync } from "./stored-status.ts";

/** Fields of an entry of `secrets` and of an entry of its `data`, plus one for the entry itself. */
const PARTS_OF_A_SECRET = 6;
const PARTS_OF_A_KEY = 10;
/** An entry of `copies`: the entry, its namespace, its state, and the list of names with the most names that it can have. */
const PARTS_OF_A_COPY = 4 + MOST_COPY_NAMES;
/** Everything else: up to nine conditions, times, numbers. */
const OTHER_PARTS = 100;

/** Values, lists and mappings in a status. The status of a class of the largest size does not have more. */
const MAX_STATUS_PARTS =
  MAX_SECRET_OBJECTS * PARTS_OF_A_SECRET + MAX_DATA_ENTRIES * PARTS_OF_A_KEY + MAX_TARGETS * PARTS_OF_A_COPY + OTHER_PARTS;

/** Why the worker does not hold a status: it has more parts than the worker writes, or the statuses of its namespace use all the room. */
export type StatusExcess = "parts" | "namespace";

export interface HeldStatus {
  /** Absent before the object has one, and if the worker does not hold it. */
  readonly status: ClassStatus | undefined;
  /** Whether the status is stored in the form of this version. */
  readonly isCurrentForm: boolean;
  readonly excess?: StatusExcess;
}

/** `hasRoom`: whether the worker can hold a status of so many bytes. */
export function heldStatus(object: SecretProviderClassSync, hasRoom: (bytes: number) => boolean): HeldStatus {
  const { status } = object;
  if (status === undefined) return { status: undefined, isCurrentForm: false };
  const parts = countParts(status, MAX_STATUS_PARTS);
  if (parts > MAX_STATUS_PARTS) return { status: undefined, isCurrentForm: false, excess: "parts" };
  if (!hasRoom(bytesInMemory(status, parts))) return { status: undefined, isCurrentForm: false, excess: "namespace" };
  return { status: readStatus(status), isCurrentForm: isCurrentForm(object) };
}
