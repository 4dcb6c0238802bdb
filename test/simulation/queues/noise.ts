/** What comes into a queue that is no news: by mistake, from elsewhere, or from somebody who may write there. */
import { eventOf } from "../../../tools/key-vault-emulator/queues/event-form.ts";
import { wall } from "../time/context.ts";
import type { Random } from "../time/random.ts";
import { textOf, written } from "./event-grid.ts";

/** An object that somebody may tell of. */
export interface KnownObject {
  readonly vault: string;
  readonly object: string;
  readonly isCertificate: boolean;
  readonly version: string;
}

const version = (random: Random): string => random.bytes(16).toString("hex");

type Draw = (known: KnownObject, random: Random) => string;

const MALFORMED: readonly Draw[] = [
  () => "hello",
  () => "",
  (_, random) => random.bytes(200).toString("base64"),
  (_, random) =>
    random
      .bytes(100)
      .toString("latin1")
      .replaceAll(/[^ -~]/g, "."),
  (known, random) => textOf(known, random).slice(0, -40),
  (known, random) => `[${[0, 1].map(() => JSON.stringify(eventIn(known, version(random)))).join()}]`,
  (known, random) => written({ ...eventIn(known, version(random)), eventTime: "yesterday", time: "yesterday" }, random),
  (known, random) => written({ ...eventIn(known, version(random)), data: { Id: "https://[" } }, random),
  (_, random) => "[".repeat(10_000 + random.below(10_000)),
  (_, random) => `{"a":"${"x".repeat(30_000 + random.below(20_000))}"}`,
];

const FOREIGN: readonly Draw[] = [
  (known, random) => textOf({ ...known, vault: `elsewhere-${random.below(50)}` }, random),
  (known, random) => written(eventIn(known, version(random), "vault.azure.cn"), random),
  (_, random) => written({ id: "1", eventType: "Microsoft.Storage.BlobCreated", subject: "blob", eventTime: iso(0), data: {} }, random),
];

const HINTS: readonly Draw[] = [
  // Of a version that there never was, from a time that has not come.
  (known, random) => written({ ...eventIn(known, version(random)), ...timed(random.between(-1, 1) * 24 * 3_600_000) }, random),
  (known, random) => textOf({ ...known, version: version(random) }, random),
  (known, random) => textOf(known, random),
  (known, random) => textOf({ ...known, object: `nobody-names-${random.below(100)}` }, random),
  (known, random) => textOf({ ...known, object: known.object.toUpperCase() }, random),
  (known, random) => written(changed(known, random.chance(0.5) ? "NearExpiry" : "Expired"), random),
  ({ vault }, random) =>
    written({ id: "1", type: "Microsoft.KeyVault.VaultAccessPolicyChanged", source: `/vaults/${vault}`, time: iso(0) }, random),
];

export type Noise = "malformed" | "foreign" | "hints";

const DRAWS: Readonly<Record<Noise, readonly Draw[]>> = { malformed: MALFORMED, foreign: FOREIGN, hints: HINTS };

/** A message of that kind about the object. */
export function drawNoise(kind: Noise, known: KnownObject, random: Random): string {
  return random.pick(DRAWS[kind])(known, random);
}

function iso(milliseconds: number): string {
  return new Date(wall() + milliseconds).toISOString();
}

function timed(milliseconds: number): { readonly eventTime: string; readonly time: string } {
  return { eventTime: iso(milliseconds), time: iso(milliseconds) };
}

function eventIn({ vault, object, isCertificate }: KnownObject, id: string, suffix = "vault.azure.net"): object {
  const reported = { object: isCertificate ? "Certificate" : "Secret", name: object, version: id, notBefore: null, expires: null } as const;
  return eventOf({ name: vault, url: `https://${vault}.${suffix}/` }, reported, "eventGrid") as object; // An object, as its form says.
}

function changed(known: KnownObject, change: "NearExpiry" | "Expired"): object {
  const type = `Microsoft.KeyVault.${known.isCertificate ? "Certificate" : "Secret"}${change}`;
  return { ...eventIn(known, known.version), eventType: type };
}
