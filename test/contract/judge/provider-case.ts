/** A written case of the provider's contract: a class, and what it shows. */
import type { CloudName } from "../../../tools/key-vault-emulator/network/clouds.ts";
import type { Setting } from "./provider-world.ts";
import type { ProviderRow } from "./spec-rows.ts";

export interface ProviderCase {
  readonly id: string;
  readonly rows: readonly ProviderRow[];
  /** Changes to a class that works: `undefined` leaves a parameter out. `$VAULT`, `$TENANT` and `$V(name,n)` are replaced. */
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  /** Items of `array`, or the whole text. */
  readonly objects?: readonly string[] | string;
  /** Instead of those that work; `null` is no Secret. `$ID` and `$SECRET` are replaced. */
  readonly credentials?: Readonly<Record<string, string>> | null;
  /** JSON text of the tokens that the driver hands to the provider. Our side asks the API server: it has `$TOKEN`. */
  readonly tokens?: string;
  /** Instead of `$TOKEN`. */
  readonly token?: string;
  /** Of the vault and of who reads it; default the public one. */
  readonly cloud?: CloudName;
  /** Instead of the pod's that mounts: what the driver tells of it. */
  readonly pod?: Readonly<Record<string, string>>;
  readonly setting?: Setting;
  readonly listed?: string;
}

/** One item of `array`. */
export function item(type: string, name: string, ...more: readonly string[]): string {
  return [`objectName: ${name}`, `objectType: ${type}`, ...more].join("\n");
}

/** The form that the provider's documentation shows. */
export function objectsText(items: readonly string[]): string {
  const entries = items.map((text) => `  - |\n${text.replaceAll(/^/gm, "    ")}\n`);
  return `array:\n${entries.join("")}`;
}
