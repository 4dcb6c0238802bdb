import { randomUUID } from "node:crypto";
import { type EventSchema, eventOf } from "../../../tools/key-vault-emulator/queues/event-form.ts";

/** Names that a forged message may contain. */
export interface NoiseFacts {
  /** The vault of the classes, an object that they name, and one that they name but the vault has deleted. */
  readonly vault: string;
  readonly named: string;
  readonly deleted: string;
}

interface Reported {
  readonly vault: string;
  readonly name: string;
  readonly schema?: EventSchema;
}

/** The event of a version that no vault has. */
function reported({ vault, name, schema = "cloudEvents" }: Reported): Record<string, unknown> {
  const version = { object: "Secret", name, version: randomUUID().replaceAll("-", ""), notBefore: null, expires: null } as const;
  return eventOf({ name: vault, url: `https://${vault}.vault.azure.net/` }, version, schema) as Record<string, unknown>; // An object in both schemas.
}

const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

function withId(facts: NoiseFacts, id: string): string {
  const event = reported({ vault: facts.vault, name: facts.named });
  return json({ ...event, data: { ...(event["data"] as object), Id: id } }); // `told` builds it.
}

/** Each function creates one message: malformed, of other types, from another source, or forged. */
export const NOISE: readonly ((facts: NoiseFacts) => string)[] = [
  () => "no base64 and no JSON <&>",
  () => Buffer.from("base64 of no JSON").toString("base64"),
  () => Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]).toString("base64"),
  () => `${json({ type: "x" }).slice(0, -3)}*`,
  () => json(null),
  () => json(42),
  () => json("a text"),
  () => json([]),
  () => json({}),
  () => json({ type: 7, data: [] }),
  () => Buffer.from('{"type":').toString("base64"),
  () => "[".repeat(20_000),
  () => "x".repeat(60_000),
  (facts) => json({ ...reported({ vault: facts.vault, name: facts.named }), padding: "x".repeat(44_000) }),
  (facts) => json([reported({ vault: facts.vault, name: facts.named }), reported({ vault: facts.vault, name: facts.named })]),
  (facts) => json({ ...reported({ vault: facts.vault, name: facts.named }), time: "yesterday" }),
  (facts) => json({ ...reported({ vault: facts.vault, name: facts.named }), data: "none" }),
  (facts) => json({ ...reported({ vault: facts.vault, name: facts.named }), type: "Microsoft.KeyVault.SecretDeleted" }),
  () => json({ specversion: "1.0", type: "Microsoft.Storage.BlobCreated", data: {} }),
  (facts) => withId(facts, `https://${facts.vault}.vault.azure.net@evil.example/secrets/${facts.named}`),
  (facts) => withId(facts, `http://${facts.vault}.vault.azure.net/secrets/${facts.named}`),
  (facts) => withId(facts, `https://${facts.vault}.vault.azure.net:8443/secrets/${facts.named}`),
  (facts) => withId(facts, `https://${facts.vault}.vault.azure.net/keys/${facts.named}`),
  (facts) => withId(facts, `https://${facts.vault}.vault.azure.net/secrets/..%2f..%2f${facts.named}`),
  (facts) => json(reported({ vault: "somebody-elses", name: facts.named })),
  (facts) => withId(facts, `https://${facts.vault}.vault.azure.cn/secrets/${facts.named}`),
  (facts) => json(reported({ vault: facts.vault, name: "nobody-names-it" })),
  (facts) => json(reported({ vault: facts.vault, name: facts.named, schema: "eventGrid" })),
  (facts) => json(reported({ vault: facts.vault, name: facts.deleted })),
];
