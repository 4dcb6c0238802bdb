/** A written case of the provider's contract: a class, and the rows that it covers. */
import type { CloudName } from "../../../tools/key-vault-emulator/network/clouds.ts";
import type { Setting } from "./provider-world.ts";
import type { ProviderRow } from "./spec-rows.ts";

export interface ProviderCase {
  readonly id: string;
  readonly rows: readonly ProviderRow[];
  /** Changes to a valid class. `undefined` omits a parameter. `$VAULT`, `$TENANT` and `$V(name,n)` are replaced. */
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  /** Items of `array`, or the whole text. */
  readonly objects?: readonly string[] | string;
  /** Used instead of valid credentials. `null` means no Secret. `$ID` and `$SECRET` are replaced. */
  readonly credentials?: Readonly<Record<string, string>> | null;
  /** JSON text of the tokens that the driver passes to the provider. Our side requests its own token, `$TOKEN`, from the API server. */
  readonly tokens?: string;
  /** Used instead of `$TOKEN`. */
  readonly token?: string;
  /** Cloud of the vault and of its reader. Default: the public one. */
  readonly cloud?: CloudName;
  /** Used instead of the driver's data about the mounting pod. */
  readonly pod?: Readonly<Record<string, string>>;
  readonly setting?: Setting;
  readonly listed?: string;
}

/** One item of `array`. */
export function item(type: string, name: string, ...more: readonly string[]): string {
  return [`objectName: ${name}`, `objectType: ${type}`, ...more].join("\n");
}

/** The form in the provider's documentation. */
export function objectsText(items: readonly string[]): string {
  const entries = items.map((text) => `  - |\n${text.replaceAll(/^/gm, "    ")}\n`);
  return `array:\n${entries.join("")}`;
}
